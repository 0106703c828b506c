"""Numbers that say how good encoders and clusters are."""

from newsnest.evaluate.alignment import AlignmentScores, alignment_scores, relational_similarity
from newsnest.evaluate.bootstrap import Estimate
from newsnest.evaluate.clusters import ClusterScores, bcubed_f1, cluster_scores
from newsnest.evaluate.cuts import best_cut, cut_scores, join_similarities
from newsnest.evaluate.embedding import (
    ClusterIndex,
    Separation,
    TitleScores,
    cluster_index,
    title_scores,
)
from newsnest.evaluate.gold import Joined, LabelTable, join_labels, read_labels
from newsnest.evaluate.hardness import Hardness, PairVectors, negative_hardness
from newsnest.evaluate.internal import Labelling, cluster_samples, dunn, silhouette, stability
from newsnest.evaluate.keywords import keyword_coherence, keyword_diversity
from newsnest.evaluate.pair_files import GradedPair, PairFile, pair_components, read_pairs
from newsnest.evaluate.pairs import LEVEL_SIMILARITIES, PairScores, pair_scores, prefix_dims
from newsnest.evaluate.parallel_files import ParallelFile, ParallelTexts, read_parallel
from newsnest.evaluate.precise import agreeing_cut, precise_cut
from newsnest.evaluate.retrieval import RetrievalScores, rank_documents, retrieval_scores
from newsnest.evaluate.retrieval_files import RetrievalTask, read_query_items, read_retrieval

__all__ = [
    "LEVEL_SIMILARITIES",
    "AlignmentScores",
    "ClusterIndex",
    "ClusterScores",
    "Estimate",
    "GradedPair",
    "Hardness",
    "Joined",
    "LabelTable",
    "Labelling",
    "PairFile",
    "PairScores",
    "PairVectors",
    "ParallelFile",
    "ParallelTexts",
    "RetrievalScores",
    "RetrievalTask",
    "Separation",
    "TitleScores",
    "agreeing_cut",
    "alignment_scores",
    "bcubed_f1",
    "best_cut",
    "cluster_index",
    "cluster_samples",
    "cluster_scores",
    "cut_scores",
    "dunn",
    "join_labels",
    "join_similarities",
    "keyword_coherence",
    "keyword_diversity",
    "negative_hardness",
    "pair_components",
    "pair_scores",
    "precise_cut",
    "prefix_dims",
    "rank_documents",
    "read_labels",
    "read_pairs",
    "read_parallel",
    "read_query_items",
    "read_retrieval",
    "relational_similarity",
    "retrieval_scores",
    "silhouette",
    "stability",
    "title_scores",
]
