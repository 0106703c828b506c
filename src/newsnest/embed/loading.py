"""Loading torch and models: no busy waiting, no chatter, and nothing that matters hidden."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from newsnest.errors import EncoderError

# The loggers that print while a model is loaded.
_CHATTY = ("transformers.modeling_utils", "transformers.utils.loading_report")
_WAITING = "OMP_WAIT_POLICY"
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*m")


class _LoadReports(logging.Filter):
    """Keeps the table of loaded weights off the terminal, and keeps it to be read."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        text = _TERMINAL_CODES.sub("", record.getMessage())
        if "LOAD REPORT" not in text:
            return True
        self.reports.append(text)
        return False


def _check(report: str) -> None:
    """Raise if weights are missing: such a model computes with random numbers."""
    rows = [line.split("|") for line in report.splitlines() if line.count("|") >= 2]
    # The pooler is not part of a sentence embedding; many models are saved without it.
    bad = [
        row[0].strip()
        for row in rows
        if row[1].strip() in ("MISSING", "MISMATCH", "CONVERSION") and "pooler" not in row[0]
    ]
    if bad:
        raise EncoderError(
            f"prepare: a model must come with all its weights, got none for {', '.join(bad)}. "
            "Save or download the model again."
        )


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Hold back progress bars and the report on unused weights while a model is loaded.

    EncoderError where the report lists weights that are missing or do not fit.
    """
    from transformers.utils import logging as transformers_logging

    had_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    reports = _LoadReports()
    for name in _CHATTY:
        logging.getLogger(name).addFilter(reports)
    try:
        yield
    finally:
        for name in _CHATTY:
            logging.getLogger(name).removeFilter(reports)
        if had_bars:
            transformers_logging.enable_progress_bar()
    for report in reports.reports:
        _check(report)


@contextmanager
def patient_threads() -> Iterator[None]:
    """Let threads that OpenMP starts sleep while they wait, if it is first loaded in this block.

    By default they spin. Beside one other busy process on a machine of two cores, spinning makes a
    transformer several times slower (benchmarks/results/encoding.json, "beside"). A policy that the
    user has set stays. The environment is as before afterwards: OpenMP reads it once, when it is
    loaded.
    """
    if _WAITING in os.environ:
        yield
        return
    os.environ[_WAITING] = "PASSIVE"
    try:
        yield
    finally:
        os.environ.pop(_WAITING, None)
