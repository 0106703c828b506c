"""Pairs of two columns to train and validate on, cleaned and without leaks."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from newsnest.corpus import Notice, Profile, ReadOptions, clean_article, load_profile
from newsnest.corpus.clean import Drop
from newsnest.corpus.columns import Columns
from newsnest.corpus.date_order import DateOrders
from newsnest.corpus.fields import as_text
from newsnest.corpus.read import read_rows
from newsnest.corpus.rows import Row, Tally
from newsnest.embed.weights import file_sha256
from newsnest.errors import InputError, ParameterError, did_you_mean
from newsnest.progress import SILENT, Progress
from newsnest.train.data.files import parse_told
from newsnest.train.data.splitting import (
    Splitting,
    TrainingData,
    by_split,
    side_of,
    split_off,
    tagged,
)
from newsnest.train.pairs import Pair, leaking_pairs
from newsnest.types import Rejected

_ALSO = ("split", "story")
_KNOWN = "stand there already"


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """How a file of two columns is read, where nothing is said of it alone.

    Parameters
    ----------
    columns
        Of the first and the second text. title, text and summary are found by their usual names.
    most
        Most pairs that are taken to train on, drawn at random; None: all.
    profile
        Name or path of a cleaning profile; of a `ColumnSource`, its name and digest.
    """

    columns: tuple[str, str] = ("title", "summary")
    most: int | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """A file of pairs: its path, how it is read, names of fields in it, and the profile."""

    path: Path
    reading: ColumnReading
    fields: Mapping[str, str]
    profile: Profile | None


def parse_column_source(told: str, reading: ColumnReading) -> ColumnSource:
    """Return the file that is meant by "PATH" or "PATH,columns=question:answer,most=1000".

    Parameters
    ----------
    told
        Keys are those of `ColumnReading`, and split and story with their name in the file.
    reading
        Holds where the file says nothing of its own.

    Raises
    ------
    InputError
        If there is no such file, or its profile cannot be used.
    ParameterError
        If a key is unknown, a value is of another kind, or both columns are one.
    """
    path, chosen, names = parse_told(told, reading, _ALSO)
    if chosen.columns[0] == chosen.columns[1]:
        raise ParameterError(
            f"{path}: columns must be two, got {chosen.columns[0]!r} twice. "
            "Write them as in columns=title:summary."
        )
    if not path.is_file():
        raise InputError(f"{path}: must be a file to train on, got none. Check the path.")
    profile = None if chosen.profile is None else load_profile(chosen.profile)
    if profile is not None:
        chosen = replace(chosen, profile=f"{profile.name} {profile.digest}")
    return ColumnSource(path, chosen, names, profile)


def read_column_pairs(
    files: Sequence[ColumnSource], splitting: Splitting, *, progress: Progress = SILENT
) -> TrainingData:
    """Read pairs, each of score 1, without leaks between what is trained and validated on.

    Parameters
    ----------
    files
        `parse_column_source` returns them.
    splitting
        How validation pairs come about; `hard` is not looked at.
    progress
        Told what every file gave, and what was left out.

    Raises
    ------
    InputError
        If a file cannot be read, or nothing is left to train or to validate on.

    Notes
    -----
    Texts that are equal but for case, width and spaces become one, in the spelling met first. Pairs
    of a `story` stay on one side; stories of two files have nothing to do with each other.
    Deterministic for a seed.
    """
    known = _Known({}, set())
    train: list[Pair] = []
    validation: list[Pair] = []
    held: list[Pair] = []
    sources: list[Mapping[str, Any]] = []
    paths = [file.path.resolve() for file in files]
    for number, file in enumerate(files):
        pairs, left_out = _read_or_name(file, known, progress)
        # A file that is given twice, for other columns, has its stories once.
        own = tagged(pairs, f"{paths.index(paths[number])}:" if len(files) > 1 else "")
        parts = _parts(file, own, left_out, splitting, number)
        for kept, part in zip((train, validation, held), parts, strict=True):
            kept += part
        sources.append(_source(file, [len(part) for part in parts], left_out))
        progress.note(
            f"{file.path.name}: {len(parts[0]):,} pairs to train on, {len(parts[1]):,} to validate "
            f"on{in_words(left_out)}"
        )
    leaking = set(leaking_pairs(train, [*validation, *held]))
    numbers = np.repeat(np.arange(len(files)), [source["train_pairs"] for source in sources])
    kept_rows = [row for row, pair in enumerate(train) if pair not in leaking]
    clean = tuple(train[row] for row in kept_rows)
    if not clean or not validation:
        lacking = "validate" if clean else "train"
        lost: Counter[str] = Counter()
        for source in sources:
            lost.update(source["left_out"])
        raise InputError(
            f"{', '.join(str(file.path) for file in files)}: no pair to {lacking} on is left of "
            f"{len(train) + len(validation)} read{in_words(lost)}. Check the columns and the split "
            "field."
        )
    chosen = np.random.default_rng([7, splitting.seed]).permutation(len(validation))
    rows = sorted(chosen[: splitting.most].tolist())
    return TrainingData(
        clean,
        tuple(validation[i] for i in rows),
        tuple(sources),
        len(leaking),
        tuple(numbers[kept_rows].tolist()),
    )


def in_words(left_out: Mapping[str, int]) -> str:
    """Return how many rows were left out and why, to be put behind how many were read."""
    return "".join(f"; {count:,} {why}" for why, count in left_out.items() if count)


def all_column_pairs(
    file: ColumnSource, *, progress: Progress = SILENT
) -> tuple[list[Pair], dict[str, int]]:
    """Read all pairs of a file, whatever their split, and say what was left out, by reason.

    Parameters
    ----------
    file
        `parse_column_source` returns it; `most` is not looked at.
    progress
        Told how the file is read.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    return _read_or_name(file, _Known({}, set()), progress)


def first_names(path: Path) -> tuple[str, ...]:
    """Return the columns of the first row of a file that can be read."""

    def make(row: Row, own: Columns, tally: Tally, orders: DateOrders) -> tuple[str, ...]:
        return tuple(row.values)

    rows: Iterator[tuple[str, ...] | Rejected | Notice] = read_rows(
        [path], make, columns=_AnyColumns({})
    )
    return next((row for row in rows if isinstance(row, tuple)), ())


class _AnyColumns(Columns):
    """Takes any column for a text: which of them matters is found out afterwards."""

    def _match(self, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        return {**super()._match(names), "text": names}


def same_text(text: str) -> str:
    r"""Return what texts have in common that are the same but for case, width and spaces.

    Example
    -------
    >>> same_text("Rain  in\nNANTES") == same_text("rain in Nantes")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class _Known:
    """Texts and pairs of all files so far: a text's spelling, and pairs by what they are for.

    A pair that is trained on and held out is no copy but a leak, which is looked for later.
    """

    spelling: dict[str, str]
    pairs: set[tuple[str, str, str]]


def _read_or_name(
    file: ColumnSource, known: _Known, progress: Progress
) -> tuple[list[Pair], dict[str, int]]:
    """Read a file; where nothing comes of it, say which column is not there."""
    try:
        pairs, left_out = _read(file, known, progress)
    except InputError:
        _check_columns(file)
        raise
    if not pairs:
        _check_columns(file)
    return pairs, left_out


def _check_columns(file: ColumnSource) -> None:
    """Raise if a column of the pairs is not among those of the first row."""
    names = first_names(file.path)
    if not names:
        return  # no row: nothing is known of its columns
    columns, fields = _columns(file.reading)
    found, usual = columns.match(names), Columns({}).match(names)
    two = [usual[field][0] for field in ("title", "text", "summary") if field in usual][:2]
    for name, own in zip(file.reading.columns, fields, strict=True):
        if own not in found:
            raise InputError(
                f"{file.path}: the column {name!r} must exist, got none of that name."
                f"{did_you_mean(name, names)} Choose two of {', '.join(names[:30])}: "
                f"{file.path.name},columns={':'.join(two) if len(two) == 2 else 'headline:lead'}."
            )


def _read(
    file: ColumnSource, known: _Known, progress: Progress
) -> tuple[list[Pair], dict[str, int]]:
    """Return the pairs of a file, and how many rows were left out by reason."""
    columns, fields = _columns(file.reading)
    left_out: Counter[str] = Counter()

    def make(row: Row, own: Columns, tally: Tally, orders: DateOrders) -> Pair | Drop | Rejected:
        return _pair(row, columns, fields, file)

    pairs: list[Pair] = []
    items: Iterator[Pair | Drop | Rejected | Notice] = read_rows(
        [file.path], make, columns=columns, options=ReadOptions(), progress=progress
    )
    for item in items:
        if isinstance(item, Notice):
            progress.note(f"{item.file}: {item.message}")
        elif isinstance(item, Rejected):
            if not left_out["cannot be read"]:
                progress.note(f"{item.file}, line {item.line}: {item.reason}")
            left_out["cannot be read"] += 1
        elif isinstance(item, Drop):
            left_out[item.reason] += 1
        else:
            one, two = (
                known.spelling.setdefault(same_text(t), t) for t in (item.text1, item.text2)
            )
            if one == two:
                left_out["say the same twice"] += 1
            elif (key := (one, two, side_of(item.split))) in known.pairs:
                left_out[_KNOWN] += 1
            else:
                known.pairs.add(key)
                pairs.append(replace(item, text1=one, text2=two))
    return pairs, dict(sorted(left_out.items()))


def _columns(reading: ColumnReading) -> tuple[Columns, tuple[str, str]]:
    """Return which column is which field, and the fields of the first and the second text."""
    own = ("title", "text", "summary")
    free = iter([field for field in own if field not in reading.columns])
    fields = {name: name if name in own else next(free) for name in reading.columns}
    mapped = {field: name for name, field in fields.items() if name not in own}
    first, second = (fields[name] for name in reading.columns)
    return Columns(mapped), (first, second)


def _pair(
    row: Row, columns: Columns, fields: tuple[str, str], file: ColumnSource
) -> Pair | Drop | Rejected:
    found = columns.match(tuple(row.values))
    texts = []
    for field in fields:
        try:
            texts.append(
                next(filter(None, (as_text(row.values[c]) for c in found.get(field, ()))), "")
            )
        except TypeError as error:
            return row.reject(f"a {field} is {error}, expected a text")
    if file.profile is not None:
        done = clean_article(
            list(zip(("title", "text"), texts, strict=True)), row.values, file.profile
        )
        if done.drop is not None:
            return Drop(done.drop.rule, f"dropped by the profile ({done.drop.rule})")
        texts = list(done.texts)
    first, second = (" ".join(text.split()) for text in texts)
    if not first or not second:
        return Drop("", "have no two texts")
    split, story = (as_text(row.values.get(file.fields.get(name, name))) for name in _ALSO)
    return Pair(first, second, 1.0, split=split, gold1=("", "", story), gold2=("", "", story))


def _parts(
    file: ColumnSource,
    pairs: Sequence[Pair],
    left_out: Mapping[str, int],
    splitting: Splitting,
    number: int,
) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Return what a file gives to train on, to validate on, and to hold out."""
    if not pairs and left_out.get(_KNOWN):
        return [], [], []  # all of it stands in files before it
    train, validation, held = map(list, by_split(pairs))
    if not train:
        raise InputError(
            f"{file.path}: no pair of {' and '.join(file.reading.columns)} has the split "
            f'"train" or none, of {len(pairs)} read{in_words(left_out)}. Name the columns, such as '
            "columns=headline:lead, or correct the split field."
        )
    most = file.reading.most
    if most is not None and len(train) > most:
        chosen = np.random.default_rng([11, splitting.seed, number]).permutation(len(train))
        train = [train[i] for i in sorted(chosen[:most].tolist())]
    if not validation:
        split_up = split_off(train, splitting, file.path)
        train, validation = (list(split_up.parts[name]) for name in ("train", "validation"))
    return train, validation, held


def _source(
    file: ColumnSource, counts: Sequence[int], left_out: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "file": file.path.name,
        "sha256": file_sha256(file.path.resolve()),
        "kind": "columns",
        "reading": asdict(file.reading),
        "fields": dict(file.fields),
        "left_out": dict(left_out),
        **dict(zip(("train_pairs", "validation_pairs", "held_out"), counts, strict=True)),
    }
