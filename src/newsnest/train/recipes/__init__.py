"""Recipes: ways to train an encoder from files, each a dataclass of settings and a function.

Importing this package loads neither torch nor sentence-transformers: a recipe does when it runs.
Adding one is a folder, a line here, and a row in docs/training/choosing.md. In the folder
`settings.py` has the dataclass, `__init__.py` the `Recipe` and its `run`, and what `run` imports
when it is called loads torch. What recipes share is in `newsnest.train.run` and
`newsnest.train.data`; `clusterbert` builds on `tsdae`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
from newsnest.train.settings import RecipeSettings, parse_settings, setting

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "matryoshka": MATRYOSHKA,
        "adapter": ADAPTER,
        "align": ALIGN,
        "pairs": PAIRS,
        "pretrain": PRETRAIN,
        "static": STATIC,
        "clusterbert": CLUSTERBERT,
        "tsdae": TSDAE,
        "sccl": SCCL,
        "vascl": VASCL,
    }
)
"""The recipes by name."""

__all__ = ["RECIPES", "Recipe", "RecipeSettings", "parse_settings", "setting"]
