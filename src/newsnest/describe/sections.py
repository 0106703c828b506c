"""Sections of the news industry's own taxonomy, IPTC Media Topics, for articles and clusters.

`media_topics.json` holds the 17 top terms, which are the sections, and the terms below them, with
their ids. Under each stand a few example lines in the words of headlines. An article is compared
with the lines of every section twice: by the vectors of whatever encoder the run has, and by words
they share. Nothing is learnt from labelled articles.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from newsnest.describe import tokens
from newsnest.describe.stopwords import FALLBACK, stop_words
from newsnest.errors import ParameterError
from newsnest.types import Floats, Ints, Labels, Vectors

MIXED = "mixed"
"""The section of a cluster that no single section fits."""

# The figures below were chosen on labelled dumps, each of which was then left out in turn.
_SHARPNESS = 12.0  # of the soft maximum over a section's lines: the few nearest decide
_FEWER_LINES = 0.5  # 0 favours sections of many lines, 1 those of few
_WORDS = 0.03  # what one word of a section weighs, in cosines
_UNSEEN = 0.15  # lines that every section is taken to have for every word
_CERTAINTY = 25.0  # turns differences of cosines into probabilities
_FIRST_CERTAINTY = 50.0  # the same, while the corpus is not yet centred
_SOME = 30.0  # articles of a section whose mean counts half towards the centre of the corpus
_CHARACTERS = 400  # of each article: news names its subject first
_SHARE = 0.4  # of a cluster, that its section must have …
_LEAD = 1.5  # … and how many times the share of the next section


@dataclass(frozen=True, slots=True)
class Section:
    """A section with its score.

    Parameters
    ----------
    id, label
        As IPTC has them, "medtop:15000000" and "sport"; "" and "mixed" where none fits.
    score
        The share of a cluster that speaks for the section, in [0, 1]; of "mixed", the largest. None
        where none was sought.
    """

    id: str
    label: str
    score: float | None


@dataclass(frozen=True, slots=True)
class MediaTopics:
    """The taxonomy, in the order of its ids.

    Parameters
    ----------
    ids, labels
        Of the 17 sections.
    lines
        The m example lines, which an encoder turns into prototypes.
    section
        int64 (m,): the section of each line.
    words
        What each word (`tokens.word_family`) says for every section, float64 (17,), mean 0.
    """

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    lines: tuple[str, ...]
    section: Ints
    words: dict[str, Floats]


@cache
def media_topics() -> MediaTopics:
    """Read the taxonomy, once.

    Example
    -------
    >>> topics = media_topics()
    >>> topics.ids[14], topics.labels[14]
    ('medtop:15000000', 'sport')
    """
    sections = json.loads(_content())["sections"]
    lines, owner, named = [], [], []
    for number, section in enumerate(sections):
        named += [(section["label"], number)] * 2
        for term in section["terms"]:
            named.append((term["label"], number))
            lines += term["examples"]
            owner += [number] * len(term["examples"])
    return MediaTopics(
        ids=tuple(section["id"] for section in sections),
        labels=tuple(section["label"] for section in sections),
        lines=tuple(lines),
        section=np.array(owner, np.int64),
        words=_word_weights([*zip(lines, owner, strict=True), *named], len(sections)),
    )


def _content() -> bytes:
    return files("newsnest.describe").joinpath("media_topics.json").read_bytes()


def media_topics_digest() -> str:
    """Return a digest of the taxonomy with its lines: with others, a run may end differently."""
    return hashlib.blake2b(_content(), digest_size=8).hexdigest()


def _word_weights(texts: Sequence[tuple[str, int]], sections: int) -> dict[str, Floats]:
    """Return the log share of every word among sections, each section counted alike; mean 0."""
    counts: dict[str, Floats] = {}
    for text, number in texts:
        for word in _words(text):
            counts.setdefault(word, np.zeros(sections))[number] += 1
    total = sum(counts.values(), np.zeros(sections))
    size = np.sqrt(total / total.mean())  # half way: long sections have more of every word
    weights = {word: np.log(found / size + _UNSEEN) for word, found in counts.items()}
    return {word: weight - weight.mean() for word, weight in weights.items()}


@cache
def _stopped() -> frozenset[str]:
    return frozenset(tokens.word_family(word) for word in stop_words(FALLBACK))


def _words(text: str) -> set[str]:
    """Return the different words of a text, inflected forms as one."""
    keys = (tokens.word_key(tokens.bare(word)) for word in tokens.spellings(text))
    return {tokens.word_family(key) for key in keys if len(key) > 2} - _stopped()


def section_scores(texts: Sequence[str], vectors: Vectors, prototypes: Vectors) -> Floats:
    """Return how probable each section is for each text, float64 (n, 17); rows sum to 1.

    Parameters
    ----------
    texts
        The n texts.
    vectors, prototypes
        float32 (n, d) and (m, d), unit rows: the texts and `media_topics().lines` as one encoder
        encodes them.

    Raises
    ------
    ParameterError
        If there is not one vector per text, or not one prototype per line.

    Notes
    -----
    A section's score is the soft maximum of the cosines with its lines, plus what the text's words
    say. Lines are centred on the mean of the sections; texts on a mean of the corpus to which each
    section contributes alike: the plain mean would take sport out of a corpus of sport. O(n m d).
    The same input gives the same scores.

    Example
    -------
    >>> topics = media_topics()
    >>> prototypes = np.eye(len(topics.lines), dtype=np.float32)  # an encoder's, in earnest
    >>> texts = ["Striker scores late goal in cup final", "Snow and strong winds forecast"]
    >>> nearest = [topics.section.tolist().index(number) for number in (14, 16)]
    >>> scores = section_scores(texts, prototypes[nearest], prototypes)
    >>> [topics.labels[best] for best in scores.argmax(axis=1)]
    ['sport', 'weather']
    """
    topics = media_topics()
    for name, rows, wanted in (
        ("vectors", vectors, texts),
        ("prototypes", prototypes, topics.lines),
    ):
        if len(rows) != len(wanted):
            raise ParameterError(
                f"section_scores: {name} must have {len(wanted):,} rows, got {len(rows):,}. "
                "Encode the same texts."
            )
    k = len(topics.ids)
    means = np.stack([prototypes[topics.section == number].mean(axis=0) for number in range(k)])
    lines = _unit(prototypes - means.mean(axis=0))
    first = _soft_max(_unit(vectors), lines, topics)
    likely = _probabilities(first, _FIRST_CERTAINTY)
    mass = likely.sum(axis=0)
    weight = 1.0 / (mass + _SOME) / k  # mass / (mass + some) of the mean of each section
    centre = ((likely * weight).sum(axis=1) @ vectors).astype(np.float32)
    by_vector = _soft_max(_unit(vectors - centre), lines, topics)
    return _probabilities(by_vector + _WORDS * _by_words(texts, topics), _CERTAINTY)


def _soft_max(vectors: Vectors, lines: Vectors, topics: MediaTopics) -> Floats:
    near = np.exp(_SHARPNESS * (vectors @ lines.T).astype(np.float64))
    size = np.bincount(topics.section)
    summed = np.stack([near[:, topics.section == i].sum(axis=1) for i in range(len(size))], axis=1)
    return np.asarray((np.log(summed) - _FEWER_LINES * np.log(size)) / _SHARPNESS)


def _by_words(texts: Sequence[str], topics: MediaTopics) -> Floats:
    """Return what the words of a text say for every section; twice the words, √2 the weight."""
    scores = np.zeros((len(texts), len(topics.ids)))
    for row, text in enumerate(texts):
        known = [topics.words[w] for w in _words(text[:_CHARACTERS]) if w in topics.words]
        if known:
            scores[row] = np.sum(known, axis=0) / np.sqrt(len(known))
    return scores


def cluster_sections(scores: Floats, labels: Labels, weights: Floats) -> list[Section]:
    """Return the section of every cluster, or "mixed", in the order of labels 0 … k − 1.

    Parameters
    ----------
    scores
        float64 (n, 17), as `section_scores` gives them.
    labels
        int32 (n,), every label 0 … k − 1 at least once.
    weights
        float64 (n,): how many articles each row stands for.

    Notes
    -----
    A cluster's share of a section is the weighted mean of its articles' probabilities. The largest
    share is the section if it is at least 40 % and 1.5 times the next, and "mixed" otherwise.
    """
    topics = media_topics()
    mass = np.bincount(labels, weights)
    shares = np.stack([np.bincount(labels, weights * one) / mass for one in scores.T], axis=1)
    order = np.argsort(-shares, axis=1, kind="stable")
    chosen: list[Section] = []
    for share, (best, second) in zip(shares, order[:, :2].tolist(), strict=True):
        fits = share[best] >= max(_SHARE, _LEAD * share[second])
        name, label = (topics.ids[best], topics.labels[best]) if fits else ("", MIXED)
        chosen.append(Section(name, label, float(share[best])))
    return chosen


def _probabilities(scores: Floats, certainty: float) -> Floats:
    raised = np.exp(certainty * (scores - scores.max(axis=1, keepdims=True)))
    probable: Floats = raised / raised.sum(axis=1, keepdims=True)
    return probable


def _unit(vectors: Vectors) -> Vectors:
    """Return unit rows; a row that is the centre itself stays zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows: Vectors = vectors / np.maximum(length, np.float32(1e-9))
    return rows
