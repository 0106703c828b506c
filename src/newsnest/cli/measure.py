"""What the commands that measure encoders share: options, encoding, notices and numbers."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsnest.cli.parameters import (
    encoder_option,
    field_option,
    json_option,
    quiet_option,
    resamples_option,
    seed_option,
    split_option,
)

if TYPE_CHECKING:
    from newsnest.progress import Progress
    from newsnest.types import Vectors


@dataclass(frozen=True, slots=True)
class Measuring:
    """The options that measuring commands share; those a command has not are at their defaults."""

    encoder: str = ""
    split: str | None = None
    fields: Mapping[str, str] | None = None
    resamples: int = 0
    seed: int = 0
    quiet: bool = False
    as_json: bool = False

    def content(self, fingerprint: str, **first: Any) -> dict[str, Any]:
        """Return what the JSON of a command begins with."""
        return {
            **first,
            "split": self.split,
            "encoder": self.encoder,
            "fingerprint": fingerprint,
            "resamples": self.resamples,
            "seed": self.seed,
        }

    def encode(self, texts: Sequence[str], progress: Progress) -> tuple[Vectors, str]:
        """Return one vector a text, equal texts encoded once, and the encoder's fingerprint."""
        from newsnest import load_encoder

        place = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        loaded = load_encoder(self.encoder)
        loaded.prepare(list(place), progress=progress)
        vectors = loaded.encode(list(place), progress=progress)
        cut = loaded.count_cut(list(place))
        if cut:
            was = "text was" if cut == 1 else "texts were"
            progress.note(f"{cut:,} {was} truncated to the encoder's limit")
        rows: Vectors = vectors[[place[text] for text in texts]]
        return rows, loaded.fingerprint

    def note_trained_on(self, progress: Progress, file: Path) -> None:
        """Say that a model was trained on the very file, unless a split of it is asked for."""
        from newsnest.pipeline.embedding import trained_on

        if self.split in (None, "train") and trained_on(self.encoder, file):
            progress.note(
                f"{file}: the encoder was trained on this file; scores on unseen data are lower "
                "(choose a split with --split)"
            )


def measuring(
    *,
    field: str | None = None,
    rows: str = "rows",
    draws: str = "the resamples",
    encoder: bool = True,
    resamples: bool = True,
    between: Sequence[Callable[[Any], Any]] = (),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds the shared options; the command gets them as one `shared`.

    Parameters
    ----------
    field
        The example of `--field`; None: there is none.
    rows
        What a split has.
    draws
        What the seed is for.
    encoder, resamples
        Whether there is such an option.
    between
        Decorators of the command, listed between `--field` and `--resamples`.
    """
    options: list[Callable[[Any], Any]] = [encoder_option] if encoder else []
    options.append(split_option(rows))
    options += [field_option(field)] if field is not None else []
    options += between
    options += [resamples_option] if resamples else []
    options += [seed_option(draws), quiet_option, json_option]

    def add(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**words: Any) -> None:
            names = [one.name for one in fields(Measuring) if one.name in words]
            command(shared=Measuring(**{name: words.pop(name) for name in names}), **words)

        for option in reversed(options):
            run = option(run)
        return run

    return add


def note_left_out(progress: Progress, used: int, noun: str, left_out: Mapping[str, int]) -> None:
    """Say how many rows were left out, by reason."""
    from newsnest.nest import plural

    counts = [
        f"{count:,} {reason.replace('_', ' ').replace('other', 'of other')}"
        for reason, count in left_out.items()
        if count
    ]
    if counts:
        progress.note(f"{used:,} {plural(noun, used)}; left out: {', '.join(counts)}")


def print_json(content: Any) -> None:
    """Print JSON for machines."""
    click.echo(json.dumps(content, indent=1, ensure_ascii=False))


def shown(value: object) -> str:
    """Return a number or an `Estimate` for people, "—" for None."""
    if value is None:
        return "—"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
