"""What a check of a nest found, and what makes vectors, merges and trees whole."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from newsnest.nest.records import KeptTree
from newsnest.types import Floats, Vectors

_UNIT = 1e-2  # as far from 1 as `encode_cached` lets the square of a length be


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written.

    Parameters
    ----------
    part
        A table of the nest, or "file".
    id
        Of the row, such as the id of an article; "" where it is the whole part.
    problem
        What is wrong, in words.
    """

    part: str
    id: str
    problem: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of `Nest.check`.

    Parameters
    ----------
    counts
        How much there is of articles, vectors, runs, and of vectors without a digest: those that
        an older newsnest wrote.
    faults
        None where the nest is whole.
    """

    counts: Mapping[str, int]
    faults: tuple[Fault, ...]


def vector_fault(vector: Vectors) -> str:
    """Return what is wrong with the vector of a text, "" if nothing is."""
    length = float(np.dot(vector, vector))
    if not np.isfinite(length):
        return "has NaN or infinity"
    return "" if abs(length - 1.0) <= _UNIT else f"has length {length**0.5:.3g}, not 1"


def linkage_fault(linkage: Floats, leaves: int, clusters: int) -> str:
    """Return what is wrong with the merges of a level, SciPy-style, "" if nothing is.

    `leaves` is how many clusters they start from, `clusters` how many they leave.
    """
    sides = linkage[:, :2].astype(np.int64)
    made = leaves + np.arange(len(linkage))[:, None]
    if not np.isfinite(linkage).all():
        return "has NaN or infinity"
    if (sides < 0).any() or (sides >= made).any():
        return "joins a cluster that is not there yet"
    if len(np.unique(sides)) != sides.size:
        return "joins a cluster twice"
    if leaves - len(linkage) != clusters:
        return f"leaves {leaves - len(linkage):,} clusters, not {clusters:,}"
    return ""


def tree_fault(tree: KeptTree) -> str:
    """Return what is wrong with the tree stories were cut from, "" if nothing is."""
    texts, (low, high) = len(tree.sections), tree.pairs.T
    parts = (tree.similarity, tree.log_odds, tree.likeness)
    if any(len(part) != len(tree.pairs) for part in parts):
        return "has merges without their numbers"
    if (low < 0).any() or (high <= low).any() or (high >= texts).any():
        return "joins a text that is not there"
    gone = np.full(texts, len(tree.pairs))
    gone[high] = np.arange(len(high))  # a cluster is named by its lowest text
    if len(np.unique(high)) != len(high) or (gone[low] < np.arange(len(low))).any():
        return "joins a cluster twice"
    return "" if all(np.isfinite(part).all() for part in parts) else "has NaN or infinity"
