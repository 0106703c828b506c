"""Losses, one a file, each usable alone with SentenceTransformerTrainer; `LOSSES` lists them."""

from dataclasses import dataclass

from torch import nn

from newsnest.plugins import Registry
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


@dataclass(frozen=True, slots=True)
class KnownLoss:
    """A loss with a name.

    Parameters
    ----------
    summary
        One line.
    loss
        Its class; called with the model and what it `needs`.
    inputs
        The columns of text of the data set.
    labels
        What the label column holds.
    needs
        Arguments without a default beside the model, "" if there are none.
    """

    summary: str
    loss: type[nn.Module]
    inputs: str
    labels: str
    needs: str = ""


_GRADE = "similarity in [0, 1], or a row of it and group ids per level"

LOSSES: Registry[KnownLoss] = Registry(
    "loss",
    "newsnest.losses",
    KnownLoss,
    {
        "cosine-ranking": KnownLoss(
            "rank pairs by cosine as their labels rank them (CoSENT)",
            CosineRankingLoss, "two texts", "similarity, any scale",
        ),
        "angle": KnownLoss(
            "rank pairs by their angle in complex space (AnglE)",
            SymmetricAngleLoss, "two texts", "similarity, any scale",
        ),
        "contrastive": KnownLoss(
            "contrast a text's dropout view and its like partner with the batch (SimCSE)",
            InBatchContrastiveLoss, "two texts", _GRADE,
        ),
        "matryoshka": KnownLoss(
            "rank and contrast pairs at every prefix of the embedding, a level each",
            LevelwiseMatryoshkaLoss, "two texts", _GRADE, "levels",
        ),
        "anchored-matryoshka": KnownLoss(
            "matryoshka, and keep the similarities of the base model",
            AnchoredMatryoshkaLoss, "two texts", _GRADE, "levels, base, anchor",
        ),
        "masked-ranking": KnownLoss(
            "InfoNCE without the negatives a teacher scores as matches (GISTEmbed)",
            MaskedRankingLoss, "query, its item", "row number, for the teacher",
        ),
        "megabatch": KnownLoss(
            "pull pairs together and the hardest negative of a large batch apart (ParaNMT)",
            MegaBatchLoss, "two texts alike", "any, not read",
        ),
        "translation": KnownLoss(
            "move translations to a teacher's vectors of the originals",
            TranslationLoss, "translation, its original", "any, not read", "teacher",
        ),
        "clustering-contrast": KnownLoss(
            "sharpen soft clusters while views of a text are contrasted (SCCL)",
            ClusteringContrastLoss, "text, two views of it", "none", "centres",
        ),
        "virtual-neighbours": KnownLoss(
            "contrast a text with neighbours, moved to where they are hardest (VaSCL)",
            VirtualNeighbourhoodLoss, "one text", "none",
        ),
    },
)  # fmt: skip
"""The losses by name, for lists; a package adds its own in the group `newsnest.losses`."""
