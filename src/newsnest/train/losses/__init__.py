"""Losses over graded pairs, one a file, each usable alone with SentenceTransformerTrainer."""

from newsnest.train.losses.angle import SymmetricAngleLoss, angle_similarity
from newsnest.train.losses.contrastive import InBatchContrastiveLoss, contrastive_loss
from newsnest.train.losses.cosine_ranking import CosineRankingLoss, ranking_loss
from newsnest.train.losses.levels import TrainingLevel, training_levels
from newsnest.train.losses.levelwise import LevelwiseMatryoshkaLoss, Terms
from newsnest.train.losses.pair_loss import PairLoss, PairTargets, read_targets

__all__ = [
    "CosineRankingLoss",
    "InBatchContrastiveLoss",
    "LevelwiseMatryoshkaLoss",
    "PairLoss",
    "PairTargets",
    "SymmetricAngleLoss",
    "Terms",
    "TrainingLevel",
    "angle_similarity",
    "contrastive_loss",
    "ranking_loss",
    "read_targets",
    "training_levels",
]
