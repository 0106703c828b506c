"""The invented nest, a page made of it, and where Chromium is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_nest import build_nest

from newsnest.nest import Nest
from newsnest.web import ReportSummary, write_report


@pytest.fixture
def nest(tmp_path: Path) -> Iterator[Nest]:
    with build_nest(tmp_path / "harbour news.nest") as opened:
        yield opened


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the invented nest, written once."""
    folder = tmp_path_factory.mktemp("report")
    with build_nest(folder / "harbour news.nest") as opened:
        summary: ReportSummary = write_report(opened, folder / "page.html")
    return summary.path


@pytest.fixture(scope="session")
def chromium() -> tuple[str, str]:
    """Where Chromium and its driver are."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("Chromium or its driver is not installed (Debian: chromium chromium-driver)")
    return browser, driver
