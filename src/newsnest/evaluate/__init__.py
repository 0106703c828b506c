"""Scores of encoders, clusters, rankings and keywords, with intervals.

Against gold labels: `cluster_scores`; against graded pairs: `pair_scores`; against relevance
judgements: `retrieval_scores`; between languages: `alignment_scores`; without any label:
`title_scores`, `cluster_index`. Similarities to cut at: `best_cut`, `precise_cut`, `agreeing_cut`.
"""

from newsnest.evaluate.alignment import AlignmentScores, alignment_scores, relational_similarity
from newsnest.evaluate.bootstrap import Estimate, estimate, mean_estimate, resample_weights
from newsnest.evaluate.clusters import ClusterScores, bcubed_f1, cluster_scores
from newsnest.evaluate.cuts import BestCut, CutScores, best_cut, cut_scores, join_similarities
from newsnest.evaluate.embedding import (
    ClusterIndex,
    Separation,
    TitleScores,
    cluster_index,
    title_scores,
)
from newsnest.evaluate.hardness import Hardness, QueryItemVectors, negative_hardness
from newsnest.evaluate.internal import Labelling, cluster_samples, dunn, silhouette, stability
from newsnest.evaluate.keywords import keyword_coherence, keyword_diversity
from newsnest.evaluate.pairs import LEVEL_SIMILARITIES, PairScores, pair_scores, prefix_dims
from newsnest.evaluate.precise import PreciseCut, agreeing_cut, precise_cut
from newsnest.evaluate.retrieval import RetrievalScores, rank_documents, retrieval_scores

__all__ = [
    "LEVEL_SIMILARITIES", "AlignmentScores", "BestCut", "ClusterIndex", "ClusterScores",
    "CutScores", "Estimate", "Hardness", "Labelling", "PairScores", "PreciseCut",
    "QueryItemVectors", "RetrievalScores", "Separation", "TitleScores", "agreeing_cut",
    "alignment_scores", "bcubed_f1", "best_cut", "cluster_index", "cluster_samples",
    "cluster_scores", "cut_scores", "dunn", "estimate", "join_similarities", "keyword_coherence",
    "keyword_diversity", "mean_estimate", "negative_hardness", "pair_scores",
    "precise_cut", "prefix_dims", "rank_documents", "relational_similarity", "resample_weights",
    "retrieval_scores", "silhouette", "stability", "title_scores",
]  # fmt: skip
