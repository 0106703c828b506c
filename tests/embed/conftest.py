from __future__ import annotations

import pytest

from newsnest.embed.weights import MINILM_PACKAGE


@pytest.fixture
def without_minilm_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, package=None: None if name == MINILM_PACKAGE else real(name, package),
    )
