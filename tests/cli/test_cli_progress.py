"""How fast work goes, in words."""

from __future__ import annotations

import pytest

from newsnest.cli import progress


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [(1200, 10, "120/s"), (10, 10, "1/s"), (4, 50, "12.5 s each"), (9, 10, "1.1 s each")],
)
def test_what_is_slower_than_one_a_second_is_told_in_seconds(
    done, seconds, said, monkeypatch, capsys
):
    now = iter([0.0, float(seconds)])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    task = progress._Lines().start("train", None, "steps")
    task.advance(done)
    assert capsys.readouterr().err == f"train: {done:,} steps, {said}\n"
