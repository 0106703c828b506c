"""The levels an encoder is trained at: a prefix of the embedding for theme, topic and story."""

from collections.abc import Sequence
from dataclasses import dataclass

from newsnest.errors import ParameterError


@dataclass(frozen=True, slots=True)
class TrainingLevel:
    """One level of training.

    Parameters
    ----------
    name
        "theme", "topic", "story", or a name of your own.
    dims
        How many leading dimensions belong to this level; even.
    min_score
        From this similarity on a pair is alike at this level.
    """

    name: str
    dims: int
    min_score: float


def training_levels(dimensions: int) -> tuple[TrainingLevel, ...]:
    """Return theme, topic and story at d/4, d/2 and d.

    A pair is alike at a level from the middle between two grades on (0, .25, .5, .75 are very and
    somewhat dissimilar, somewhat and very similar), so the mean of several people's grades counts
    as the grade next to it.

    Parameters
    ----------
    dimensions
        d, a multiple of 8: every prefix is even.

    Raises
    ------
    ParameterError
        If d is no positive multiple of 8.

    Example
    -------
    >>> [(level.name, level.dims, level.min_score) for level in training_levels(384)]
    [('theme', 96, 0.125), ('topic', 192, 0.375), ('story', 384, 0.625)]
    """
    if dimensions < 8 or dimensions % 8:
        raise ParameterError(
            f"training_levels: dimensions must be a multiple of 8, got {dimensions}. "
            "Give levels of your own with even prefixes."
        )
    return (
        TrainingLevel("theme", dimensions // 4, 0.125),
        TrainingLevel("topic", dimensions // 2, 0.375),
        TrainingLevel("story", dimensions, 0.625),
    )


def check_levels(levels: Sequence[TrainingLevel], dimensions: int | None) -> None:
    """Raise unless levels go from coarse to fine and fit into an embedding."""
    caller = "LevelwiseMatryoshkaLoss: levels must"
    if not levels:
        raise ParameterError(f"{caller} hold one at least, got none. Use training_levels(d).")
    for level in levels:
        if level.dims < 2 or level.dims % 2:
            raise ParameterError(
                f"{caller} have even prefixes of 2 dimensions or more, got {level.dims} for "
                f"{level.name}. Choose another prefix."
            )
        if dimensions is not None and level.dims > dimensions:
            raise ParameterError(
                f"{caller} fit into the embedding of {dimensions} dimensions, got {level.dims} "
                f"for {level.name}. Use training_levels({dimensions})."
            )
    dims = [level.dims for level in levels]
    cuts = [level.min_score for level in levels]
    if dims != sorted(set(dims)) or cuts != sorted(cuts):
        raise ParameterError(
            f"{caller} go from coarse to fine, more dimensions and a higher min_score each, "
            f"got {dims} and {cuts}. Sort them."
        )
