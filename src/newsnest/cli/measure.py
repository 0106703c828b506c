"""What the commands that measure encoders share: options, encoding, notices and numbers."""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from newsnest.cli import parameters
from newsnest.embed import load_encoder
from newsnest.progress import Progress
from newsnest.types import Vectors, plural


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

    `field` is the example of `--field`, without which there is none; `rows` is what a split has,
    and `draws` what the seed is for. Options of the command itself stand `between` the shared ones.
    """
    options: list[Callable[[Any], Any]] = [parameters.encoder_option] if encoder else []
    options.append(parameters.split_option(rows))
    options += [parameters.field_option(field)] if field is not None else []
    options += between
    options += [parameters.resamples_option] if resamples else []
    options += [parameters.seed_option(draws), parameters.quiet_option, parameters.json_option]

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
    counts = [
        f"{count:,} {reason.replace('_', ' ').replace('other', 'of other')}"
        for reason, count in left_out.items()
        if count
    ]
    if counts:
        progress.note(f"{used:,} {plural(noun, used)}; left out: {', '.join(counts)}")


def shown(value: object) -> str:
    """Return a number or an `Estimate` for people, "—" for None."""
    if value is None:
        return "—"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def in_columns(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """Return a table with two spaces between columns, however long a cell is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
