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
    summary="token vectors fitted to a transformer on your texts: its stories at a fraction of the "
    "time",
    settings=StaticSettings,
    work="newsnest.train.recipes.static.train:train_static",
    about="""The base reads a sample of the texts; vectors of its tokens are fitted such that their
mean over a text comes near to the base's vector of it. Prefer it to the encoder static, which has
seen no text of yours, where the articles are too many for a transformer and there are some
thousands to learn from. At least 20 different texts are needed; reading 20,000 headlines is the
longest part. See newsnest.train.recipes.static.train.fit_tokens.""",
    needs=(),
    resumes=False,
)
