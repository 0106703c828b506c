"""Scores of vectors against gold labels before and after a training: reported, never used."""

from collections.abc import Callable, Sequence

from sklearn.cluster import KMeans

from newsnest.evaluate import cluster_scores
from newsnest.progress import Progress
from newsnest.types import Vectors

_STARTS = 5


class AgainstGold:
    """Scores k-means of vectors against gold labels, k the number of classes; none, no scores.

    Parameters
    ----------
    gold
        A label per text, None where there is none; None: there are no labels.
    seed
        Of the starts of k-means, of which the best counts.

    Attributes
    ----------
    scores : dict
        k, nmi and accuracy by the name of the look; ready for JSON.

    Example
    -------
    >>> import numpy as np
    >>> against = AgainstGold(["a", "b", None], seed=0)
    >>> against.look("before", lambda: np.eye(3, dtype=np.float32)[[0, 1, 1]])
    >>> against.scores
    {'before': {'k': 2, 'nmi': 1.0, 'accuracy': 1.0}}
    """

    def __init__(self, gold: Sequence[str | None] | None, *, seed: int) -> None:
        self.gold, self.seed = gold or (), seed
        self.k = len(set(filter(None, self.gold)))
        self.scores: dict[str, dict[str, float]] = {}

    def look(self, name: str, encode: Callable[[], Vectors]) -> None:
        """Score the vectors (n, d) that `encode` returns; it is not called without labels."""
        if not self.k:
            return
        labels = KMeans(self.k, n_init=_STARTS, random_state=self.seed).fit_predict(encode())
        found = cluster_scores(labels, self.gold)
        self.scores[name] = {
            "k": self.k,
            "nmi": round(found.nmi, 5),
            "accuracy": round(found.accuracy, 5),
        }

    def report(self, progress: Progress) -> None:
        """Report the scores, in the order of the looks."""
        if self.scores:
            each = "; ".join(
                f"{name} NMI {own['nmi']:.3f}, ACC {own['accuracy']:.3f}"
                for name, own in self.scores.items()
            )
            progress.note(f"k-means against gold (reported, never used): {each}")
