"""How fast work goes, in words."""

from __future__ import annotations

import pytest

from newsnest.cli import bars, progress


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [(1200, 10, "120/s"), (10, 10, "1/s"), (4, 50, "12.5 s each"), (9, 10, "1.1 s each")],
)
def test_what_is_slower_than_one_a_second_is_told_in_seconds(
    done, seconds, said, monkeypatch, capsys
):
    now = iter([0.0, 3.0, 3.0 + seconds])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    task = progress._Lines().start("train", None, "steps")
    task.advance()
    task.advance(done)
    assert capsys.readouterr().err == f"train: {done + 1:,} steps, {said}\n"


def test_what_happens_once_is_no_part_of_the_rate(monkeypatch, capsys):
    """Loading a model takes 60 s here, then each batch of 10 texts takes 12."""
    now = iter([0.0, 60.0, 60.0, 72.0, 84.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    task = progress._Lines().start("encode", 100, "texts")
    task.advance(0)  # a batch that finished no text
    for _ in range(3):
        task.advance(10)
    assert capsys.readouterr().err.splitlines() == [
        "encode: 0 of 100 texts",
        "encode: 20 of 100 texts, 1.2 s each, 96 s left",
        "encode: 30 of 100 texts, 1.2 s each, 84 s left",
    ]


def test_bars_say_no_time_left_before_the_second_batch():
    clock = [0.0]
    shown = bars.rich.Progress(get_time=lambda: clock[0], disable=True)
    task = bars._Terminal(shown).start("encode", 100, "texts")
    clock[0] = 60.0
    task.advance(10)
    assert shown.tasks[0].time_remaining is None
    clock[0] = 72.0
    task.advance(10)
    assert shown.tasks[0].time_remaining == 96
