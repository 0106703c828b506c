"""What recipes share: the context, the trainer, checkpoints, and the model's folder."""

from newsnest.train.run.base import Base, find_base, load_base, prefix_of
from newsnest.train.run.context import TrainingContext, begin
from newsnest.train.run.pair_run import JUDGE, PairRun, column_names, judge_grades, judge_retrieval
from newsnest.train.run.place import Checkpoints, Tensors, optimizer_tensors, restore_optimizer
from newsnest.train.run.preflight import choose_connection, same_dice
from newsnest.train.run.publish import Publication, publish_model
from newsnest.train.run.trainer import CheckpointTrainer, Reporter, find_checkpoint, make_trainer

__all__ = [
    "JUDGE", "Base", "CheckpointTrainer", "Checkpoints", "PairRun", "Publication", "Reporter",
    "Tensors", "TrainingContext", "begin", "choose_connection", "column_names", "find_base",
    "find_checkpoint", "judge_grades", "judge_retrieval", "load_base", "make_trainer",
    "optimizer_tensors", "prefix_of", "publish_model", "restore_optimizer", "same_dice",
]  # fmt: skip
