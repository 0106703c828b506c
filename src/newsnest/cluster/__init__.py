"""Vectors → hierarchy: exact average linkage, level by level. Sees arrays only, never text."""

from newsnest.cluster.calibration import (
    auto_levels,
    auto_time_scale,
    calibration_digest,
    default_time_weight,
)
from newsnest.cluster.finest import FinestClusterer, PredictingRAC, finest_clusterer
from newsnest.cluster.incremental import IncrementalRAC
from newsnest.cluster.kmeans import SphericalKMeans, pair_vectors
from newsnest.cluster.levels import LevelwiseRAC, Order, group_means, nest_levels
from newsnest.cluster.rac import RAC
from newsnest.cluster.rac_engine import agglomerate, agglomerate_rows, compile_kernels
from newsnest.cluster.reduction import REDUCERS, Reducer, Reduction
from newsnest.cluster.story_map import story_map
from newsnest.cluster.views import Frame, fit_frame, level_vectors

__all__ = [
    "RAC",
    "REDUCERS",
    "FinestClusterer",
    "Frame",
    "IncrementalRAC",
    "LevelwiseRAC",
    "Order",
    "PredictingRAC",
    "Reducer",
    "Reduction",
    "SphericalKMeans",
    "agglomerate",
    "agglomerate_rows",
    "auto_levels",
    "auto_time_scale",
    "calibration_digest",
    "compile_kernels",
    "default_time_weight",
    "finest_clusterer",
    "fit_frame",
    "group_means",
    "level_vectors",
    "nest_levels",
    "pair_vectors",
    "story_map",
]
