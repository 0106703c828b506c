"""Read parallel sentences: texts of every language with their counterparts in a pivot language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsnest.errors import InputError, did_you_mean
from newsnest.evaluate.pair_files import as_text, field_names, require_fields, require_split
from newsnest.evaluate.rows import read_rows

FIELDS = ("key", "text", "lang", "text1", "text2", "lang1", "lang2", "split")
"""What parallel sentences are read from: text, lang, key; or text1, text2, lang1, lang2."""

ENGLISH = ("en", "eng", "eng_Latn")
"""What English is called in files; the first that a file has is its pivot unless another is."""

_Rows = Sequence[tuple[int, Mapping[str, str]]]


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
) -> ParallelFile:
    r"""Read parallel sentences, one text a row or two.

    A row with `text1` and `text2` holds a sentence and its translation; the pivot may stand on
    either side. Otherwise a row holds one sentence, and sentences of one `key` are translations
    of each other.

    Parameters
    ----------
    path
        A .jsonl, .csv or .tsv file, each also gzipped (.gz), or .parquet. UTF-8.
    pivot
        The language to compare with, as the file writes it; None takes English, which may be
        written en, eng or eng_Latn.
    split
        Read only rows whose split is this; None reads all.
    fields
        Names in the file of what has another name there, such as {"key": "pid"}.

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
    file = Path(path)
    names = field_names(fields, FIELDS, caller="read_parallel")
    seen: dict[str, None] = {}
    splits: Counter[str] = Counter()
    rows: list[tuple[int, dict[str, str]]] = []
    for line, row in read_rows(file, what="parallel sentences"):
        seen.update(dict.fromkeys(row))
        own = {field: as_text(row.get(name)) for field, name in names.items()}
        splits[own["split"]] += 1
        if split is None or own["split"] == split:
            rows.append((line, own))
    paired = names["text1"] in seen
    wanted = ("text1", "text2", "lang1", "lang2") if paired else ("text", "lang", "key")
    require_fields(file, [names[field] for field in wanted], seen)
    if split is not None:
        require_split(file, split, splits)
    _require_values(file, rows, names, ("lang1", "lang2") if paired else ("lang", "key"))
    found = list(dict.fromkeys(own[f] for _, own in rows for f in wanted if f.startswith("lang")))
    chosen = _pivot(file, pivot, found)
    left_out = splits.total() - splits[split] if split is not None else 0
    read = (
        _two_a_row(rows, chosen, left_out) if paired else _one_a_row(file, rows, chosen, left_out)
    )
    if not read.languages:
        raise InputError(
            f"{file}: no sentence has a counterpart in {chosen}. Check the fields and the split."
        )
    return read


def _require_values(
    file: Path, rows: _Rows, names: Mapping[str, str], wanted: Sequence[str]
) -> None:
    for line, own in rows:
        for field in wanted:
            if not own[field]:
                raise InputError(
                    f'{file}, line {line}: the row has no "{names[field]}". '
                    "Give every sentence one."
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


def _two_a_row(rows: _Rows, pivot: str, left_out: int) -> ParallelFile:
    texts: dict[str, list[tuple[str, str]]] = {}
    textless = strangers = 0
    for _, own in rows:
        ends = ((own["lang1"], own["text1"]), (own["lang2"], own["text2"]))
        other, same = ends if own["lang2"] == pivot else ends[::-1]
        if same[0] != pivot or other[0] == pivot:
            strangers += 1
        elif not (own["text1"] and own["text2"]):
            textless += 1
        else:
            texts.setdefault(other[0], []).append((other[1], same[1]))
    languages = tuple(
        ParallelTexts(language, pivot, tuple(a for a, _ in both), tuple(b for _, b in both))
        for language, both in texts.items()
    )
    return ParallelFile(pivot, languages, textless, strangers, left_out)


def _one_a_row(file: Path, rows: _Rows, pivot: str, left_out: int) -> ParallelFile:
    texts: dict[str, dict[str, str]] = {}
    textless = 0
    for line, own in rows:
        known = texts.setdefault(own["lang"], {})
        if own["key"] in known:
            raise InputError(
                f'{file}, line {line}: the key "{own["key"]}" stands twice in {own["lang"]}. '
                "Keep one sentence per key and language, or name the field that joins them."
            )
        known[own["key"]] = own["text"]
    for known in texts.values():
        empty = [key for key, text in known.items() if not text]
        textless += len(empty)
        for key in empty:
            del known[key]
    theirs = texts.pop(pivot)
    languages, strangers = [], 0
    for language, known in texts.items():
        keys = [key for key in known if key in theirs]
        strangers += len(known) - len(keys)
        if keys:
            both = tuple(known[k] for k in keys), tuple(theirs[k] for k in keys)
            languages.append(ParallelTexts(language, pivot, *both))
    return ParallelFile(pivot, tuple(languages), textless, strangers, left_out)
