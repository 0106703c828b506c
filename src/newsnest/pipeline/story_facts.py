"""How a run says how its stories were cut, and how they can be cut otherwise."""

from collections.abc import Mapping
from typing import Any


def stories_in_words(facts: Mapping[str, Any]) -> str:
    """Return sentences on how the stories of a run were cut, "" where at one similarity.

    Example
    -------
    >>> stories = {"grain": "finer", "expected": 0.3, "sharing": 0.274, "confidence": 0.9}
    >>> print(stories_in_words({"levels": [{"min_similarity": 0.53}], "stories": stories}))
    About 27 % of these articles share a story with another. Stories were cut by what articles \
share, a step finer than by default: 90 % sure, close to a cosine of 0.53.
    """
    if (stories := facts.get("stories")) is None:
        return ""
    grain = _STEPS[stories["grain"]]
    return (
        f"About {stories['sharing']:.0%} of these articles share a story with another. Stories "
        f"were cut by what articles share{grain}: {stories['confidence']:.0%} sure, close to a "
        f"cosine of {facts['levels'][-1]['min_similarity']:.2f}."
    ).replace("%", " %")


_STEPS = {
    "finest": ", as finely as can be chosen",
    "finer": ", a step finer than by default",
    "default": "",
    "coarser": ", a step coarser than by default",
}
