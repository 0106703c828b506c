"""Recipes: ways to train an encoder from files, each a dataclass of settings and a function.

Importing this package loads neither torch nor sentence-transformers: a recipe does when it runs.
Adding one is a folder, a line here, and a row in the table of the docs. The folder's `__init__.py`
has the settings and the `Recipe`, which names the function that trains; what recipes share is in
`newsnest.train.run`. A recipe in a package of your own needs no line here: its package names it
under the entry point group `newsnest.recipes`.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from newsnest.errors import ParameterError, did_you_mean
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

GROUP = "newsnest.recipes"
"""Entry points of this group are recipes of other packages."""

_OURS = (MATRYOSHKA, ADAPTER, ALIGN, PAIRS, PRETRAIN, STATIC, CLUSTERBERT, TSDAE, SCCL, VASCL)


class _Recipes(Mapping[str, Recipe]):
    """Our recipes, and those of other packages, which are imported when they are asked for."""

    @cached_property
    def _found(self) -> dict[str, Recipe | EntryPoint]:
        found: dict[str, Recipe | EntryPoint] = {recipe.name: recipe for recipe in _OURS}
        for point in entry_points(group=GROUP):
            if point.name in found:
                raise ParameterError(
                    f"RECIPES: entry points of {GROUP} must have new names, got {point.name!r} "
                    f"({point.value}), which is taken. Rename it, or uninstall its package."
                )
            found[point.name] = point
        return found

    def __getitem__(self, name: str) -> Recipe:
        found = self._found[name]
        if isinstance(found, EntryPoint):
            try:
                recipe = found.load()
            except Exception as error:  # whatever other people's packages raise
                raise ParameterError(
                    f"RECIPES: the entry point {name!r} must be importable, got: {error} "
                    f"({found.value}). Correct or uninstall its package."
                ) from error
            if not isinstance(recipe, Recipe) or recipe.name != name:
                raise ParameterError(
                    f"RECIPES: the entry point {name!r} must be a Recipe of that name, got "
                    f"{getattr(recipe, 'name', recipe)!r} ({found.value}). Correct its package."
                )
            found = self._found[name] = recipe
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


RECIPES: Mapping[str, Recipe] = _Recipes()
"""The recipes by name."""


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
    if name not in RECIPES:
        raise ParameterError(
            f"train: name must be a recipe, got {name!r}.{did_you_mean(name, RECIPES)} Choose one "
            f"of {', '.join(RECIPES)}."
        )
    recipe = RECIPES[name]
    files = data if isinstance(data, tuple) else (str(data),)
    for key in settings:
        check_name(recipe.settings, key, "keywords must be")
    made = recipe.settings(data=files, base=base, output=Path(output), **settings)
    return recipe.run(made, progress=progress)


__all__ = ["RECIPES", "Recipe", "RecipeSettings", "parse_settings", "setting", "train"]
