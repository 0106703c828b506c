"""Everything that shapes a nest. The options of `newsnest cluster` are made from these fields."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from textwrap import fill
from typing import Any, Literal, TypeVar, get_args

from newsnest.corpus import ReadOptions
from newsnest.describe import MAX_CHARACTERS, MAX_TERMS
from newsnest.embed import KNOWN, Backend, EncoderConfig, LongTexts, encoder_names
from newsnest.errors import ParameterError
from newsnest.types import Grain, Order, Reducer, check_min_similarity

Centre = Literal["language", "corpus"]
_NONE = type(None)
_KINDS: Mapping[str, tuple[Any, str]] = {  # of fields whose wrong kind would fail far from here
    "min_similarity": (Mapping, 'cosines by level, such as {"story": 0.4}'),
    "time_scale": ((Real, _NONE), "a number of seconds or None"),
    "time_weight": ((Real, _NONE), "a number or None"),
    "exact": ((bool, _NONE), "True, False or None"),
    "dims": ((Integral, _NONE), "a whole number or None"),
    "keep_copies": (bool, "True or False"),
    "keep_boilerplate": (bool, "True or False"),
    "read": (ReadOptions, "ReadOptions"),
}
_T = TypeVar("_T")


def option(
    default: Any, meaning: str, *, factory: Callable[[], Any] | None = None, **shown: Any
) -> Any:
    """Return a field with its meaning and how the command line shows it.

    Parameters
    ----------
    default
        Must not be mutable; ignored where there is a `factory`.
    meaning
        One or two sentences, for `--help` and the docstring.
    factory
        Makes the default.
    **shown
        `flag`, where it is not the field's name; `metavar`; `usual`, the default in words; `unit`,
        "s" for durations; `minimum` and `below` of numbers;
        `known`, names that the shell completes.
    """
    metadata = {"meaning": meaning, **shown}
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


def _documented(kind: type[_T]) -> type[_T]:
    """Add the meanings of the fields to the docstring of a class."""
    rows = "\n".join(
        f"    {one.name}\n"
        + fill(one.metadata["meaning"], 96, initial_indent=" " * 8, subsequent_indent=" " * 8)
        for one in fields(kind)  # type: ignore[arg-type]
    )
    kind.__doc__ = f"{kind.__doc__}\n    Parameters\n    ----------\n{rows}\n    "
    return kind


@_documented
@dataclass(frozen=True, slots=True)
class Options:
    """Everything that shapes a nest.

    Raises
    ------
    ParameterError
        If a value is outside its domain; before anything is read.
    """

    encoder: str = option(
        "minilm",
        f"{encoder_names(built_in=True)}. To cluster, also auto: minilm for English, multilingual "
        "where a tenth of the articles or more are in other languages.",
        known=KNOWN,
    )
    long_texts: LongTexts = option(
        "head",
        "Which part of a text to encode when it exceeds the encoder's limit. mean: the mean of "
        "all its chunks.",
    )
    backend: Backend = option(
        "auto",
        "What runs minilm and other transformers. torch uses float32; int8 is the fastest on a "
        "CPU.",
    )
    order: Order = option("fine-to-coarse", "Order in which the levels are built.")
    exact: bool | None = option(
        None,
        "Exact or approximate nearest-neighbour search.",
        flag="--exact/--approximate",
        usual="approximate above 300,000 texts",
    )
    min_similarity: Mapping[str, float] = option(
        None,
        "Minimum cosine similarity for levels, in place of the measured default: "
        "theme=0.05,topic=0.2,story=0.4",
        factory=dict,
    )
    time_scale: float | None = option(
        None, "How long the coverage of a story lasts, e.g. 12h or 1d.", unit="s", usual="measured"
    )
    time_weight: float | None = option(
        None,
        "Weight of dates at the story level; 0 ignores dates.",
        minimum=0.0,
        below=1.0,
        usual="measured",
    )
    centre: Centre = option(
        "language",
        "What to subtract from vectors: the mean of their language, which brings the same event in "
        "two languages together, or the mean of the corpus.",
    )
    clusterer: str = option(
        "rac",
        "Algorithm for stories: rac (average linkage), hdbscan, hdbscan:MINIMUM_SIZE or kmeans:K. "
        "Topics and themes use average linkage.",
        metavar="NAME[:NUMBER]",
    )
    grain: Grain = option(
        "default",
        "How finely to cut stories, relative to what is measured for the corpus. finer keeps more "
        "articles apart, finest joins little but near-duplicates in a dump of one-off articles; "
        "coarser joins more.",
    )
    reduce: Reducer = option(
        "none",
        "Reduce dimensions before clustering, ignoring similarities calibrated for the "
        'model. umap needs pip install "newsnest[compare]".',
    )
    dims: int | None = option(None, "Number of dimensions that --reduce keeps.")
    keyword_terms: int = option(
        MAX_TERMS,
        "Maximum vocabulary for keywords: the words and phrases that occur in the most texts.",
        minimum=1,
    )
    keyword_characters: int = option(
        MAX_CHARACTERS, "Number of characters of each article to read for keywords.", minimum=1
    )
    keep_copies: bool = option(False, "Do not fold copies of the same text.")
    keep_boilerplate: bool = option(
        False,
        "Do not take out what outlets repeat across many articles: datelines, slogans, “Read on”.",
    )
    read: ReadOptions = option(None, "How to read files.", factory=ReadOptions)

    def __post_init__(self) -> None:
        for name, (kinds, words) in _KINDS.items():
            if not isinstance(getattr(self, name), kinds):
                raise ParameterError(
                    f"Options: {name} must be {words}, got {getattr(self, name)!r}. Correct it."
                )
        EncoderConfig(long_texts=self.long_texts, backend=self.backend)  # checks both
        for name, known in (
            ("order", get_args(Order)),
            ("centre", get_args(Centre)),
            ("grain", get_args(Grain)),
        ):
            if getattr(self, name) not in known:
                raise ParameterError(
                    f"Options: {name} must be one of {', '.join(known)}, "
                    f"got {getattr(self, name)!r}. Choose one of them."
                )
        check_min_similarity("Options", self.min_similarity)
        for name in ("keyword_terms", "keyword_characters"):
            if getattr(self, name) < 1:
                raise ParameterError(
                    f"Options: {name} must be at least 1, got {getattr(self, name)}. Leave it out."
                )
        if self.time_scale is not None and not 0.0 < self.time_scale < math.inf:
            raise ParameterError(
                f"Options: time_scale must be positive, got {self.time_scale}. It is in seconds."
            )
        if self.time_weight is not None and not 0.0 <= self.time_weight < 1.0:
            raise ParameterError(
                f"Options: time_weight must be in [0, 1), got {self.time_weight}. 0 turns time off."
            )
        if self.grain != "default" and "story" in self.min_similarity:
            raise ParameterError(
                f"Options: grain must be default with a min_similarity of story, got {self.grain}. "
                "Give one of the two."
            )
        self._check_parts()

    def _check_parts(self) -> None:
        """Check what only `newsnest.cluster` can, which is not loaded for the defaults."""
        if self.reduce != "none" or self.dims is not None:
            from newsnest.cluster import Reduction

            Reduction(self.reduce, self.dims)
        if self.clusterer == "rac":
            return
        from newsnest.cluster import finest_clusterer

        finest_clusterer(self.clusterer)
        usual = ("fine-to-coarse", None, "default")
        unused = [o for o in ("order", "exact", "grain") if getattr(self, o) not in usual]
        unused += ["min_similarity of story"] * ("story" in self.min_similarity)
        if unused:
            raise ParameterError(
                f"Options: {unused[0]} must be left out with the clusterer {self.clusterer}, "
                "which does not use it. Choose rac, or leave it out."
            )

    def command_line(self) -> list[str]:
        """Return the options of `newsnest cluster` that differ from the defaults, and the encoder.

        Example
        -------
        >>> Options(encoder="tfidf", exact=False, min_similarity={"story": 0.25}).command_line()
        ['--encoder', 'tfidf', '--approximate', '--min-similarity', 'story=0.25']
        """
        words: list[str] = []
        usual = Options()
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "read" or (value == getattr(usual, one.name) and one.name != "encoder"):
                continue
            on, _, off = flag_of(one).partition("/")
            if isinstance(value, bool):
                words.append(on if value else off)
                continue
            if isinstance(value, Mapping):
                value = ",".join(f"{name}={number!r}" for name, number in sorted(value.items()))
            words += [on, f"{value}{one.metadata.get('unit', '')}"]
        for ours, theirs in self.read.fields.items():
            words += ["--field", f"{ours}={theirs}"]
        return words


def flag_of(one: Any) -> str:
    """Return the flag of a field on the command line, "--on/--off" for a pair."""
    return str(one.metadata.get("flag") or f"--{one.name.replace('_', '-')}")
