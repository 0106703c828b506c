"""Stories as the partition of a tree that evidence makes most likely.

A cut at one similarity asks the same of every merge. Here each merge is judged by what is known of
its two sides, and of all partitions whose clusters are nodes of the tree the one with the largest
sum of (probability − ½), each merge weighted by the size of its sides, is taken.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from newsnest.cluster import tree_kernels as trees
from newsnest.cluster.evidence import Evidence
from newsnest.cluster.rac_engine import Merges, agglomerate_rows, by_weight
from newsnest.cluster.story_odds import StoryRule, probability
from newsnest.errors import ParameterError, did_you_mean
from newsnest.progress import SILENT, Progress
from newsnest.types import Floats, Grain, Ints, Vectors

GRAINS: Mapping[Grain, float] = {"finest": -3.0, "finer": -1.0, "default": 0.0, "coarser": 1.0}
"""What a grain adds to the log-odds of every merge."""

_WHOLE_TREE = 20_000  # texts: of more, what is less similar than _FLOOR is never joined
_FLOOR = 0.1


@dataclass(frozen=True, slots=True)
class StoryTree:
    """A judged tree of n texts: all that is needed to cut it again.

    Parameters
    ----------
    merges
        The tree.
    weights
        float64 (n,): how many articles each text stands for.
    log_odds
        float64 (m,): that the two sides of a merge are one story.
    likeness
        float64 (m,): mean similarity of the two sides by text and date alone.
    """

    merges: Merges
    weights: Floats
    log_odds: Floats
    likeness: Floats

    def cut(self, grain: Grain = "default") -> "StoryCut":
        """Return the most likely partition, with `GRAINS[grain]` added to all log-odds."""
        n = len(self.weights)
        children = trees.children_of(self.merges.pairs, n)
        size = trees.sizes_of_merges(children, self.weights)
        likely = probability(self.log_odds + GRAINS[grain])
        gain = np.concatenate([np.zeros(n), size * (likely - 0.5)])
        cluster = trees.best_partition(children, trees.accumulated(children, gain))
        made = cluster[n:] >= 0
        merges = self.merges.kept(made, by_weight(cluster[:n], self.weights))
        sure = float(np.average(np.maximum(likely, 1 - likely), weights=size)) if len(size) else 1.0
        return StoryCut(merges, _agreeing_cut(self.likeness, made, size), sure)


@dataclass(frozen=True, slots=True)
class StoryCut:
    """Stories, and how they were cut.

    Parameters
    ----------
    merges
        Those within stories, and the stories as labels.
    min_similarity
        The one cosine of text and date that agrees best with what was joined and what was not: for
        articles that come later, and for people.
    confidence
        Mean probability of the decisions taken, in [½, 1], by the size of what was decided.
    """

    merges: Merges
    min_similarity: float
    confidence: float


def _agreeing_cut(likeness: Floats, made: np.ndarray, size: Floats) -> float:
    """Return the similarity above which merges were made, with as little weight wrong as can be."""
    if not len(likeness):
        return 1.0
    order = np.argsort(-likeness, kind="stable")
    # Cutting after the first k: right are the made ones above and the others below.
    right = np.cumsum(np.where(made[order], size[order], -size[order]))
    best = int(np.argmax(np.concatenate([[0.0], right])))
    above = likeness[order[best - 1]] if best else 1.0
    below = likeness[order[best]] if best < len(order) else above
    return float(np.clip((above + below) / 2, -1.0, 1.0))


@dataclass(frozen=True, slots=True)
class _Judge:
    """Links some of the texts, and judges every merge."""

    rows: Vectors  # as `Evidence.rows` returns them
    tenth: Vectors
    evidence: Evidence
    weights: Floats
    rule: StoryRule
    sharing: float
    settings: Mapping[str, Any]  # `exact` and `progress`, as of `agglomerate`

    def __call__(self, members: Ints) -> StoryTree:
        whole = len(members) == len(self.rows)
        rows = self.rows if whole else np.ascontiguousarray(self.rows[members])
        evidence = self.evidence if whole else self.evidence.among(members)
        weights = self.weights[members]
        lowest = -1.0 if len(rows) <= _WHOLE_TREE else _FLOOR
        merges = agglomerate_rows(rows, weights, min_similarity=lowest, **self.settings)
        judged, likeness = evidence.merges(merges, weights, self.tenth[members])
        odds = self.rule.log_odds(judged, self.sharing)
        return StoryTree(merges, weights, _as_kept(odds), _as_kept(likeness))


def _as_kept(values: Floats) -> Floats:
    """Round to what a nest keeps, so that a tree which is read back is cut alike."""
    return values.astype(np.float32).astype(np.float64)


@dataclass(slots=True)
class StoryCutter:
    """Cuts the stories of texts, of all at once or within coarser clusters.

    Made by `of` from evidence, and by `again` from a tree that was judged before.

    Parameters
    ----------
    judge
        Returns the judged tree of some of the texts, int (k,).
    sharing
        Share of the texts that seem to have a partner, in [0, 1].
    grain
        One of `GRAINS`.
    rule
        By which trees are judged; None where that was before.
    tree
        What was cut last.
    cuts
        Of every call.
    """

    judge: Callable[[Ints], StoryTree]
    sharing: float
    grain: Grain
    rule: StoryRule | None = None
    tree: StoryTree | None = None
    cuts: list[StoryCut] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        evidence: Evidence,
        weights: Floats,
        rule: StoryRule,
        *,
        grain: Grain = "default",
        exact: bool | None = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Look at the neighbours of all texts.

        Parameters
        ----------
        evidence
            Of the texts.
        weights
            float64 (n,): how many articles each stands for.
        rule
            Judges merges.
        grain
            As of the class.
        exact, progress
            As of `agglomerate`.

        Raises
        ------
        ParameterError
            If there is no such grain.
        """
        check_grain(grain)
        rows, neighbour, tenth = evidence.rows(exact=exact, progress=progress)
        sharing = rule.sharing(evidence.nearest(neighbour)) if len(rows) > 1 else 0.0
        settings = {"exact": exact, "progress": progress}
        judge = _Judge(rows, tenth, evidence, weights, rule, sharing, settings)
        return cls(judge, sharing, grain, rule)

    @classmethod
    def again(cls, tree: StoryTree, sharing: float, *, grain: Grain = "default") -> Self:
        """Cut a tree of all texts again, whose `sharing` is known.

        Raises
        ------
        ParameterError
            If there is no such grain.
        """
        check_grain(grain)
        return cls(lambda _: tree, sharing, grain)

    def __call__(self, members: Ints) -> Merges:
        """Return merges within stories among some texts, and the stories as labels."""
        self.tree = self.judge(members)
        self.cuts.append(self.tree.cut(self.grain))
        return self.cuts[-1].merges

    @property
    def min_similarity(self) -> float:
        """The cosine that agrees best with what was cut, the mean of all calls by their merges."""
        counts = [len(cut.merges.pairs) + 1 for cut in self.cuts]
        return float(np.average([cut.min_similarity for cut in self.cuts], weights=counts))

    @property
    def confidence(self) -> float:
        """Mean probability of the decisions taken, in [½, 1]."""
        counts = [len(cut.merges.labels) for cut in self.cuts]
        return float(np.average([cut.confidence for cut in self.cuts], weights=counts))


def check_grain(grain: Grain) -> None:
    """Raise ParameterError unless there is such a grain."""
    if grain not in GRAINS:
        raise ParameterError(
            f"StoryCutter: grain must be one of {', '.join(GRAINS)}, got {grain!r}."
            f"{did_you_mean(grain, GRAINS)} Choose one of these."
        )
