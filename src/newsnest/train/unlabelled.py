"""What trainings without labels share: noise for texts, and scores against gold, never used."""

from collections.abc import Callable, Sequence

import numpy as np
import regex
from sklearn.cluster import KMeans

from newsnest.evaluate import cluster_scores
from newsnest.progress import Progress
from newsnest.types import Vectors

_STARTS = 5

# Scripts written without spaces: what reads there as a word is not marked, so that one character,
# with the marks on it, is what is deleted.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}ー"
_BREAKS = r"\s\x1c-\x1f"  # as str.split: separators of files and records are no words
_PIECE = regex.compile(rf"(?=[{_UNSPACED}])\X|[^{_BREAKS}{_UNSPACED}]+", regex.V1)
_SPACE = regex.compile(rf"[{_BREAKS}]")


def delete_words(text: str, share: float, rng: np.random.Generator) -> str:
    """Return a text without a share of its words, drawn anew at each call.

    Words are what stands between spaces; in scripts written without spaces, single characters.
    What is left keeps its order and stands apart where it stood apart. Of n words round(share · n)
    are deleted, and n − 1 at most; `rng` is drawn from once a call.

    Source: TSDAE (arXiv 2104.06979), deletion with ratio .6. Differs from the source in deleting an
    exact share instead of each word with that probability, and in scripts without spaces.

    Example
    -------
    >>> delete_words("the sea wall was breached", 0.6, np.random.default_rng(0))
    'was breached'
    """
    words = list(_PIECE.finditer(text))
    lost = min(round(share * len(words)), len(words) - 1)
    if lost <= 0:
        return text
    kept = np.sort(rng.choice(len(words), len(words) - lost, replace=False)).tolist()
    out: list[str] = []
    end = 0
    for place in kept:
        word = words[place]
        if out and _SPACE.search(text, end, word.start()):
            out.append(" ")
        out.append(word.group())
        end = word.end()
    return "".join(out)


class AgainstGold:
    """Scores k-means of vectors against gold labels, k the number of classes.

    `gold` is a label per text, None where there is none; without labels there are no scores. Of
    several starts of k-means the best counts. `scores`: k, nmi and accuracy by the name of the
    look, ready for JSON.

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
