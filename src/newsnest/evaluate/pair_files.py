"""Read graded pairs of texts from a file, and see which of them share articles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from newsnest.errors import InputError, ParameterError, did_you_mean
from newsnest.evaluate.rows import read_rows
from newsnest.types import Article

FIELDS = (
    "id1", "id2", "title1", "title2", "text1", "text2", "lang1", "lang2", "score", "split", "group",
)  # fmt: skip
"""What a pair is read from; text1, text2 and score must stand somewhere in the file."""


@dataclass(frozen=True, slots=True)
class GradedPair:
    """Two texts and how similar people found them.

    Parameters
    ----------
    text1, text2
        Title and text as an encoder reads them (`Article.body`); never empty.
    similarity
        In [0, 1]: 0 is different, 1 is the same.
    lang1, lang2
        As the file has them, "" if unknown.
    id1, id2
        Ids of the articles, "" if the file has none.
    split
        "train", "eval" or what the file says; "" if it says nothing.
    group
        Pairs of one group are not independent of each other, such as translations of one pair;
        "" if the file says nothing.
    line
        Where the pair stands in its file, for messages.
    """

    text1: str
    text2: str
    similarity: float
    lang1: str = ""
    lang2: str = ""
    id1: str = ""
    id2: str = ""
    split: str = ""
    group: str = ""
    line: int = 0

    @property
    def languages(self) -> str:
        """Both languages in the order of the alphabet, "en-es"; "" where one is unknown."""
        return "-".join(sorted((self.lang1, self.lang2))) if self.lang1 and self.lang2 else ""


@dataclass(frozen=True, slots=True)
class PairFile:
    """The pairs of a file, and how many rows could not be used.

    Parameters
    ----------
    pairs
        In the order of the file.
    without_text
        Rows of the split with an empty text.
    without_score
        Rows of the split with two texts and no score.
    other_splits
        Rows of other splits than the one asked for.
    """

    pairs: tuple[GradedPair, ...]
    without_text: int
    without_score: int
    other_splits: int


def read_pairs(
    path: str | Path,
    *,
    scale: tuple[float, float] = (0.0, 1.0),
    split: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> PairFile:
    r"""Read graded pairs of texts.

    Parameters
    ----------
    path
        A .jsonl, .csv or .tsv file, each also gzipped (.gz), or .parquet. UTF-8.
    scale
        The score of two texts that have nothing in common, and that of two that say the same:
        (4, 1) where 1 is the same, (0, 5) for STS. Scores are mapped to [0, 1] linearly.
    split
        Read only rows whose split is this; None reads all.
    fields
        Names in the file of what has another name there, such as {"score": "overall"}.

    Returns
    -------
    PairFile
        Rows without text or score are left out and counted.

    Raises
    ------
    InputError
        If the file cannot be read, a row is bad, a score is no number or outside of the scale, no
        row has a text or a score field, or none has the split. It names file, line and cure.
    ParameterError
        If the scale has no extent, or a key of `fields` is unknown.

    Example
    -------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "pairs.csv"
    >>> _ = file.write_text("text1,text2,score\nRates held,Rate holds,1\nRates held,Flood,4\n")
    >>> [pair.similarity for pair in read_pairs(file, scale=(4, 1)).pairs]
    [1.0, 0.0]
    """
    file = Path(path)
    names = field_names(fields, FIELDS, caller="read_pairs")
    _check_scale(scale)
    seen: dict[str, None] = {}
    splits: Counter[str] = Counter()
    pairs: list[GradedPair] = []
    textless = scoreless = 0
    for line, row in read_rows(file, what="pairs"):
        seen.update(dict.fromkeys(row))
        own = {field: row.get(name) for field, name in names.items()}
        splits[as_text(own["split"])] += 1
        if split is not None and as_text(own["split"]) != split:
            continue
        pair = _pair(own, _score(f"{file}, line {line}", names["score"], own["score"], scale), line)
        if not (pair.text1 and pair.text2):
            textless += 1
        elif math.isnan(pair.similarity):
            scoreless += 1
        else:
            pairs.append(pair)
    require_fields(file, [names[field] for field in ("text1", "text2", "score")], seen)
    if split is not None:
        require_split(file, split, splits)
    return PairFile(
        tuple(pairs), textless, scoreless, splits.total() - splits[split] if split else 0
    )


def pair_components(pairs: Sequence[GradedPair]) -> NDArray[np.int64]:
    """Number the connected components of pairs: those that share articles, however indirectly.

    Two pairs are neighbours where they share an article (the same id, or the same text under
    another id) or a group.

    Returns
    -------
    int64 (len(pairs),), 0 … k − 1 in the order of the pairs.

    Example
    -------
    >>> a, b = GradedPair("x", "y", 1.0), GradedPair("y", "z", 0.5)
    >>> pair_components([a, GradedPair("v", "w", 0.0), b]).tolist()
    [0, 1, 0]
    """
    nodes: dict[Hashable, int] = {}
    edges: list[tuple[int, int]] = []
    for row, pair in enumerate(pairs):
        ends: list[Hashable] = [("text", pair.text1), ("text", pair.text2)]
        ends += [("id", article) for article in (pair.id1, pair.id2) if article]
        ends += [("group", pair.group)] if pair.group else []
        edges += [(row, nodes.setdefault(end, len(nodes))) for end in ends]
    n = len(pairs)
    if not n:
        return np.zeros(0, np.int64)
    ends_of = np.array(edges)
    size = n + len(nodes)
    graph = sparse.coo_array(
        (np.ones(len(edges), np.int8), (ends_of[:, 0], n + ends_of[:, 1])), shape=(size, size)
    )
    found = connected_components(graph, directed=False)[1][:n]
    first, codes = np.unique(found, return_index=True, return_inverse=True)[1:]
    rank = np.empty(first.size, np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    numbered: NDArray[np.int64] = rank[codes]
    return numbered


def field_names(
    fields: Mapping[str, str] | None, known: Sequence[str], *, caller: str
) -> dict[str, str]:
    """Return the name in the file of every known field."""
    for field in fields or {}:
        if field not in known:
            raise ParameterError(
                f"{caller}: fields must name some of {', '.join(known)}, got {field!r}."
                f"{did_you_mean(field, known)} Write field=NAME-IN-THE-FILE."
            )
    return {field: field for field in known} | dict(fields or {})


def require_fields(
    file: Path, wanted: Sequence[str], seen: Mapping[str, None], *, cure: str = ""
) -> None:
    """Raise unless every wanted field was seen in the file; `cure` is added to the message."""
    for name in wanted:
        if name not in seen:
            choice = f"Choose among {', '.join(seen)}.{cure}" if seen else "The file has no rows."
            raise InputError(
                f'{file}: no row has the field "{name}".{did_you_mean(name, seen)} {choice}'
            )


def require_split(file: Path, split: str, splits: Mapping[str, int]) -> None:
    """Raise unless some row has the split."""
    if not splits.get(split):
        found = ", ".join(name or "none" for name in splits)
        raise InputError(
            f'{file}: no row has the split "{split}". Choose among {found}, or leave the split out.'
        )


def as_text(value: object) -> str:
    """Return a value of a row as text; "" for nothing, whole numbers without a point."""
    if value is None or value != value:  # NaN is how tables write nothing
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _pair(row: Mapping[str, Any], similarity: float, line: int) -> GradedPair:
    def body(end: str) -> str:
        return Article("", as_text(row[f"title{end}"]), as_text(row[f"text{end}"])).body

    told = {f: as_text(row[f]) for f in ("lang1", "lang2", "id1", "id2", "split", "group")}
    return GradedPair(body("1"), body("2"), similarity, **told, line=line)


def _check_scale(scale: tuple[float, float]) -> None:
    if not all(map(math.isfinite, scale)) or scale[0] == scale[1]:
        raise ParameterError(
            f"read_pairs: scale must be two different scores, that of different texts and that of "
            f"the same, got {scale}. Give (4, 1) where 1 is the same and 4 is different."
        )


def _score(where: str, field: str, value: object, scale: tuple[float, float]) -> float:
    """Return the similarity in [0, 1], NaN where there is no score."""
    if as_text(value) == "":
        return math.nan
    try:
        score = math.nan if isinstance(value, bool) else float(as_text(value))
    except ValueError:
        score = math.nan
    if math.isnan(score):
        raise InputError(
            f'{where}: the field "{field}" holds {value!r}. '
            "Give a number, or nothing where there is no score."
        )
    different, same = scale
    if not min(scale) <= score <= max(scale):
        raise InputError(
            f'{where}: the field "{field}" holds {score:g}, which is outside of the scale from '
            f"{different:g} (different) to {same:g} (the same). Say its scale, as in --scale 4 1."
        )
    return (score - different) / (same - different) + 0.0  # never −0
