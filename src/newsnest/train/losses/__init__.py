"""Losses, one a file, each usable alone with SentenceTransformerTrainer."""

from newsnest.train.losses.angle import SymmetricAngleLoss, angle_similarity
from newsnest.train.losses.clustering_contrast import ClusteringContrastLoss, ClusteringTerms
from newsnest.train.losses.contrastive import InBatchContrastiveLoss, contrastive_loss
from newsnest.train.losses.cosine_ranking import CosineRankingLoss, ranking_loss
from newsnest.train.losses.levels import TrainingLevel, training_levels
from newsnest.train.losses.levelwise import LevelwiseMatryoshkaLoss, Terms
from newsnest.train.losses.masked_ranking import MaskedRankingLoss, TeacherVectors
from newsnest.train.losses.megabatch import MegaBatchLoss, cosines
from newsnest.train.losses.pair_loss import PairLoss, PairTargets, read_targets
from newsnest.train.losses.reconstruction import ReconstructionDecoder, check_reconstruction
from newsnest.train.losses.soft_assignment import sharpened, student_assignment, target_divergence
from newsnest.train.losses.translation import TranslationLoss, TranslationTerms
from newsnest.train.losses.virtual_neighbourhood import VirtualNeighbourhoodLoss, worst_neighbours

__all__ = [
    "ClusteringContrastLoss",
    "ClusteringTerms",
    "CosineRankingLoss",
    "InBatchContrastiveLoss",
    "LevelwiseMatryoshkaLoss",
    "MaskedRankingLoss",
    "MegaBatchLoss",
    "PairLoss",
    "PairTargets",
    "ReconstructionDecoder",
    "SymmetricAngleLoss",
    "TeacherVectors",
    "Terms",
    "TrainingLevel",
    "TranslationLoss",
    "TranslationTerms",
    "VirtualNeighbourhoodLoss",
    "angle_similarity",
    "check_reconstruction",
    "contrastive_loss",
    "cosines",
    "ranking_loss",
    "read_targets",
    "sharpened",
    "student_assignment",
    "target_divergence",
    "training_levels",
    "worst_neighbours",
]
