"""Read parallel sentences: texts of every language with their counterparts in a pivot language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsnest.errors import InputError, did_you_mean
from newsnest.labelled.rows import Fields, Record, check_split, columns_of, read_records
from newsnest.progress import SILENT, Progress

PARALLEL_FIELDS = ("key", "text", "lang", "text1", "text2", "lang1", "lang2", "split")
"""What parallel sentences are read from: text, lang, key; or text1, text2, lang1, lang2."""

ENGLISH = ("en", "eng", "eng_Latn")
"""What English is called in files; the first that a file has is its pivot unless another is."""

_ONE_A_ROW = ("key", "text", "lang")


@dataclass(frozen=True, slots=True)
class ParallelTexts:
    """The sentences of one language and their counterparts.

    Parameters
    ----------
    language, pivot
        As the file has them.
    texts, pivot_texts
        (n,) each: one sentence a place, in both languages.
    """

    language: str
    pivot: str
    texts: tuple[str, ...]
    pivot_texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParallelFile:
    """The parallel sentences of a file, and how many rows could not be used.

    Parameters
    ----------
    pivot
        The language the others are compared with.
    languages
        In the order of the file, the pivot left out.
    without_text
        Rows of the split with an empty text.
    without_counterpart
        Rows of the split whose key the pivot lacks, or that are not with the pivot.
    other_splits
        Rows of other splits than the one asked for.
    """

    pivot: str
    languages: tuple[ParallelTexts, ...]
    without_text: int
    without_counterpart: int
    other_splits: int


def read_parallel(
    path: str | Path,
    *,
    pivot: str | None = None,
    split: str | None = None,
    fields: Mapping[str, str] | None = None,
    progress: Progress = SILENT,
) -> ParallelFile:
    r"""Read parallel sentences, one text a row or two.

    A row with `text1` and `text2` holds a sentence and its translation; the pivot may be on
    either side. Otherwise a row holds one sentence, and sentences of one `key` are translations
    of each other; so it does where key, text or lang is in `fields`.

    Parameters
    ----------
    path
        A file that `newsnest.corpus.read_articles` reads and that has columns.
    pivot
        The language to compare with, as the file writes it; None takes English, which may be
        written en, eng or eng_Latn.
    split
        Read only rows whose split is this; None reads all.
    fields
        Names in the file of what has another name there, such as {"key": "pid"}.
    progress
        Reports how the file was read.

    Returns
    -------
    ParallelFile
        Rows without text or counterpart are left out and counted.

    Raises
    ------
    InputError
        If the file cannot be read, a row is bad or lacks its key or language, a key stands twice
        in a language, no row has a field, the split or the pivot, or nothing has a counterpart.
        The message names file, line and cure.
    ParameterError
        If a key of `fields` is unknown.

    Example
    -------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "sentences.csv"
    >>> _ = file.write_text("key,lang,text\n1,en,Good day\n1,fr,Bonjour\n2,en,Yes\n")
    >>> read_parallel(file).languages[0].texts
    ('Bonjour',)
    """
    return Sentences(path, fields, progress=progress).parallel(pivot=pivot, split=split)


class Sentences:
    """The rows of a file of parallel sentences, read once and joined split by split.

    See `read_parallel` for what is read and raised.
    """

    def __init__(
        self, path: str | Path, fields: Mapping[str, str] | None, *, progress: Progress
    ) -> None:
        self.file = Path(path)
        self.names = names = Fields(PARALLEL_FIELDS, fields, caller="read_parallel")
        self.rows = read_records(path, names, (), what="parallel sentences", progress=progress)
        seen = columns_of(self.rows)
        named = any(field in names.fields for field in _ONE_A_ROW)
        self.two_a_row = "text1" in names.match(tuple(seen)) and not named
        wanted = ("text1", "text2", "lang1", "lang2") if self.two_a_row else _ONE_A_ROW
        names.require(self.file, wanted, seen)

    def splits(self) -> list[str]:
        """Return the splits of the rows in the order of the file, "" for none."""
        return list(dict.fromkeys(row["split"] for row in self.rows))

    def parallel(self, *, pivot: str | None, split: str | None) -> ParallelFile:
        """Join the sentences of a split, of all for None; see `read_parallel`."""
        others = check_split(self.file, split, (row["split"] for row in self.rows))
        rows = [row for row in self.rows if split is None or row["split"] == split]
        languages = ("lang1", "lang2") if self.two_a_row else ("lang",)
        _require_values(rows, self.names, languages if self.two_a_row else ("lang", "key"))
        found = list(dict.fromkeys(row[field] for row in rows for field in languages))
        chosen = _pivot(self.file, pivot, found)
        join = _two_a_row if self.two_a_row else _one_a_row
        texts, textless, strangers = join(rows, chosen)
        if not texts:
            raise InputError(
                f"{self.file}: no sentence has a counterpart in {chosen}. Check the fields and the "
                "split."
            )
        joined = tuple(
            ParallelTexts(language, chosen, tuple(a for a, _ in both), tuple(b for _, b in both))
            for language, both in texts.items()
        )
        return ParallelFile(chosen, joined, textless, strangers, others)


_Joined = tuple[dict[str, list[tuple[str, str]]], int, int]
"""By language its sentences and their counterparts; rows without text, and without the pivot."""


def _require_values(rows: Sequence[Record], names: Fields, wanted: Sequence[str]) -> None:
    for row in rows:
        for field in wanted:
            if not row[field]:
                raise InputError(
                    f'{row.where}: the row has no "{names.column(field)}". Give every sentence one.'
                )


def _pivot(file: Path, pivot: str | None, found: list[str]) -> str:
    if pivot is None:
        for name in ENGLISH:
            if name in found:
                return name
        raise InputError(
            f"{file}: no sentence is in {', '.join(ENGLISH)}. "
            f"Name the language to compare with, one of {_listed(found)}."
        )
    if pivot not in found:
        raise InputError(
            f'{file}: no sentence is in "{pivot}".{did_you_mean(pivot, found)} '
            f"Choose among {_listed(found)}."
        )
    return pivot


def _listed(found: list[str]) -> str:
    shown = ", ".join(sorted(found)[:20])
    return f"{shown} and {len(found) - 20} more" if len(found) > 20 else shown or "none"


def _two_a_row(rows: Sequence[Record], pivot: str) -> _Joined:
    texts: dict[str, list[tuple[str, str]]] = {}
    textless = strangers = 0
    for row in rows:
        ends = ((row["lang1"], row["text1"]), (row["lang2"], row["text2"]))
        other, same = ends if row["lang2"] == pivot else ends[::-1]
        if same[0] != pivot or other[0] == pivot:
            strangers += 1
        elif not (row["text1"] and row["text2"]):
            textless += 1
        else:
            texts.setdefault(other[0], []).append((other[1], same[1]))
    return texts, textless, strangers


def _one_a_row(rows: Sequence[Record], pivot: str) -> _Joined:
    texts: dict[str, dict[str, str]] = {}
    textless = 0
    for row in rows:
        known = texts.setdefault(row["lang"], {})
        if row["key"] in known:
            raise InputError(
                f'{row.where}: the key "{row["key"]}" stands twice in {row["lang"]}. '
                "Keep one sentence per key and language, or name the field that joins them."
            )
        known[row["key"]] = row["text"]
    for known in texts.values():
        empty = [key for key, text in known.items() if not text]
        textless += len(empty)
        for key in empty:
            del known[key]
    pivots = texts.pop(pivot)
    joined = {
        language: [(text, pivots[key]) for key, text in known.items() if key in pivots]
        for language, known in texts.items()
    }
    strangers = sum(map(len, texts.values())) - sum(map(len, joined.values()))
    return {language: both for language, both in joined.items() if both}, textless, strangers
