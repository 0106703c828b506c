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
from newsnest.evaluate.hardness import Hardness, PairVectors, negative_hardness
from newsnest.evaluate.internal import Labelling, cluster_samples, dunn, silhouette, stability
from newsnest.evaluate.keywords import keyword_coherence, keyword_diversity
from newsnest.evaluate.pairs import LEVEL_SIMILARITIES, PairScores, pair_scores, prefix_dims
from newsnest.evaluate.precise import agreeing_cut, precise_cut
from newsnest.evaluate.retrieval import RetrievalScores, rank_documents, retrieval_scores

__all__ = [
    "LEVEL_SIMILARITIES",
    "AlignmentScores",
    "ClusterIndex",
    "ClusterScores",
    "Estimate",
    "Hardness",
    "Labelling",
    "PairScores",
    "PairVectors",
    "RetrievalScores",
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
    "join_similarities",
    "keyword_coherence",
    "keyword_diversity",
    "negative_hardness",
    "pair_scores",
    "precise_cut",
    "prefix_dims",
    "rank_documents",
    "relational_similarity",
    "retrieval_scores",
    "silhouette",
    "stability",
    "title_scores",
]
