"""A study of a whole pipeline: encoders, then training, then the rest, and a score nobody tuned on.

toml       tables of a TOML file, read by a schema
config     what a study.toml says
space      settings that are tried
data       what is tuned on and what is reported on, and that they share nothing
score      how good a pipeline is on some articles
trials     what was tried, kept in SQLite, so that a killed study can be resumed
stages     the stages, each starting from the best of the one before
run        all of it, and the report at the end
page       study.html

Importing this package loads neither torch nor optuna.
"""

from newsnest.study.config import StudyConfig, read_config
from newsnest.study.outcome import Outcome
from newsnest.study.run import run_study

__all__ = ["Outcome", "StudyConfig", "read_config", "run_study"]
