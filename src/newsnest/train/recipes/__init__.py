"""Recipes: ways to train an encoder from files, each a dataclass of settings and a function.

Importing this package loads neither torch nor sentence-transformers: a recipe does when it runs.
Adding one is a folder, a line here, and a row in the table of the docs. The folder's `__init__.py`
has the settings and the `Recipe`, which names the function that trains; what recipes share is in
`newsnest.train.run`. A recipe in a package of your own needs no line here: its package names it
under the entry point group `newsnest.recipes`.
"""

from pathlib import Path
from typing import Any

from newsnest.plugins import Registry
from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import Recipe
from newsnest.train.recipes.adapter import ADAPTER
from newsnest.train.recipes.align import ALIGN
from newsnest.train.recipes.clusterbert import CLUSTERBERT
from newsnest.train.recipes.contrast import SCCL, VASCL
from newsnest.train.recipes.matryoshka import MATRYOSHKA
from newsnest.train.recipes.pairs import PAIRS
from newsnest.train.recipes.pretrain import PRETRAIN
from newsnest.train.recipes.static import STATIC
from newsnest.train.recipes.tsdae import TSDAE
from newsnest.train.settings import RecipeSettings, check_name, parse_settings, setting

_OURS = (MATRYOSHKA, ADAPTER, ALIGN, PAIRS, PRETRAIN, STATIC, CLUSTERBERT, TSDAE, SCCL, VASCL)

RECIPES = Registry("recipe", "newsnest.recipes", Recipe, {recipe.name: recipe for recipe in _OURS})
"""The recipes by name, ours and those of other packages."""


def train(
    name: str, *, data: str | Path | tuple[str, ...], output: str | Path, base: str = "minilm",
    progress: Progress = SILENT, **settings: Any,
) -> Path:  # fmt: skip
    """Train by a recipe, and return the folder of the model, as `newsnest train NAME` does.

    Parameters
    ----------
    name
        Of the recipe.
    data, base, output
        See `RecipeSettings`.
    progress
        See `Recipe.run`, whose errors are those of this function.
    settings
        Of the recipe, by name: `epochs=1`.

    Raises
    ------
    ParameterError
        If there is no such recipe, or it has no such setting.
    """
    recipe = RECIPES.choose(name, function="train")
    files = data if isinstance(data, tuple) else (str(data),)
    for key in settings:
        check_name(recipe.settings, key, "keywords must be")
    made = recipe.settings(data=files, base=base, output=Path(output), **settings)
    return recipe.run(made, progress=progress)


__all__ = ["RECIPES", "Recipe", "RecipeSettings", "parse_settings", "setting", "train"]
