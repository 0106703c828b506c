"""Translations to train and validate on, read from parallel sentences without leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from newsnest.embed.weights import file_sha256
from newsnest.errors import InputError, did_you_mean
from newsnest.evaluate import read_parallel
from newsnest.evaluate.pair_files import as_text
from newsnest.evaluate.parallel_files import FIELDS
from newsnest.evaluate.rows import read_rows
from newsnest.progress import SILENT, Progress
from newsnest.train.data.files import parse_told
from newsnest.train.data.splitting import Splitting, TrainingData, side_of, split_off
from newsnest.train.pairs import Pair, leaking_pairs

_ABSENT = "\0"  # the name of no field
_ONE_A_ROW = ("key", "text", "lang")


@dataclass(frozen=True, slots=True)
class ParallelReading:
    """How a file of parallel sentences is read, where nothing is said of it alone.

    Parameters
    ----------
    pivot
        The language that the base knows, as the file writes it; None: English.
    languages
        Those that are taken, as the file writes them; empty: all.
    most
        Most sentences that are taken of each language, drawn at random; None: all.
    """

    pivot: str | None = None
    languages: tuple[str, ...] = ()
    most: int | None = None


@dataclass(frozen=True, slots=True)
class ParallelSource:
    """A file to learn translations from: its path, how it is read, names of fields in it."""

    path: Path
    reading: ParallelReading
    fields: Mapping[str, str]


def parse_source(told: str, reading: ParallelReading) -> ParallelSource:
    """Return the file that is meant by "PATH" or "PATH,key=value,…".

    Parameters
    ----------
    told
        Keys are those of `ParallelReading`, and the fields that `read_parallel` reads with their
        name in the file: "sib200.jsonl.gz,key=pid,languages=fra_Latn:spa_Latn". Where key, text or
        lang has a name, a row holds one sentence, even if the file has a field text1.
    reading
        Holds where the file says nothing of its own.

    Raises
    ------
    InputError
        If there is no such file.
    ParameterError
        If a key is unknown, or a value is of another kind.
    """
    path, chosen, names = parse_told(told, reading, FIELDS)
    if not path.is_file():
        raise InputError(f"{path}: must be a file to train on, got none. Check the path.")
    if any(field in names for field in _ONE_A_ROW):
        names.setdefault("text1", _ABSENT)
    return ParallelSource(path, chosen, names)


def read_translations(
    files: Sequence[ParallelSource], splitting: Splitting, *, progress: Progress = SILENT
) -> TrainingData:
    """Read translations, each a pair of score 1: the translation, then the original.

    Splits are kept apart as `read_training_data` does; a sentence that is held out is trained on
    in no language, nor is any translation of it.

    Raises
    ------
    InputError
        If a file cannot be read, lacks a language, or nothing is left to train on.

    Notes
    -----
    Deterministic for a seed.
    """
    train: list[Pair] = []
    validation: list[Pair] = []
    held: list[Pair] = []
    sources: list[Mapping[str, Any]] = []
    for number, file in enumerate(files):
        parts = _parts(file, splitting, number)
        for kept, part in zip((train, validation, held), parts, strict=True):
            kept += part
        counts = [len(part) for part in parts]
        sources.append(_source(file, counts))
        progress.note(
            f"{file.path.name}: {counts[0]:,} translations to train on, {counts[1]:,} to "
            f"validate on, from {', '.join(sorted({pair.lang1 for pair in parts[0]}))}"
        )
    leaking = set(leaking_pairs(train, [*validation, *held], together="article"))
    clean = tuple(pair for pair in train if pair not in leaking)
    if not clean:
        raise InputError(
            f"{', '.join(str(file.path) for file in files)}: no translation to train on is left of "
            f"{len(train)} read. Check the split field."
        )
    rng = np.random.default_rng([7, splitting.seed])
    judged = tuple(_evenly(validation, splitting.most, rng))
    return TrainingData(clean, judged, tuple(sources), len(train) - len(clean))


def _parts(
    file: ParallelSource, splitting: Splitting, number: int
) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Return what a file gives to train on, to validate on, and to hold out."""
    train: list[Pair] = []
    validation: list[Pair] = []
    held: list[Pair] = []
    rng = np.random.default_rng([11, splitting.seed, number])
    for split in _splits(file):
        side = side_of(split or "")
        pairs = _read(file, split, complete=side == "train")
        if side == "train":
            train += _most(pairs, file.reading.most, rng)
        elif side == "validation":
            validation += pairs
        else:
            held += pairs
    if not train:
        raise InputError(
            f'{file.path}: no sentence has the split "train" or none. '
            "Correct the split field, or name another, such as split=part."
        )
    if not validation:
        split_up = split_off(train, splitting, file.path, together="article")
        train, validation = (list(split_up.parts[name]) for name in ("train", "validation"))
    return train, validation, held


def _splits(file: ParallelSource) -> list[str | None]:
    """Return the splits a file has; None alone where it has no such field."""
    name = file.fields.get("split", "split")
    found: dict[str | None, None] = {}
    for _, row in read_rows(file.path, what="parallel sentences"):
        found[as_text(row[name]) if name in row else ""] = None
    return [None] if set(found) <= {""} else list(found)


def _read(file: ParallelSource, split: str | None, *, complete: bool) -> list[Pair]:
    """Return the pairs of a split, which must have all languages that were asked for or may not."""
    reading = file.reading
    read = read_parallel(
        file.path, pivot=reading.pivot, split=split, fields=dict(file.fields) or None
    )
    known = [parallel.language for parallel in read.languages]
    for language in reading.languages:
        if complete and language not in known:
            raise InputError(
                f'{file.path}: no sentence is in "{language}"'
                f"{'' if split is None else f' in the split {split!r}'}."
                f"{did_you_mean(language, known)} Choose among {', '.join(sorted(known)[:20])}."
            )
    return [
        Pair(text, original, 1.0, lang1=parallel.language, lang2=read.pivot, split=split or "")
        for parallel in read.languages
        if not reading.languages or parallel.language in reading.languages
        for text, original in zip(parallel.texts, parallel.pivot_texts, strict=True)
    ]


def _most(pairs: Sequence[Pair], most: int | None, rng: np.random.Generator) -> list[Pair]:
    """Return up to so many pairs of each language, drawn at random, in their order."""
    ranks = _ranks(pairs, rng)
    return [pair for pair, rank in zip(pairs, ranks, strict=True) if most is None or rank < most]


def _evenly(pairs: Sequence[Pair], most: int, rng: np.random.Generator) -> list[Pair]:
    """Return up to so many pairs, as many of each language as can be, in their order."""
    ranks = _ranks(pairs, rng)
    kept = sorted(range(len(pairs)), key=lambda row: ranks[row])[:most]
    return [pairs[row] for row in sorted(kept)]


def _ranks(pairs: Sequence[Pair], rng: np.random.Generator) -> list[int]:
    """Return the place of every pair among those of its language, in random order."""
    ranks = [0] * len(pairs)
    taken: Counter[str] = Counter()
    for row in rng.permutation(len(pairs)).tolist():
        ranks[row] = taken[pairs[row].lang1]
        taken[pairs[row].lang1] += 1
    return ranks


def _source(file: ParallelSource, counts: Sequence[int]) -> dict[str, Any]:
    return {
        "file": file.path.name,
        "sha256": file_sha256(file.path.resolve()),
        "kind": "parallel",
        "reading": asdict(file.reading),
        "fields": {field: name for field, name in file.fields.items() if name != _ABSENT},
        **dict(zip(("train_pairs", "validation_pairs", "held_out"), counts, strict=True)),
    }
