"""Everything that shapes a nest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from newsnest.cluster import Order, Reducer, Reduction, finest_clusterer
from newsnest.corpus import ReadOptions
from newsnest.describe import MAX_CHARACTERS, MAX_TERMS
from newsnest.embed import EncoderConfig
from newsnest.embed.config import Backend, LongTexts
from newsnest.errors import ParameterError
from newsnest.types import check_min_similarity

Centre = Literal["language", "corpus"]


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that shapes a nest.

    Parameters
    ----------
    encoder
        A name ("minilm", "static", "tfidf", "multilingual"), a path or a hub id.
    long_texts
        What is read of texts longer than the encoder's limit: "head", "head+tail" or "mean".
    backend
        What computes a transformer: "auto", "torch" (float32), "bfloat16" or "int8".
    order
        "fine-to-coarse" or "coarse-to-fine".
    min_similarity
        Cosine per level that overrides the measured default, for instance {"story": 0.4}.
    time_scale, time_weight
        Seconds and a weight in [0, 1) for the story level; None takes the measured default. A
        weight of 0 turns time off; without dates it is off anyway.
    centre
        "language": every language on its own mean, so that the same event in two languages comes
        together; "corpus": all on one mean, for corpora whose languages cover different things.
    exact
        False looks for first neighbours nearby only, True never does; None does so above 300,000
        independent texts.
    clusterer
        What makes the stories: "rac", "hdbscan", "hdbscan:SIZE" or "kmeans:K"; see
        `newsnest.cluster.finest_clusterer`. Topics and themes are average linkage over stories.
    reduce, dims
        How vectors lose dimensions before they are clustered, and how many are kept: "none",
        "pca", "truncate" or "umap"; see `newsnest.cluster.Reduction`. Each is done to the text
        alone; dates stay whole. A model's calibrated min_similarity holds for whole vectors and
        is not taken then.
    keyword_terms, keyword_characters
        How many words and phrases are counted for keywords, and how much of each article is read
        for them; see `newsnest.describe.KeywordDescriber`.
    keep_copies
        Do not fold copies before clustering.
    read
        How files are read.

    Raises
    ------
    ParameterError
        If one of them is outside its domain; before anything is read.
    """

    encoder: str = "minilm"
    long_texts: LongTexts = "head"
    backend: Backend = "auto"
    order: Order = "fine-to-coarse"
    min_similarity: Mapping[str, float] = field(default_factory=dict)
    time_scale: float | None = None
    time_weight: float | None = None
    centre: Centre = "language"
    exact: bool | None = None
    clusterer: str = "rac"
    reduce: Reducer = "none"
    dims: int | None = None
    keyword_terms: int = MAX_TERMS
    keyword_characters: int = MAX_CHARACTERS
    keep_copies: bool = False
    read: ReadOptions = field(default_factory=ReadOptions)

    def __post_init__(self) -> None:
        EncoderConfig(long_texts=self.long_texts, backend=self.backend)  # says which there are
        for name, known in (("order", get_args(Order)), ("centre", get_args(Centre))):
            if getattr(self, name) not in known:
                raise ParameterError(
                    f"Options: {name} must be one of {', '.join(known)}, "
                    f"got {getattr(self, name)!r}. Choose one of them."
                )
        check_min_similarity("Options", self.min_similarity)
        Reduction(self.reduce, self.dims)
        for name in ("keyword_terms", "keyword_characters"):
            if getattr(self, name) < 1:
                raise ParameterError(
                    f"Options: {name} must be at least 1, got {getattr(self, name)}. Leave it out."
                )
        if finest_clusterer(self.clusterer) is not None:
            unused = [
                o for o in ("order", "exact") if getattr(self, o) not in ("fine-to-coarse", None)
            ]
            unused += ["min_similarity of story"] * ("story" in self.min_similarity)
            if unused:
                raise ParameterError(
                    f"Options: {unused[0]} must be left out with the clusterer {self.clusterer}, "
                    "which makes stories without it. Choose rac, or leave it out."
                )
        if self.time_scale is not None and not 0.0 < self.time_scale < math.inf:
            raise ParameterError(
                f"Options: time_scale must be positive, got {self.time_scale}. It is in seconds."
            )
        if self.time_weight is not None and not 0.0 <= self.time_weight < 1.0:
            raise ParameterError(
                f"Options: time_weight must be in [0, 1), got {self.time_weight}. 0 turns time off."
            )
