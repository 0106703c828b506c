"""The recipe `static`: token vectors fitted to a transformer's vectors of your texts."""

from dataclasses import dataclass
from typing import Literal

from newsnest.train.recipe import Recipe
from newsnest.train.settings import ArticleSettings, setting

__all__ = ["STATIC", "StaticSettings"]


@dataclass(frozen=True, kw_only=True)
class StaticSettings(ArticleSettings):
    """Settings of the recipe `static`; `describe_settings` explains each."""

    max_articles: int = setting(
        20_000, "maximum number of articles the base reads, drawn at random", minimum=100
    )
    held_out: float = setting(
        0.1, "share of the texts held out to choose the ridge weight", above=0, maximum=0.5
    )
    backend: Literal["auto", "torch", "bfloat16", "int8"] = setting(
        "auto", "how the base's vectors are computed"
    )


STATIC = Recipe(
    name="static",
    summary="static token vectors distilled from a transformer on your texts, for speed",
    settings=StaticSettings,
    work="newsnest.train.recipes.static.train:train_static",
    about="""The base encodes a sample of the texts. Token vectors are then fitted by ridge
regression, so that the mean over the tokens of a text approximates the base's vector of the
text. Prefer it to the general encoder static for corpora too large for a transformer, with some
thousands of texts to learn from. At least 20 different texts are needed; encoding 20,000
headlines takes most of the time. See newsnest.train.recipes.static.train.fit_tokens.""",
    needs=(),
    resumes=False,
)
