"""Vectors → hierarchy: exact average linkage, level by level. Sees arrays only, never text.

Names are imported on first use: to choose a clusterer or to read the calibrated rules loads neither
numba nor scikit-learn.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from newsnest.errors import ParameterError

if TYPE_CHECKING:
    from newsnest.cluster.calibration import (
        SHARES,
        CoarseRule,
        Rule,
        auto_levels,
        auto_time_scale,
        calibration_digest,
        coarse_rule,
        default_time_weight,
        news_share,
        rule_for,
        tell_apart,
        time_share,
    )
    from newsnest.cluster.evidence import TIME_WEIGHT, Evidence, SharedWords
    from newsnest.cluster.finest import FinestClusterer, finest_clusterer
    from newsnest.cluster.incremental import IncrementalRAC
    from newsnest.cluster.kmeans import SphericalKMeans, pair_vectors
    from newsnest.cluster.levels import Linked, link_level, nest_levels
    from newsnest.cluster.persistence import lasting_similarity
    from newsnest.cluster.rac import RAC, LevelwiseRAC
    from newsnest.cluster.rac_engine import Merges, agglomerate, agglomerate_rows, compile_kernels
    from newsnest.cluster.reduction import REDUCERS, Reduction, story_map
    from newsnest.cluster.rows import group_means
    from newsnest.cluster.story_cut import GRAINS, StoryCutter, StoryTree
    from newsnest.cluster.story_fit import JudgedCorpus, fit_story_rule
    from newsnest.cluster.story_odds import StoryRule, story_rule
    from newsnest.cluster.views import Frame, fit_frame, level_vectors

__all__ = [
    "GRAINS", "RAC", "REDUCERS", "SHARES", "TIME_WEIGHT", "CoarseRule", "Evidence",
    "FinestClusterer", "Frame", "IncrementalRAC", "JudgedCorpus", "LevelwiseRAC", "Linked",
    "Merges", "Reduction", "Rule", "SharedWords", "SphericalKMeans", "StoryCutter", "StoryRule",
    "StoryTree", "agglomerate", "agglomerate_rows", "auto_levels", "auto_time_scale",
    "calibration_digest", "coarse_rule", "compile_kernels", "default_time_weight",
    "finest_clusterer", "fit_frame", "fit_story_rule", "group_means", "lasting_similarity",
    "level_vectors", "link_level", "nest_levels", "news_share", "pair_vectors", "rule_for",
    "story_map", "story_rule", "tell_apart", "time_share",
]  # fmt: skip

_HOMES = {
    "evidence": ("TIME_WEIGHT", "Evidence", "SharedWords"),
    "finest": ("FinestClusterer", "finest_clusterer"),
    "incremental": ("IncrementalRAC",),
    "kmeans": ("SphericalKMeans", "pair_vectors"),
    "levels": ("Linked", "link_level", "nest_levels"),
    "persistence": ("lasting_similarity",),
    "rac": ("RAC", "LevelwiseRAC"),
    "rac_engine": ("Merges", "agglomerate", "agglomerate_rows", "compile_kernels"),
    "reduction": ("REDUCERS", "Reduction", "story_map"),
    "rows": ("group_means",),
    "story_cut": ("GRAINS", "StoryCutter", "StoryTree"),
    "story_fit": ("JudgedCorpus", "fit_story_rule"),
    "story_odds": ("StoryRule", "story_rule"),
    "views": ("Frame", "fit_frame", "level_vectors"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # or every misspelt name would pass

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'newsnest.cluster' has no attribute '{name}'")
        # All that is in no other module is in that of the rules.
        home = import_module(f"newsnest.cluster.{_HOME.get(name, 'calibration')}")
        return getattr(home, name)

    def __dir__() -> list[str]:
        return list(__all__)


class _Package(ModuleType):
    """The package itself: called by mistake, it says what to call."""

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise ParameterError(
            "newsnest.cluster is a package. To cluster texts call Nester().fit(texts)."
        )


sys.modules[__name__].__class__ = _Package
