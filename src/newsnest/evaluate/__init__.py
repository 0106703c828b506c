"""Numbers that say how good encoders and clusters are."""

from newsnest.evaluate.clusters import ClusterScores, cluster_scores
from newsnest.evaluate.gold import Joined, LabelTable, join_labels, read_labels

__all__ = [
    "ClusterScores",
    "Joined",
    "LabelTable",
    "cluster_scores",
    "join_labels",
    "read_labels",
]
