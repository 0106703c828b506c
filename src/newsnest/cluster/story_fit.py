"""Fits the rule for stories to corpora whose stories are known.

Logistic regression with bounds: a piece of evidence counts in its direction or not at all. Without
the bounds, coefficients of opposite signs describe the corpora at hand a little better, and fail on
corpora that are unlike them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import minimize

from newsnest.cluster import tree_kernels as trees
from newsnest.cluster.evidence import MERGE_EVIDENCE, NEAREST_EVIDENCE, Evidence
from newsnest.cluster.rac_engine import Merges, agglomerate_rows
from newsnest.cluster.story_cut import StoryTree
from newsnest.cluster.story_odds import Linear, StoryRule, probability
from newsnest.types import Flags, Floats, Ints

_RIDGE = 3e-4  # on coefficients of evidence scaled to unit deviation, per unit of mean loss
_MODERATE = 0.5  # power of a merge's size that it counts by
_FREE = (-np.inf, np.inf)
_MORE, _LESS = (0.0, np.inf), (-np.inf, 0.0)
_NEAREST: Mapping[str, tuple[float, float]] = {"meaning": _MORE, "words": _MORE}
_TOGETHER: Mapping[str, tuple[float, float]] = {
    "centroid": _MORE,
    "word_centroid": _MORE,
    "height": _MORE,
    "drop_to_child": _LESS,
    "drop_to_parent": _MORE,
    "larger": _FREE,
    "smaller": _FREE,
    "meaning": _MORE,
    "words_max": _MORE,
    "numbers_differ": _LESS,
    "same_outlet": _LESS,
    "contrast": _MORE,
}
# Where most articles stand alone, what has grown large already is no reason to grow on.
_ALONE = {**_TOGETHER, "larger": _LESS, "smaller": _LESS}


@dataclass(frozen=True, slots=True)
class JudgedCorpus:
    """The evidence of a corpus whose stories are known.

    Parameters
    ----------
    name
        Corpora of one name count as much together as those of any other.
    nearest, partner
        float64 (n, 2), `NEAREST_EVIDENCE`; bool (n,): whether the nearest neighbour is of the
        text's story.
    tree
        Of the texts, whole.
    merges, same, size
        Of its merges: float64 (m, 12), `MERGE_EVIDENCE`; (m,): the share of pairs across it that
        are of one story; and (m,): how much it decides.
    likeness
        float64 (m,): similarity of the sides by text and date alone.
    weights
        float64 (n,): how many articles each text stands for.
    """

    name: str
    nearest: Floats
    partner: Flags
    tree: Merges
    merges: Floats
    same: Floats
    size: Floats
    likeness: Floats
    weights: Floats

    @classmethod
    def of(
        cls, name: str, evidence: Evidence, stories: Ints, weights: Floats | None = None
    ) -> Self:
        """Gather evidence and truth.

        `stories` is int64 (n,), n ≥ 2, any numbers; without weights every text is one article.
        """
        n = len(stories)
        weights = np.ones(n) if weights is None else weights
        rows, neighbour, tenth = evidence.rows()
        tree = agglomerate_rows(rows, weights, min_similarity=-1.0)
        children = trees.children_of(tree.pairs, n)
        judged, likeness = evidence.merges(tree, weights, tenth)
        return cls(
            name,
            evidence.nearest(neighbour),
            stories == stories[neighbour],
            tree,
            judged,
            shares_of_pairs(children, stories),
            trees.sizes_of_merges(children, weights),
            likeness,
            weights,
        )

    def judged_by(self, rule: StoryRule) -> StoryTree:
        """Return the tree with the log-odds of a rule."""
        odds = rule.log_odds(self.merges, rule.sharing(self.nearest))
        return StoryTree(self.tree, self.weights, odds, self.likeness)


def shares_of_pairs(children: Ints, stories: Ints) -> Floats:
    """Return the share of pairs across each merge that are of one story, float64 (m,)."""
    counts: list[Counter[int]] = [Counter([story]) for story in stories.tolist()]
    share = np.empty(len(children))
    for step, (i, j) in enumerate(children.tolist()):
        small, large = sorted((counts[i], counts[j]), key=len)
        pairs = small.total() * large.total()
        share[step] = sum(count * large[story] for story, count in small.items()) / pairs
        large.update(small)
        counts.append(large)
        counts[i] = counts[j] = Counter()  # let go
    return share


def fit_story_rule(
    corpora: Sequence[JudgedCorpus], *, prior: StoryRule | None = None, ridge: float = _RIDGE
) -> StoryRule:
    """Return the rule that describes the corpora best, and stays near the prior.

    Parameters
    ----------
    corpora
        At least one.
    prior
        Where coefficients are drawn to; None: to 0.
    ridge
        How strongly, positive.

    Notes
    -----
    Every name counts alike, and every corpus of a name. Deterministic; seconds for a hundred
    thousand merges.
    """
    names = Counter(corpus.name for corpus in corpora)
    partner = _fit(
        np.concatenate([corpus.nearest for corpus in corpora]),
        np.concatenate([corpus.partner for corpus in corpora]).astype(np.float64),
        np.concatenate([_shares(np.ones(len(c.partner)), names[c.name]) for c in corpora]),
        [_NEAREST[name] for name in NEAREST_EVIDENCE],
        [prior.partner] if prior else None,
        ridge,
    )[0]
    sharing = [float(probability(partner.log_odds(corpus.nearest)).mean()) for corpus in corpora]
    mix = np.concatenate([np.full(len(c.same), s) for c, s in zip(corpora, sharing, strict=True)])
    alone, together = _fit(
        np.concatenate([corpus.merges for corpus in corpora]),
        np.concatenate([corpus.same for corpus in corpora]),
        np.concatenate([_shares(c.size**_MODERATE, names[c.name]) for c in corpora]),
        [sides[name] for sides in (_ALONE, _TOGETHER) for name in MERGE_EVIDENCE],
        [prior.alone, prior.together] if prior else None,
        ridge,
        np.column_stack([1.0 - mix, mix]),
    )
    return StoryRule(partner, alone, together)


def _shares(weights: Floats, corpora: int) -> Floats:
    return np.asarray(weights / max(weights.sum(), 1e-9) / corpora)


def _fit(  # noqa: PLR0913
    evidence: Floats,
    truth: Floats,
    weights: Floats,
    bounds: Sequence[tuple[float, float]],
    prior: Sequence[Linear] | None,
    ridge: float,
    mix: Floats | None = None,
) -> list[Linear]:
    """Fit one linear rule, or several of which `mix`, (m, rules), says how much each counts."""
    mix = np.ones((len(evidence), 1)) if mix is None else mix
    weights = weights / weights.sum()
    middle, spread = evidence.mean(axis=0), evidence.std(axis=0)
    spread = np.where(spread > 0.0, spread, 1.0)
    k, rules = evidence.shape[1], mix.shape[1]
    scaled = np.column_stack([(evidence - middle) / spread, np.ones(len(evidence))])
    start = np.zeros((rules, k + 1))
    for row, linear in enumerate(prior or ()):
        coefficients = np.array(linear.coefficients)
        start[row] = [*(coefficients * spread), linear.intercept + coefficients @ middle]
    held = np.full((rules, k + 1), ridge)
    if prior is None:
        held[:, k] = 0.0

    def loss(flat: Floats) -> tuple[float, Floats]:
        beta = flat.reshape(rules, k + 1)
        odds = ((scaled @ beta.T) * mix).sum(axis=1)
        wrong = weights * (probability(odds) - truth)
        away = beta - start
        value = weights @ (np.logaddexp(0.0, odds) - truth * odds) + (held * away**2).sum()
        return float(value), ((mix * wrong[:, None]).T @ scaled + 2 * held * away).ravel()

    limits = [limit for row in range(rules) for limit in (*bounds[row * k : (row + 1) * k], _FREE)]
    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", bounds=limits,
                     options={"maxiter": 500}).x.reshape(rules, k + 1)  # fmt: skip
    return [
        Linear(tuple((row[:k] / spread).tolist()), float(row[k] - (row[:k] / spread) @ middle))
        for row in found
    ]
