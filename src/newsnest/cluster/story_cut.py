"""Stories as the partition of a tree that evidence makes most likely.

A cut at one similarity asks the same of every merge. Here each merge is judged by what is known of
its two sides, and of all partitions whose clusters are nodes of the tree the one with the largest
sum of (probability − ½), each merge weighted by the size of its sides, is taken.
"""

from collections.abc import Mapping
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

GRAINS: Mapping[Grain, float] = {"finest": -2.0, "finer": -1.0, "default": 0.0, "coarser": 1.0}
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
        total = trees.sums(children, self.weights)
        a, b = total[children].T
        size = a * b / (a + b)
        likely = probability(self.log_odds + GRAINS[grain])
        gain = np.concatenate([np.zeros(n), size * (likely - 0.5)])
        cluster = trees.best_partition(children, trees.accumulated(children, gain))
        made = cluster[n:] >= 0
        merges = self.merges.kept(made, by_weight(cluster[:n], self.weights))
        sure = float(np.average(np.maximum(likely, 1 - likely), weights=size)) if len(a) else 1.0
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


@dataclass(slots=True)
class StoryCutter:
    """Cuts the stories of texts, of all at once or within coarser clusters; made by `of`.

    Parameters
    ----------
    rows, tenth
        As `Evidence.rows` returns them.
    evidence
        Of the texts.
    weights
        float64 (n,): how many articles each stands for.
    rule
        Judges merges.
    sharing
        Share of the texts that seem to have a partner, in [0, 1].
    grain
        One of `GRAINS`.
    settings
        `exact` and `progress`, as of `agglomerate`.
    tree
        What was cut last.
    cuts
        Of every call.
    """

    rows: Vectors
    tenth: Vectors
    evidence: Evidence
    weights: Floats
    rule: StoryRule
    sharing: float
    grain: Grain
    settings: Mapping[str, Any]
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
        """Look at the neighbours of all texts; parameters as of the class.

        Raises
        ------
        ParameterError
            If there is no such grain.
        """
        check_grain(grain)
        rows, neighbour, tenth = evidence.rows(exact=exact, progress=progress)
        sharing = rule.sharing(evidence.nearest(neighbour)) if len(rows) > 1 else 0.0
        settings = {"exact": exact, "progress": progress}
        return cls(rows, tenth, evidence, weights, rule, sharing, grain, settings)

    def __call__(self, members: Ints) -> Merges:
        """Return merges within stories among some texts, and the stories as labels."""
        whole = len(members) == len(self.rows)
        rows = self.rows if whole else np.ascontiguousarray(self.rows[members])
        evidence = self.evidence if whole else self.evidence.among(members)
        weights = self.weights[members]
        lowest = -1.0 if len(rows) <= _WHOLE_TREE else _FLOOR
        merges = agglomerate_rows(rows, weights, min_similarity=lowest, **self.settings)
        judged, likeness = evidence.merges(merges, weights, self.tenth[members])
        odds = self.rule.log_odds(judged, self.sharing)
        self.tree = StoryTree(merges, weights, odds, likeness)
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
