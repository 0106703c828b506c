"""Every word of every text, flat, and what is left of each spelling without its neighbours."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from newsnest.describe import proclitics, segment, stopwords, tokens
from newsnest.progress import Progress
from newsnest.types import Flags

Small = NDArray[np.int32]  # for arrays with one entry per occurrence

_CHUNK = 10_000


@dataclass(frozen=True)
class Occurrences:
    """Every word of every text, flat: `spelling[i]` occurs in text `row[i]`."""

    spelling: Small
    row: Small
    texts: int
    spellings: tuple[str, ...]
    languages: tuple[str, ...]

    @cached_property
    def pairs(self) -> Flags:
        """Mark spellings that are pairs of characters, in want of words."""
        cut = {language: _splitter(language) is not None for language in {*self.languages}}
        found = zip(self.spellings, self.languages, strict=True)
        return np.array([tokens.is_pair(word) and not cut[lang] for word, lang in found], bool)


class _Numbers(dict[str, int]):
    """Numbers strings as they are first met, in a list shared between languages."""

    def __init__(self, language: str, met: list[tuple[str, str]]) -> None:
        self.language = language
        self.met = met

    def __missing__(self, spelling: str) -> int:
        number = self[spelling] = len(self.met)
        self.met.append((spelling, self.language))
        return number


def read_words(
    texts: Sequence[str], languages: Sequence[str], max_characters: int, progress: Progress
) -> Occurrences:
    """Find the words of texts, of each those in its first characters."""
    met: list[tuple[str, str]] = []
    vocabularies: dict[str, _Numbers] = {}
    numbers, lengths = array("i"), array("i")
    splitters = {language: _splitter(language) for language in set(languages)}
    with progress.start("reading words", len(texts), "texts") as task:
        for done, (text, language) in enumerate(zip(texts, languages, strict=True), start=1):
            numbered = vocabularies.get(language)
            if numbered is None:
                numbered = vocabularies[language] = _Numbers(language, met)
            found = tokens.spellings(text[:max_characters], splitters[language])
            found.append(tokens.BREAK)
            numbers.extend(map(numbered.__getitem__, found))
            lengths.append(len(found))
            if done % _CHUNK == 0:
                task.advance(_CHUNK)
        task.advance(len(texts) % _CHUNK)
    return Occurrences(
        spelling=np.array(numbers, dtype=np.int32),
        row=np.repeat(np.arange(len(texts), dtype=np.int32), np.array(lengths, dtype=np.int64)),
        texts=len(texts),
        spellings=tuple(spelling for spelling, _ in met),
        languages=tuple(language for _, language in met),
    )


def _splitter(language: str) -> segment.Split | None:
    return segment.splitter(stopwords.base_language(language))


def bare_words(found: Occurrences) -> list[str]:
    """Return each spelling without what belongs to the words around it."""
    codes = [stopwords.base_language(language) for language in found.languages]
    bares = [tokens.bare(word, code) for word, code in zip(found.spellings, codes, strict=True)]
    at = [n for n, c in enumerate(codes) if c == "ko" and tokens.is_hangul(found.spellings[n])]
    if at and segment.tokenizer("ko"):
        for number, noun in zip(at, segment.korean_nouns(bares[n] for n in at), strict=True):
            bares[number] = noun
    if prefixed := [n for n, code in enumerate(codes) if code in proclitics.LANGUAGES]:
        count = np.bincount(found.spelling, minlength=len(bares))
        known = {bares[n]: int(count[n]) for n in prefixed}
        for number in prefixed:
            bares[number] = proclitics.without_proclitics(bares[number], codes[number], known)
    return bares
