"""A nest as a table, for spreadsheets and notebooks."""

import csv
import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from newsnest.drafts import replacing
from newsnest.errors import InputError, ParameterError
from newsnest.nest.nest import Nest
from newsnest.nest.records import Run

_CHUNK = 10_000
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")


def export(nest: Nest, path: str | Path, *, run: Run | None = None) -> int:
    """Write one row per article, by id, and return how many there are.

    Parameters
    ----------
    nest
        An open nest.
    path
        A .jsonl, .csv or .parquet file. It is written beside itself first and then renamed, so that
        a kill leaves the old file or the new one.
    run
        The run; None means the newest finished one.

    Returns
    -------
    int
        The number of rows: id, one integer column per level, `<level>_name` per level,
        `<level>_section` of themes and topics, articles' title, date, lang, source, url, and
        copy_of.

    Raises
    ------
    ParameterError
        If the suffix is none of the three.
    InputError
        If the path cannot be written, or is the nest itself.
    NestError
        If there is no finished run.
    """
    path = Path(path)
    writers = {".jsonl": _write_jsonl, ".csv": _write_csv, ".parquet": _write_parquet}
    if path.suffix not in writers:
        raise ParameterError(
            f"export: the file must end in {', '.join(writers)}, got {path.name!r}. Rename it."
        )
    if path.exists() and Path(nest.address).exists() and path.samefile(nest.address):
        raise InputError(f"export: path must not be the nest itself, got {path}. Choose another.")
    run = run or nest.run()
    with replacing(path, "export") as draft:
        return writers[path.suffix](rows(nest, run), draft)


def rows(nest: Nest, run: Run) -> Iterator[dict[str, Any]]:
    """Yield one flat record per article of a run, by id."""
    levels = nest.levels(run)
    clusters = {c.id: c for level in levels for c in nest.clusters(level, run=run)}
    sectioned = {cluster.level for cluster in clusters.values() if cluster.section}
    for member in nest.members(run=run):
        path = [clusters[number] for number in member.clusters]
        article = member.article
        yield (
            {"id": article.id}
            | {level: cluster.label for level, cluster in zip(levels, path, strict=True)}
            | {f"{level}_name": cluster.name for level, cluster in zip(levels, path, strict=True)}
            | {f"{one.level}_section": one.section for one in path if one.level in sectioned}
            | {
                "title": article.headline,
                "date": article.date.isoformat() if article.date else None,
                "lang": article.lang,
                "source": article.source,
                "url": article.url,
                "copy_of": member.copy_of,
            }
        )


def _write_jsonl(records: Iterator[dict[str, Any]], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for count, record in enumerate(records, 1):  # noqa: B007 - the last count is the total
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return count


def _write_csv(records: Iterator[dict[str, Any]], path: Path) -> int:
    count = 0
    # Without a byte order mark Excel assumes the machine's legacy encoding.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        for count, record in enumerate(records, 1):
            if count == 1:
                writer = csv.DictWriter(file, fieldnames=list(record))
                writer.writeheader()
            writer.writerow({name: _plain(value) for name, value in record.items()})
    return count


def _plain(value: Any) -> Any:
    """Keep a spreadsheet from running a cell as a formula; an id such as -17 stays as it is."""
    # Full-width signs too: spreadsheets in Asian locales read them as the plain ones.
    risky = isinstance(value, str) and value.startswith(
        ("=", "+", "-", "@", "\t", "\r", *"＝＋－＠")
    )
    return "'" + value if risky and not _NUMBER.fullmatch(value) else value


def _write_parquet(records: Iterator[dict[str, Any]], path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = list(islice(records, _CHUNK))
    schema = pa.schema(
        [
            (name, pa.int32() if isinstance(value, int) else pa.string())
            for name, value in (part[0] if part else {"id": ""}).items()
        ]
    )
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        while part:
            writer.write_table(pa.Table.from_pylist(part, schema=schema))
            count += len(part)
            part = list(islice(records, _CHUNK))
    return count
