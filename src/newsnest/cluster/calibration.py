"""Defaults of the levels, measured on the corpus: where trees are cut, time scale, time weight.

The best cosine for "story" differs between corpora by a factor of three. What transfers is a value
relative to the corpus: a linear rule over a few statistics of its vectors (`Rule`); the one that
serves is where the corpus' own tree is cut best. Topics and themes are cut where neighbours stay
together (`CoarseRule`), themes of news finer than those of other texts. The rules are data
(`calibration.json`), one per level and encoder, fitted by `benchmarks/defaults.py`, which also
reports how far they fall short on sets they were not fitted on.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from newsnest.cluster.views import level_vectors
from newsnest.errors import ParameterError
from newsnest.types import Floats, Ints, Level, Vectors, check_min_similarity

SHARES = {"theme": 4, "topic": 2, "story": 1}
"""Levels, coarse to fine, and the part of the dimensions each one sees: d/4, d/2, d."""

SECTIONS_TOLD = (4.4, 5.2)
"""Sections told apart by texts that are no news, and by news; see `news_share`."""

_PAIRS = 200_000
_QUERIES = 2_000
_FAMILIAR = 50.0  # texts from which a corpus' own statistics count for more than usual ones
_SPAN_PARTS = 6.0
# Share of pairs that dates spread evenly over six scales tell apart; with less, dates say less.
_APART = 0.6
_LONGEST = 14 * 86_400.0
_SHORTEST = 3_600.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Statistics of the similarities within a corpus."""

    deviation: float  # standard deviation over random pairs
    tail: float  # their 99th percentile
    nearest: float  # median similarity of a text to its most similar other text
    lasting: float  # where clusters last longest: `newsnest.cluster.persistence`


def measure_spread(rows: Vectors, *, lasting: bool = True) -> Spread:
    """Measure the spread of unit rows, float32 (n, d), n ≥ 2.

    From 200,000 random pairs, 2,000 random texts against all, and the tree of at most 20,000 texts;
    this last and dearest statistic is left out, as 0, where `lasting` is False. Deterministic for
    any number of threads.
    """
    from newsnest.cluster.persistence import lasting_similarity  # loads the compiler

    n = len(rows)
    rng = np.random.default_rng(0)
    left, right = _pairs(n, rng)
    # In parts: both sides of all pairs would take 600 MB in 384 dimensions.
    pairs = np.concatenate(
        [
            np.einsum("ij,ij->i", rows[left[s : s + 8192]], rows[right[s : s + 8192]])
            for s in range(0, _PAIRS, 8192)
        ]
    )
    queries = rng.choice(n, min(n, _QUERIES), replace=False)
    best = np.empty(len(queries), np.float32)
    with threadpool_limits(1, "blas"):
        for start in range(0, len(queries), 100):
            part = queries[start : start + 100]
            products = rows[part] @ rows.T
            products[np.arange(len(part)), part] = -np.inf
            best[start : start + 100] = products.max(axis=1)
    return Spread(
        deviation=float(pairs.std()),
        tail=float(np.quantile(pairs, 0.99)),
        nearest=float(np.median(best)),
        lasting=lasting_similarity(rows) if lasting else 0.0,
    )


def _pairs(n: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return random pairs of different rows."""
    left = rng.integers(0, n, _PAIRS)
    return left, (left + rng.integers(1, n, _PAIRS)) % n


@dataclass(frozen=True, slots=True)
class Rule:
    """A linear rule: base, plus a coefficient times each statistic of a `Spread`.

    Parameters
    ----------
    base, deviation, tail, nearest, lasting
        Coefficients.
    dated
        Text similarity that two articles of the same moment need at the calibrated time weight;
        None where the level has no time view.
    usual
        Mean spread of the corpora the rule was fitted on; few texts are judged by it.
    """

    base: float
    deviation: float
    tail: float
    nearest: float
    lasting: float
    dated: float | None
    usual: Spread

    def value(self, rows: Vectors) -> float:
        """Return the min_similarity for these unit rows, float32 (n, d), without dates."""
        n = len(rows)
        own = measure_spread(rows, lasting=self.lasting != 0.0) if n > 1 else self.usual
        trust = n / (n + _FAMILIAR)
        spread = Spread(
            **{
                name: trust * getattr(own, name) + (1 - trust) * value
                for name, value in asdict(self.usual).items()
            }
        )
        return self.apply(spread)

    def with_time(self, undated: float, weight: float, share: float) -> float:
        """Return the min_similarity with a time view, from the one without and `time_share`."""
        text = undated if self.dated is None else (1.0 - share) * undated + share * self.dated
        return (1.0 - weight) * text + weight

    def apply(self, spread: Spread) -> float:
        """Return the min_similarity for a spread, kept within [−1, 1]."""
        raw = (
            self.base
            + self.deviation * spread.deviation
            + self.tail * spread.tail
            + self.nearest * spread.nearest
            + self.lasting * spread.lasting
        )
        return min(1.0, max(-1.0, raw))


@dataclass(frozen=True, slots=True)
class CoarseRule:
    """How topics or themes are clustered, in texts that have no sections and in news that has.

    Parameters
    ----------
    neighbours
        Nearest neighbours that smooth each vector.
    resolution, news_resolution
        Where the tree is cut; see `Level`.
    section_weight, news_section_weight
        Of the section view.
    """

    neighbours: int
    resolution: float
    news_resolution: float
    section_weight: float
    news_section_weight: float

    def apply(self, level: Level, news: float) -> Level:
        """Return a level with what `news_share` makes of it, cut by resolution."""
        return replace(
            level,
            min_similarity=-1.0,  # whatever it comes to
            neighbours=self.neighbours,
            resolution=(1.0 - news) * self.resolution + news * self.news_resolution,
            section_weight=(1.0 - news) * self.section_weight + news * self.news_section_weight,
        )


def news_share(sections: Floats | None, weights: Floats | None = None) -> float:
    """Return how far sections tell the texts of a corpus apart, in [0, 1]; 1 as in news of a day.

    Measured is the information that a text gives about its section, as the number of sections, all
    alike and certain, that would give as much: 4.4 or fewer are 0, 5.2 or more are 1. Texts about
    one thing have few sections, texts that are no news fit none well.

    Parameters
    ----------
    sections
        float64 (n, s), how probable each section is for each row. None: 0 is returned.
    weights
        float64 (n,), how many articles each row stands for; None means one each.
    """
    if sections is None:
        return 0.0
    overall = np.average(sections, axis=0, weights=weights)
    each = np.average(_entropy(sections), weights=weights)
    few, many = SECTIONS_TOLD
    told = np.exp(_entropy(overall) - each)
    return float(np.clip((told - few) / (many - few), 0.0, 1.0))


def _entropy(shares: Floats) -> Floats:
    found: Floats = -(shares * np.log(np.maximum(shares, np.finfo(np.float64).tiny))).sum(axis=-1)
    return found


@cache
def _committed() -> Any:
    return json.loads(_bytes())


def _bytes(name: str = "calibration.json") -> bytes:
    return files("newsnest.cluster").joinpath(name).read_bytes()


def calibration_digest() -> str:
    """Return a digest of the committed rules: runs made with others are other runs."""
    return hashlib.blake2b(_bytes() + _bytes("story_rules.json"), digest_size=8).hexdigest()


def rule_for(level: str, encoder: str = "any") -> Rule:
    """Return the committed rule of stories, of the encoder's own if there is one.

    Raises
    ------
    ParameterError
        If the level is not "story".
    """
    if level != "story":
        raise ParameterError(f"rule_for: level must be story, got {level!r}. Use coarse_rule.")
    fields = _fields(level, encoder)
    return Rule(**{**fields, "usual": Spread(**fields["usual"])})


def coarse_rule(level: str, encoder: str = "any") -> CoarseRule:
    """Return the committed rule of topics or themes, of the encoder's own if there is one.

    Raises
    ------
    ParameterError
        If the level is neither.
    """
    if level not in ("theme", "topic"):
        raise ParameterError(
            f"coarse_rule: level must be theme or topic, got {level!r}. Use rule_for for stories."
        )
    return CoarseRule(**_fields(level, encoder))


def _fields(level: str, encoder: str) -> dict[str, Any]:
    rules = _committed()["rules"]
    return dict(rules.get(encoder, rules["any"])[level])


def default_time_weight() -> float:
    """Return the committed weight of the time view at the story level."""
    return float(_committed()["time_weight"])


def auto_time_scale(times: Floats) -> float:
    """Return the time scale for a corpus, seconds.

    A sixth of the span that holds 95 % of the dates, so that the kernel, three deviations to either
    side, covers the corpus once; at least an hour, at most 14 days.

    Parameters
    ----------
    times
        float64 (n,), seconds, NaN where unknown, not all NaN.
    """
    low, high = np.nanquantile(times, [0.025, 0.975])
    return float(min(_LONGEST, max(_SHORTEST, (high - low) / _SPAN_PARTS)))


def auto_levels(  # noqa: PLR0913
    text: Vectors,
    *,
    encoder: str = "any",
    dims: Mapping[str, int] | None = None,
    min_similarity: Mapping[str, float] | None = None,
    time_weight: float = 0.0,
    times: Floats | None = None,
    time_scale: float = 86_400.0,
    sections: Floats | None = None,
    weights: Floats | None = None,
) -> tuple[Level, ...]:
    """Return theme, topic and story with the measured defaults for these vectors.

    Themes and topics are cut by resolution: what min_similarity that comes to only `nest_levels`
    can say. With a min_similarity of their own they are cut there, in the same tree.

    Parameters
    ----------
    text
        float32 (n, d), unit rows in the corpus frame.
    encoder
        Whose rules; an encoder without its own gets those fitted over all of them.
    dims
        Leading dimensions of a level, for encoders trained to nest; the others see a quarter, half
        and all.
    min_similarity
        Values that replace the default of a level.
    time_weight
        Of the story level, in [0, 1).
    times
        float64 (n,), seconds, NaN where unknown; needed where time_weight is not 0.
    time_scale
        Seconds.
    sections, weights
        As in `news_share`.

    Raises
    ------
    ParameterError
        If min_similarity names an unknown level or is no cosine, or times are missing.

    Notes
    -----
    With a time view the story level asks (1 − w)·s + w of two articles of the same moment. Their
    text similarity s goes from the undated rule to the dated one as w grows to the calibrated
    weight, and as the dates tell pairs apart: articles of one moment are judged by text alone.
    """
    if time_weight > 0.0 and times is None:
        raise ParameterError(
            f"auto_levels: times must be given with a time_weight, got None at {time_weight}. "
            "Pass the seconds of every row, NaN where unknown."
        )
    given = dict(min_similarity or {})
    check_min_similarity("auto_levels", given)
    d = text.shape[1]
    apart = tell_apart(times, time_scale) if times is not None and time_weight > 0.0 else 0.0
    news = news_share(sections, weights)
    levels = []
    for name, share in SHARES.items():
        prefix = (dims or {}).get(name, max(1, d // share))
        level = Level(name, prefix, 0.0, time_weight if name == "story" else 0.0)
        if name != "story":
            level = coarse_rule(name, encoder).apply(level, news)
        elif name not in given:
            level = replace(level, min_similarity=_default(text, level, encoder, apart))
        if name in given:
            level = replace(level, min_similarity=given[name], resolution=None)
        levels.append(level)
    return tuple(levels)


def tell_apart(times: Floats, time_scale: float) -> float:
    """Return how far dates tell articles apart, in [0, 1]: 1 − the mean time kernel of pairs.

    Parameters
    ----------
    times
        float64 (n,), seconds, NaN where unknown.
    time_scale
        Seconds.
    """
    known = times[~np.isnan(times)]
    if len(known) < 2:
        return 0.0
    left, right = _pairs(len(known), np.random.default_rng(0))
    steps = (known[left] - known[right]) / time_scale
    return 1.0 - float(np.exp(-0.5 * steps**2).mean())


def _default(text: Vectors, level: Level, encoder: str, apart: float) -> float:
    rule = rule_for(level.name, encoder)
    far = time_share(level.time_weight, apart)
    undated = rule.value(level_vectors(text, replace(level, time_weight=0.0))) if far < 1 else 0.0
    return rule.with_time(undated, level.time_weight, far)


def time_share(weight: float, apart: float) -> float:
    """Return how far the dated value counts, in [0, 1], for a time weight and `tell_apart`."""
    return min(1.0, weight / default_time_weight() * min(1.0, apart / _APART))
