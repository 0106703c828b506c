"""What a denoising recipe begins and ends with: texts, base, rows held out, the model's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from newsnest.embed.backend import multiplies_bfloat16
from newsnest.embed.quiet import quiet_loading
from newsnest.embed.weights import folder_digests
from newsnest.labelled import TextReading, TrainingTexts, parse_data, read_training_texts
from newsnest.progress import SILENT, Progress
from newsnest.train.recipe import require_one_process
from newsnest.train.recipes.tsdae.autoencoder import Autoencoder, Rows
from newsnest.train.recipes.tsdae.settings import DenoisingSettings
from newsnest.train.run.base import Base, find_base_of, kept_levels, load_base, prefix_of
from newsnest.train.run.place import PAGE_HEAD, Place, place_of
from newsnest.train.run.trainer import uses_bfloat16
from newsnest.train.run.versions import versions
from newsnest.train.settings import settings_content

PAGE = (
    PAGE_HEAD
    + """# {title}

Trained from {base} by `newsnest train {recipe}`, without labels. {outcome}

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/of/this/folder")
```

Data, settings, versions and every stage stand in newsnest.json.
"""
)


@dataclass(frozen=True, slots=True)
class Job:
    """What a recipe is to do.

    Parameters
    ----------
    recipe
        Its name.
    base
        What it starts from.
    data
        What it trains on.
    place
        Where it writes.
    """

    recipe: str
    base: Base
    data: TrainingTexts
    place: Place


def find_job(recipe: str, settings: DenoisingSettings, progress: Progress) -> Job | None:
    """Read the data and find the base; None where this very training has ended already.

    Raises
    ------
    InputError
        If a data file cannot be used.
    ParameterError
        If `output` holds something else, or several processes were started.
    EncoderError
        If the base cannot be found.
    """
    require_one_process(recipe)
    s = settings
    base = find_base_of(s, progress)
    files = parse_data(s.data, TextReading())
    place = place_of(recipe, s, base, files)
    if place.is_complete(progress):
        return None
    data = read_training_texts(files, progress=progress)
    progress.note(f"{len(data.texts):,} texts to train on")
    return Job(recipe, base, data, place)


def publish(
    job: Job,
    settings: DenoisingSettings,
    model: SentenceTransformer,
    *,
    content: Mapping[str, Any],
    page: str,
    beside: Callable[[Path], None],
) -> None:
    """Write a model, its page and newsnest.json, all at once.

    Parameters
    ----------
    job
        What was done.
    settings
        How.
    model
        To be saved.
    content
        What newsnest.json says beside what it says of every model.
    page
        README.md.
    beside
        Writes what else belongs into the folder.
    """
    metadata = {
        "recipe": job.recipe,
        **kept_levels(job.base),
        "base": {"name": settings.base, "files": folder_digests(job.base.folder)},
        "data": list(job.data.sources),
        "settings": settings_content(settings),
        **content,
        "prefix": prefix_of(model),
        "max_length": model.max_seq_length,
        "versions": versions(),
        "seed": settings.seed,
    }

    def save(folder: Path) -> None:
        with quiet_loading():
            model.save_pretrained(str(folder), create_model_card=False)
        (folder / "README.md").write_text(page, encoding="utf-8")
        beside(folder)

    job.place.publish(save, metadata)


def prepare(
    texts: Sequence[str], settings: DenoisingSettings, *, progress: Progress = SILENT
) -> tuple[Autoencoder, Rows, Rows]:
    """Return an autoencoder on a base, the rows to train on, and those held out.

    Raises
    ------
    EncoderError
        If the base cannot be found or loaded.
    ParameterError
        If the base is no transformer, or a setting does not fit it.
    """
    s = settings
    base = find_base_of(s, progress)
    device = torch.device("cpu" if s.device == "cpu" or not torch.cuda.is_available() else "cuda")
    model = load_base(base, device=str(device))
    bfloat16 = uses_bfloat16(s.precision, device, cpu_is_good_at_it=multiplies_bfloat16())
    auto = Autoencoder(model, texts, s, bfloat16=bfloat16)
    order = np.random.default_rng([5, s.seed]).permutation(len(texts))
    held = max(2, round(s.held_out * len(texts)))
    return auto, np.sort(order[held:]), np.sort(order[:held])
