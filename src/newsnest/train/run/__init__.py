"""What recipes share: the context, the trainer, checkpoints, and the model's folder."""

from newsnest.train.run.base import Base, find_base, load_base, prefix_of
from newsnest.train.run.checkpoints import Checkpoints, optimizer_tensors, restore_optimizer
from newsnest.train.run.context import TrainingContext, begin
from newsnest.train.run.pair_run import (
    SAME_TEXT,
    PairRun,
    Validation,
    validate_grades,
    validate_retrieval,
)  # fmt: skip
from newsnest.train.run.place import Place
from newsnest.train.run.publish import Publication, publish_model
from newsnest.train.run.sources import column_names
from newsnest.train.run.trainer import (
    CheckpointTrainer,
    Reporter,
    last_checkpoint,
    make_trainer,
    train_from,
)  # fmt: skip

__all__ = [
    "SAME_TEXT",
    "Base",
    "CheckpointTrainer",
    "Checkpoints",
    "PairRun",
    "Place",
    "Publication",
    "Reporter",
    "TrainingContext",
    "Validation",
    "begin",
    "column_names",
    "find_base",
    "last_checkpoint",
    "load_base",
    "make_trainer",
    "optimizer_tensors",
    "prefix_of",
    "publish_model",
    "restore_optimizer",
    "train_from",
    "validate_grades",
    "validate_retrieval",
]
