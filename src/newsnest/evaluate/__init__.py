"""Numbers that say how good encoders and clusters are."""

from newsnest.evaluate.alignment import AlignmentScores, alignment_scores, relational_similarity
from newsnest.evaluate.bootstrap import Estimate
from newsnest.evaluate.clusters import ClusterScores, bcubed_f1, cluster_scores
from newsnest.evaluate.gold import Joined, LabelTable, join_labels, read_labels
from newsnest.evaluate.internal import Labelling, cluster_samples, dunn, silhouette, stability
from newsnest.evaluate.pair_files import GradedPair, PairFile, pair_components, read_pairs
from newsnest.evaluate.pairs import LEVEL_SIMILARITIES, PairScores, pair_scores, prefix_dims
from newsnest.evaluate.parallel_files import ParallelFile, ParallelTexts, read_parallel

__all__ = [
    "LEVEL_SIMILARITIES",
    "AlignmentScores",
    "ClusterScores",
    "Estimate",
    "GradedPair",
    "Joined",
    "LabelTable",
    "Labelling",
    "PairFile",
    "PairScores",
    "ParallelFile",
    "ParallelTexts",
    "alignment_scores",
    "bcubed_f1",
    "cluster_samples",
    "cluster_scores",
    "dunn",
    "join_labels",
    "pair_components",
    "pair_scores",
    "prefix_dims",
    "read_labels",
    "read_pairs",
    "read_parallel",
    "relational_similarity",
    "silhouette",
    "stability",
]
