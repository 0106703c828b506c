"""Noise for texts in any script: delete a share of the words."""

import numpy as np
import regex

# Scripts written without spaces: what reads there as a word is not marked, so that one character,
# with the marks on it, is what is deleted.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}ー"
_BREAKS = r"\s\x1c-\x1f"  # as str.split: separators of files and records are no words
_PIECE = regex.compile(rf"(?=[{_UNSPACED}])\X|[^{_BREAKS}{_UNSPACED}]+", regex.V1)
_SPACE = regex.compile(rf"[{_BREAKS}]")


def delete_words(text: str, share: float, rng: np.random.Generator) -> str:
    """Return a text without a share of its words, drawn anew at each call.

    Words are what stands between spaces; in scripts written without spaces, single characters.
    What is left keeps its order and stands apart where it stood apart.

    Parameters
    ----------
    text
        Any text.
    share
        In [0, 1): of n words, round(share · n) are deleted, and n − 1 at most.
    rng
        Drawn from once a call.

    Notes
    -----
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
