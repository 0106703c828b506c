"""Ways to train an encoder that nests.

`RECIPES` holds them by name and `train` runs one. Whoever adds a recipe takes from here settings
classes, `setting`, `Recipe`, and what its function works with: `TrainingContext`, `PairRun`,
`Publication`. The recipes have a folder each in `recipes`; they are built from `losses` and
`samplers`, which work alone with sentence-transformers, and from `run` (context, trainer,
checkpoints, publishing). `newsnest.labelled` reads what `--data` names.

Importing this package loads neither torch nor sentence-transformers nor datasets; `losses`,
`samplers` and `run` load torch. Training needs the extra `train`: pip install "newsnest[train]".
"""

from importlib import import_module
from typing import Any

_SETTINGS = (
    "ArticleSettings", "ColumnSettings", "GradedSettings", "ModelSettings", "RecipeSettings",
    "TrainerSettings", "TranslationSettings", "parse_settings", "setting",
)  # fmt: skip
_HOME = {
    "RECIPES": "newsnest.train.recipes",
    "train": "newsnest.train.recipes",
    "Recipe": "newsnest.train.recipe",
    "PairRun": "newsnest.train.run",
    "Publication": "newsnest.train.run",
    "TrainingContext": "newsnest.train.run",
    "publish_model": "newsnest.train.run",
    **dict.fromkeys(_SETTINGS, "newsnest.train.settings"),
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that importing the package stays light."""
    if name not in _HOME:
        raise AttributeError(f"module 'newsnest.train' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
