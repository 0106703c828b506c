"""Vectors → hierarchy: exact average linkage, level by level. Sees arrays only, never text.

Names are imported on first use: many of the modules load numba or scikit-learn.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from newsnest.errors import ParameterError

if TYPE_CHECKING:
    from newsnest.cluster.calibration import (
        auto_levels,
        auto_time_scale,
        calibration_digest,
        default_time_weight,
    )
    from newsnest.cluster.finest import FinestClusterer, PredictingRAC, finest_clusterer
    from newsnest.cluster.incremental import IncrementalRAC
    from newsnest.cluster.kmeans import SphericalKMeans, pair_vectors
    from newsnest.cluster.levels import LevelwiseRAC, group_means, nest_levels
    from newsnest.cluster.rac import RAC
    from newsnest.cluster.rac_engine import agglomerate, agglomerate_rows, compile_kernels
    from newsnest.cluster.reduction import REDUCERS, Reduction
    from newsnest.cluster.story_map import story_map
    from newsnest.cluster.views import Frame, fit_frame, level_vectors
    from newsnest.types import Order, Reducer

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

_HOMES = {
    "cluster.calibration": "auto_levels auto_time_scale calibration_digest default_time_weight",
    "cluster.finest": "FinestClusterer PredictingRAC finest_clusterer",
    "cluster.incremental": "IncrementalRAC",
    "cluster.kmeans": "SphericalKMeans pair_vectors",
    "cluster.levels": "LevelwiseRAC group_means nest_levels",
    "cluster.rac": "RAC",
    "cluster.rac_engine": "agglomerate agglomerate_rows compile_kernels",
    "cluster.reduction": "REDUCERS Reduction",
    "cluster.story_map": "story_map",
    "cluster.views": "Frame fit_frame level_vectors",
    "types": "Order Reducer",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    for home, names in _HOMES.items():
        if name in names.split():
            globals()[name] = getattr(import_module(f"newsnest.{home}"), name)
            return globals()[name]
    raise AttributeError(f"module 'newsnest.cluster' has no attribute '{name}'")


class _Package(ModuleType):
    """The package itself: called by mistake, it says what to call."""

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise ParameterError(
            "newsnest.cluster is a package. To cluster texts call Nester().fit(texts)."
        )


sys.modules[__name__].__class__ = _Package
