"""Recipes: ways to train an encoder from files, each a dataclass of settings and a function.

Importing this package loads neither torch nor sentence-transformers: a recipe does when it runs.
Adding one is a file with its settings and its `run`, a line here, and a row in docs/train.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from newsnest.train.recipes.adapter import ADAPTER
from newsnest.train.recipes.matryoshka import MATRYOSHKA
from newsnest.train.recipes.recipe import Recipe
from newsnest.train.recipes.settings import RecipeSettings, parse_settings, setting

RECIPES: Mapping[str, Recipe] = MappingProxyType({"matryoshka": MATRYOSHKA, "adapter": ADAPTER})
"""The recipes by name."""

__all__ = ["RECIPES", "Recipe", "RecipeSettings", "parse_settings", "setting"]
