"""Which settings a study may try, when they mean something, and what they make of a pipeline."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, Union, get_args, get_origin, get_type_hints

from newsnest.cluster import Reduction, finest_clusterer
from newsnest.errors import ParameterError
from newsnest.pipeline import Options
from newsnest.study.space import Space, Value
from newsnest.train.recipes.pairs import PairsSettings
from newsnest.train.settings import parse_settings, setting_fields, written

Params = Mapping[str, Value]

PIPELINE: Mapping[str, type] = {
    "clusterer": str,
    "hdbscan_size": int,
    "kmeans_clusters": int,
    "reduce": str,
    "dims": int,
    "order": str,
    "centre": str,
    "min_similarity.theme": float,
    "min_similarity.topic": float,
    "min_similarity.story": float,
    "time_weight": float,
    "time_scale": float,
    "long_texts": str,
    "keep_copies": bool,
}
"""Of the stage `pipeline`, in the order in which they are asked for; ranges are for numbers."""

MEASURED = (*(name for name in PIPELINE if "min_similarity" in name), "time_weight", "time_scale")
"""What newsnest measures where nobody says it."""

KEYWORDS: Mapping[str, type] = {"keyword_terms": int, "keyword_characters": int}
"""Of the stage `keywords`."""

_FIRST = ("loss", "negatives")
_DECIDING = ("clusterer", "reduce", *_FIRST)
_SET_ELSEWHERE = ("seed", "report_to")
_SIZES = {"hdbscan": "hdbscan_size", "kmeans": "kmeans_clusters"}


def training_settings() -> dict[str, type | None]:
    """Return the settings of the recipe `pairs`: int and float may be ranges, None is choices."""
    kinds = get_type_hints(PairsSettings)
    names = [own.name for own in setting_fields(PairsSettings) if own.name not in _SET_ELSEWHERE]
    ordered = [*_FIRST, *(name for name in names if name not in _FIRST)]
    return {name: _number(kinds[name]) for name in ordered}


def _number(kind: Any) -> type | None:
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    return next((own for own in options if own in (int, float)), None)


def asked_in_pipeline(name: str, chosen: Params) -> bool:
    """Tell whether a setting means something beside those chosen before it."""
    clusterer = str(chosen.get("clusterer", "rac"))
    if name in _SIZES.values():
        return _SIZES.get(clusterer) == name
    if name in ("order", "min_similarity.story"):
        return clusterer == "rac"
    return name != "dims" or chosen.get("reduce", "none") != "none"


def asked_in_training(name: str, chosen: Params) -> bool:
    """Tell whether a setting of the recipe means something beside those chosen before it."""
    loss, negatives = str(chosen.get("loss", "mnr")), chosen.get("negatives", 0)
    needs: Mapping[str, bool] = {
        "negatives": loss != "megabatch",
        "mini_batch_size": loss != "mnr",
        "temperature": loss != "megabatch",
        "guide": loss == "guided" or bool(negatives),
        "guide_margin": loss == "guided",
        "positive_margin": loss == "megabatch",
        "negative_margin": loss == "megabatch",
        "mining_margin": bool(negatives),
        "mining_skip": bool(negatives),
    }
    return needs.get(name, True)


def always(name: str, chosen: Params) -> bool:
    """Tell that a setting always means something."""
    return True


ASKED: Mapping[str, Callable[[str, Params], bool]] = {
    "encoders": always,
    "training": asked_in_training,
    "pipeline": asked_in_pipeline,
    "keywords": always,
}


def unasked(stage: str, space: Space) -> str | None:
    """Return a setting that means nothing beside whatever else is tried, None if none is so."""
    every = [space[name].examples for name in _DECIDING if name in space]
    names = [name for name in _DECIDING if name in space]
    chosen = [dict(zip(names, one, strict=True)) for one in product(*every)]
    asked = ASKED[stage]
    return next((name for name in space if not any(asked(name, own) for own in chosen)), None)


def options_with(options: Options, params: Params) -> Options:
    """Return the options of a run changed by what a stage chose.

    Raises
    ------
    ParameterError
        If they do not go together.

    Example
    -------
    >>> options_with(Options(), {"clusterer": "hdbscan", "hdbscan_size": 3}).clusterer
    'hdbscan:3'
    """
    changes: dict[str, Any] = {}
    similar = dict(options.min_similarity)
    for name, value in params.items():
        if name.startswith("min_similarity."):
            similar[name.partition(".")[2]] = float(value)
        elif name not in _SIZES.values():
            changes[name] = value
    size = _SIZES.get(str(params.get("clusterer")))
    if size is not None and size in params:
        changes["clusterer"] = f"{params['clusterer']}:{params[size]}"
    return replace(options, **changes, min_similarity=similar)


def check_pipeline(name: str, value: Value) -> None:
    """Raise ParameterError where a run refuses a value."""
    if name in _SIZES.values():
        kind = next(kind for kind, size in _SIZES.items() if size == name)
        finest_clusterer(f"{kind}:{value}")
    elif name == "clusterer" and value in _SIZES:
        return
    elif name == "reduce":
        Reduction(str(value), None if value == "none" else 2)
    elif name == "dims":
        Reduction("pca", int(value))
    else:
        options_with(Options(), {name: value})


def check_training(name: str, value: Value) -> None:
    """Raise ParameterError where the recipe refuses a value, whatever the other settings are."""
    others = {"mini_batch_size": "loss=cached-mnr", "guide": "loss=guided"}
    beside = [others[name]] if name in others else []
    parse_settings(
        PairsSettings, [*beside, f"{name}={written(value)}"], data=["-"], base="-", output="-"
    )


def assignments(params: Params) -> list[str]:
    """Return settings as `newsnest train pairs --set` reads them.

    Example
    -------
    >>> assignments({"loss": "mnr", "learning_rate": 3.123456789e-05})
    ['loss=mnr', 'learning_rate=3.123456789e-05']
    """
    return [f"{name}={_exact(value)}" for name, value in params.items()]


def _exact(value: Value) -> str:
    return repr(value) if isinstance(value, float) else written(value)


def require_sizes(known: Mapping[str, Any], clusterers: tuple[Value, ...]) -> None:
    """Raise ParameterError where k-means is to be tried and nothing says with how many clusters."""
    if "kmeans" in clusterers and "kmeans_clusters" not in known:
        raise ParameterError(
            "kmeans_clusters must be given with the clusterer kmeans, got none. "
            "Write kmeans_clusters = {low = 10, high = 100}, or kmeans:50."
        )
