"""How a run says how its stories were cut, and how to cut them otherwise."""

import shlex
from collections.abc import Mapping
from typing import Any, get_args

from newsnest.nest import Run
from newsnest.types import Grain

_STEPS = {
    "finest": ", as finely as can be chosen",
    "finer": ", a step finer than by default",
    "default": "",
    "coarser": ", a step coarser than by default",
}


def stories_in_words(facts: Mapping[str, Any]) -> str:
    """Return sentences on how the stories of a run were cut, "" where at one similarity.

    Example
    -------
    >>> stories = {"grain": "finer", "expected": 0.3, "sharing": 0.274, "confidence": 0.9}
    >>> print(stories_in_words({"levels": [{"min_similarity": 0.53}], "stories": stories}))
    About 27 % of these articles share a story with another. Stories are cut by what articles have \
in common, a step finer than by default, 90 % sure, close to a cosine of 0.53.
    """
    if (stories := facts.get("stories")) is None:
        return ""
    whose = " as the model was calibrated" if stories.get("calibrated") else ""
    return (
        f"About {_percent(stories['sharing'])} of these articles share a story with another. "
        f"Stories are cut by what articles have in common{whose}{_STEPS[stories['grain']]}, "
        f"{_percent(stories['confidence'])} sure, close to a cosine of "
        f"{facts['levels'][-1]['min_similarity']:.2f}."
    )


def other_grains(run: Run, nest: str) -> list[tuple[str, str]]:
    """Return what may be wrong with the stories of a run, and the command that cuts them otherwise.

    None where they cannot be cut again; `nest` is the name of its file.
    """
    stories = run.facts.get("stories")
    if stories is None or run.options.get("order") != "fine-to-coarse":
        return []
    grains = get_args(Grain)
    place = grains.index(stories["grain"])
    finer = [("Do stories hold several events?", grain) for grain in grains[:place][-1:]]
    coarser = [("Are events split?", grain) for grain in grains[place + 1 :][:1]]
    command = f"newsnest recut {shlex.quote(nest)} --grain"
    return [(question, f"{command} {grain}") for question, grain in finer + coarser]


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
