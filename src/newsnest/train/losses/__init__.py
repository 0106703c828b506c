"""Losses, one a file, each usable alone with SentenceTransformerTrainer; `LOSSES` lists them."""

from newsnest.train.losses.anchor import AnchoredMatryoshkaLoss, anchor_loss
from newsnest.train.losses.angle import SymmetricAngleLoss, angle_similarity
from newsnest.train.losses.clustering_contrast import ClusteringContrastLoss, ClusteringTerms
from newsnest.train.losses.contrastive import InBatchContrastiveLoss, contrastive_loss
from newsnest.train.losses.cosine_ranking import CosineRankingLoss, ranking_loss
from newsnest.train.losses.levelwise import (
    LevelwiseMatryoshkaLoss,
    LevelwiseTerms,
    TrainingLevel,
    training_levels,
)
from newsnest.train.losses.masked_ranking import MaskedRankingLoss, TeacherVectors
from newsnest.train.losses.megabatch import MegaBatchLoss
from newsnest.train.losses.pair_loss import PairLoss, PairTargets, cosines, read_targets
from newsnest.train.losses.reconstruction import ReconstructionDecoder, check_reconstruction
from newsnest.train.losses.registry import LOSSES, KnownLoss
from newsnest.train.losses.soft_assignment import sharpened, student_assignment, target_divergence
from newsnest.train.losses.translation import TranslationLoss, TranslationTerms
from newsnest.train.losses.virtual_neighbourhood import VirtualNeighbourhoodLoss, worst_neighbours

__all__ = [
    "LOSSES", "AnchoredMatryoshkaLoss", "ClusteringContrastLoss", "ClusteringTerms",
    "CosineRankingLoss", "InBatchContrastiveLoss", "KnownLoss", "LevelwiseMatryoshkaLoss",
    "LevelwiseTerms", "MaskedRankingLoss", "MegaBatchLoss", "PairLoss", "PairTargets",
    "ReconstructionDecoder", "SymmetricAngleLoss", "TeacherVectors", "TrainingLevel",
    "TranslationLoss", "TranslationTerms", "VirtualNeighbourhoodLoss", "anchor_loss",
    "angle_similarity", "check_reconstruction", "contrastive_loss", "cosines", "ranking_loss",
    "read_targets", "sharpened", "student_assignment", "target_divergence", "training_levels",
    "worst_neighbours",
]  # fmt: skip
