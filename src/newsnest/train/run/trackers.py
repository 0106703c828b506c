"""Trackers that a training reports to, such as TensorBoard."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from transformers.integrations import get_reporting_integration_callbacks

from newsnest.errors import ParameterError

_LOGS = "TENSORBOARD_LOGGING_DIR"  # read by the trainer when it is made


def check_trackers(names: Sequence[str]) -> None:
    """Raise ParameterError where a tracker is unknown or not installed: before data are read."""
    if tuple(names) in (("none",), ("all",)):
        return
    try:
        for tracker in get_reporting_integration_callbacks(list(names)):
            tracker()
    except (ValueError, RuntimeError, ImportError) as error:
        raise ParameterError(
            f"train: report_to must name trackers that are installed, got {':'.join(names)}: "
            f"{error} Leave it out, or install the tracker."
        ) from error


@contextmanager
def logs_kept(output: Path) -> Iterator[None]:
    """Let TensorBoard log to `runs` beside the model, if nobody says where.

    It would log among the checkpoints, which are deleted when the model is complete.
    """
    if _LOGS in os.environ:
        yield
        return
    os.environ[_LOGS] = str(output.absolute().parent / "runs" / output.name)
    try:
        yield
    finally:
        del os.environ[_LOGS]
