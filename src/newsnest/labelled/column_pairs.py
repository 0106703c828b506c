"""Pairs of two columns to train and validate on, cleaned and without leaks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from newsnest.corpus import Profile, Row, clean_article, read_rows
from newsnest.corpus.columns import Columns
from newsnest.corpus.rows import as_text
from newsnest.errors import InputError, ParameterError, did_you_mean
from newsnest.labelled.data_files import DataFile, Reading
from newsnest.labelled.pairs import Pair, same_text
from newsnest.labelled.rows import Fields, first_columns
from newsnest.labelled.training import Part, Splitting, TrainingData, assemble, divided, in_words
from newsnest.progress import SILENT, Progress
from newsnest.types import Rejected

USUAL = (
    ("query", "item"),
    ("question", "answer"),
    ("title", "summary"),
    ("title", "text"),
    ("text1", "text2"),
)
"""The first two that a file has are read; title, text and summary also by their usual names."""
_USUAL_NAMES = ("title", "text", "summary")
_KNOWN = "repeat an earlier pair"


@dataclass(frozen=True, slots=True)
class ColumnReading(Reading):
    """How a file of two columns is read.

    Parameters
    ----------
    columns
        Of the first and the second text; title, text and summary are found by their usual names.
        None: the first two of `USUAL` that the file has.
    max_pairs
        Maximum number of pairs to train on, drawn at random; None: all.
    profile
        Name or path of a cleaning profile, once it is loaded its name and digest; None: none.
    """

    FIELDS = ("split", "story")
    columns: tuple[str, str] | None = ("title", "summary")
    max_pairs: int | None = None
    profile: str | None = None

    def completed(self, path: Path) -> Self:
        """Return it with the two columns of the file, found where none are named."""
        columns = self.columns or _usual_columns(path)
        if columns[0] == columns[1]:
            raise ParameterError(
                f"{path}: columns must be two, got {columns[0]!r} twice. "
                "Write them as in columns=title:summary."
            )
        return replace(self, columns=columns)


def _usual_columns(path: Path) -> tuple[str, str]:
    names = first_columns(path)
    if not names:
        raise InputError(f"{path}: must hold rows of two texts, got none. Check the file.")
    found = {*names, *Columns({}).match(names)}
    for first, second in USUAL:
        if first in found and second in found:
            return first, second
    raise InputError(
        f"{path}: must have two columns of texts, such as title and summary, got "
        f"{', '.join(names[:30])}. Name them: {path.name},columns=headline:lead."
    )


ColumnFile = DataFile[ColumnReading]


def read_column_pairs(
    files: Sequence[ColumnFile], splitting: Splitting, *, progress: Progress = SILENT
) -> TrainingData:
    """Read pairs, each of score 1, without leaks between what is trained and validated on.

    Parameters
    ----------
    files
        `parse_data` returns them.
    splitting
        How validation pairs come about; `hard` is not looked at.
    progress
        Reports what every file gave, and what was left out.

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
    parts: list[Part] = []
    paths = [file.path.resolve() for file in files]
    for number, file in enumerate(files):
        pairs, left_out = _read(file, known, progress)
        part = _part(file, pairs, left_out, splitting, number)
        # A file that is given twice, for other columns, has its stories once.
        parts.append(part.tagged(f"{paths.index(paths[number])}:" if len(files) > 1 else ""))
        progress.note(
            f"{file.path.name}: {len(part.train):,} pairs to train on, {len(part.validation):,} to "
            f"validate on{in_words(left_out)}"
        )
    return assemble(files, parts, splitting, progress=progress)


def all_column_pairs(
    file: ColumnFile, *, progress: Progress = SILENT
) -> tuple[list[Pair], dict[str, int]]:
    """Read all pairs of a file, whatever their split, and count what was left out, by reason.

    Parameters
    ----------
    file
        `parse_data` returns it; `max_pairs` is not looked at.
    progress
        Reports how the file is read.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    return _read(file, _Known({}, set()), progress)


@dataclass(frozen=True, slots=True)
class _Known:
    """Texts and pairs of all files so far: a text's spelling, and pairs by what they are for.

    A pair that is trained on and held out is no copy but a leak, which is looked for later.
    """

    spelling: dict[str, str]
    pairs: set[tuple[str, str, str]]


def _read(file: ColumnFile, known: _Known, progress: Progress) -> tuple[list[Pair], dict[str, int]]:
    """Return the pairs of a file, and how many rows were left out by reason."""
    two = file.reading.columns
    assert two is not None  # parse_data has completed it
    named = {column: column for column in two if column not in _USUAL_NAMES}
    fields = Fields((*two, "split", "story"), {**named, **file.fields}, caller="read_column_pairs")
    seen: dict[str, None] = {}
    left_out: Counter[str] = Counter()

    pairs: list[Pair] = []
    for row in read_rows([file.path], fields, progress=progress):
        if isinstance(row, Row):
            seen.update(dict.fromkeys(row.values))
        item = row if isinstance(row, Rejected) else _pair(row, fields, two, file.profile)
        if isinstance(item, Rejected):
            if not left_out["cannot be read"]:
                progress.note(f"{item.file}, line {item.line}: {item.reason}")
            left_out["cannot be read"] += 1
        elif isinstance(item, str):
            left_out[item] += 1
        else:
            one, other = (
                known.spelling.setdefault(same_text(t), t) for t in (item.text1, item.text2)
            )
            key = (one, other, item.side)
            if one == other:
                left_out["say the same twice"] += 1
            elif key in known.pairs:
                left_out[_KNOWN] += 1
            else:
                known.pairs.add(key)
                pairs.append(replace(item, text1=one, text2=other))
    if not pairs and seen:
        _check_columns(file, fields, two, tuple(seen))
    return pairs, dict(sorted(left_out.items()))


def _pair(
    row: Row, fields: Fields, two: tuple[str, str], profile: Profile | None
) -> Pair | str | Rejected:
    """Return the pair of a row, or why it has none."""
    found = fields.match(tuple(row.values))
    values = dict.fromkeys(fields.known, "")
    for field, columns in found.items():
        try:
            held = (as_text(row.values[column]) for column in columns)
            values[field] = next(filter(None, held), "")
        except TypeError as error:
            return row.reject(f"a {field} is {error}, expected a text")
    texts = [values[field] for field in two]
    if profile is not None:
        done = clean_article(list(zip(("title", "text"), texts, strict=True)), row.values, profile)
        if done.drop is not None:
            return f"dropped by the profile ({done.drop.rule})"
        texts = list(done.texts)
    first, second = (" ".join(text.split()) for text in texts)
    if not first or not second:
        return "have no two texts"
    gold = ("", "", values["story"])
    return Pair(first, second, 1.0, split=values["split"], gold1=gold, gold2=gold)


def _check_columns(
    file: ColumnFile, fields: Fields, two: tuple[str, str], names: tuple[str, ...]
) -> None:
    """Raise if a column of the pairs is in no row."""
    found, usual = fields.match(names), Columns({}).match(names)
    choice = [usual[field][0] for field in _USUAL_NAMES if field in usual][:2]
    for column in two:
        if column not in found:
            raise InputError(
                f"{file.path}: the column {column!r} must exist, got none of that name."
                f"{did_you_mean(column, names)} Choose two of {', '.join(names[:30])}: "
                f"{file.path.name},columns={':'.join(choice if len(choice) == 2 else _EXAMPLE)}."
            )


_EXAMPLE = ("headline", "lead")


def _part(
    file: ColumnFile,
    pairs: Sequence[Pair],
    left_out: Mapping[str, int],
    splitting: Splitting,
    number: int,
) -> Part:
    """Return what a file gives to train on, to validate on, and to hold out."""
    if not pairs and left_out.get(_KNOWN):
        part = Part("columns", [], [], [], {"held_out": 0})  # all of it stands in files before it
    elif not any(pair.side == "train" for pair in pairs):
        raise InputError(
            f"{file.path}: no pair of {' and '.join(file.reading.columns or ())} has the split "
            f'"train" or none, of {len(pairs)} read{in_words(left_out)}. Name the columns, such as '
            "columns=headline:lead, or correct the split field."
        )
    else:
        seed = [11, splitting.seed, number]
        part = divided("columns", file, pairs, splitting, seed)
    return replace(part, counts={**part.counts, "left_out": dict(left_out)})
