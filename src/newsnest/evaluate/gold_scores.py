"""What every gold cluster adds to B-cubed and pair scores: so that some of them can be scored."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from newsnest.types import Flags, Floats, Ints, Labels


@dataclass(frozen=True, slots=True)
class GoldScores:
    """Scores of one clustering, by the k gold clusters whose articles they are of.

    Parameters
    ----------
    precision, recall
        float64 (k,): B-cubed, summed over the articles of each gold cluster.
    right, found
        float64 (k,): partners of those articles in their cluster, of their gold cluster and of any,
        summed over articles.
    sizes
        float64 (k,): articles of each gold cluster.
    """

    precision: Floats
    recall: Floats
    right: Floats
    found: Floats
    sizes: Floats

    @classmethod
    def of(cls, labels: Ints | Labels, gold: Ints, k: int) -> Self:
        """Score labels of n articles, (n,) from 0 on, against gold ones, (n,) in [0, k).

        Example
        -------
        >>> own = GoldScores.of(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), 2)
        >>> one = np.ones((1, 2))
        >>> own.bcubed_f1(one).round(3).tolist(), own.pair_f1(one).tolist()
        ([0.706], [0.4])
        """
        # One number for cluster and label: sorting numbers is much faster than sorting rows.
        cell, count = np.unique(labels.astype(np.int64) * k + gold, return_counts=True)
        cluster, label = np.divmod(cell, k)
        held = np.bincount(cluster, count)[cluster]
        sizes = np.bincount(gold, minlength=k).astype(np.float64)
        square = count.astype(np.float64) ** 2

        def by_gold(values: Floats) -> Floats:
            return np.asarray(np.bincount(label, values, minlength=k), np.float64)

        return cls(
            precision=by_gold(square / held),
            recall=by_gold(square) / np.maximum(sizes, 1.0),
            right=by_gold(square - count),
            found=by_gold(count * (held - 1.0)),
            sizes=sizes,
        )

    def where(self, chosen: Flags, other: Self) -> Self:
        """Return the other's scores for the chosen gold clusters, bool (k,), and ours elsewhere."""
        return type(self)(
            *(
                np.where(chosen, getattr(other, own.name), getattr(self, own.name))
                for own in fields(self)
            )
        )

    def bcubed_f1(self, weights: Floats) -> Floats:
        """Return the B-cubed F1, (m,); `weights`, (m, k): how often each gold cluster counts."""
        articles = weights @ self.sizes
        return _f1(weights @ self.precision / articles, weights @ self.recall / articles)

    def pair_f1(self, weights: Floats) -> Floats:
        """Return the pair F1, (m,), 1 where no pair is together in either; `weights` as above."""
        right, found = weights @ self.right, weights @ self.found
        wanted = weights @ (self.sizes * (self.sizes - 1.0))
        total = found + wanted
        return np.where(total > 0.0, 2.0 * right / np.maximum(total, 1.0), 1.0)


def _f1(precision: Floats, recall: Floats) -> Floats:
    f1: Floats = 2 * precision * recall / (precision + recall)
    return f1
