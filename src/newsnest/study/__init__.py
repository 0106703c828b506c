"""A study of a whole pipeline: encoders, then training, then the rest, and a score nobody tuned on.

run        all of it: the stages, each starting from the best of the one before, and the report
config     what a study.toml says; toml reads its tables by a schema
space      settings that are tried
data       what is tuned on and what is reported on, and that they share nothing
score      how good a pipeline is on some articles
trials     what was tried, kept in SQLite, so that a killed study can be resumed
outcome    what was found, as text and JSON; page draws it as study.html

Importing this package loads neither torch nor optuna.
"""

from newsnest.study.config import StudyConfig, read_config
from newsnest.study.outcome import Outcome
from newsnest.study.run import run_study

__all__ = ["Outcome", "StudyConfig", "read_config", "run_study"]
