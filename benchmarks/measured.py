"""What every benchmark shares: the sets, the vectors, and results that say where they come from."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest.corpus import find_boilerplate
from newsnest.corpus.dates.parse import parse_date
from newsnest.embed import encode_cached, load_encoder
from newsnest.nest import Nest
from newsnest.types import Article, Vectors

RESULTS = Path(__file__).parent / "results"
_LIBRARIES = ("newsnest", "numpy", "scipy", "scikit-learn", "numba", "torch",
              "sentence-transformers", "model2vec")  # fmt: skip


@dataclass(frozen=True, slots=True)
class GoldSet:
    """Articles of one set in canonical order, with a gold label each."""

    name: str
    articles: list[Article]
    gold: NDArray[np.int64]
    times: NDArray[np.float64]

    def take(self, rows: NDArray[np.int64]) -> GoldSet:
        """Return some of the rows."""
        return GoldSet(
            self.name, [self.articles[i] for i in rows], self.gold[rows], self.times[rows]
        )


def arguments(description: str) -> argparse.ArgumentParser:
    """Return a parser with what every benchmark takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with NAME.jsonl.gz")
    parser.add_argument("--cache", type=Path, default=Path("bench.nest"), help="keeps vectors")
    return parser


def load_rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the records of one set."""
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load_gold(
    folder: Path, name: str, field: str, *, most: int | None = None, language: str = ""
) -> GoldSet:
    """Return the labelled articles of a set by id; `most` takes a seeded sample."""
    rows = [row for row in load_rows(folder, name) if row.get(field) not in (None, "")]
    rows = [row for row in rows if language in ("", row.get("lang"))]
    if most is not None and len(rows) > most:
        kept = np.random.default_rng(0).choice(len(rows), most, replace=False)
        rows = [rows[i] for i in kept]
    rows.sort(key=lambda row: row["id"])
    articles = [
        Article(
            row["id"],
            row.get("title", ""),
            row.get("text") or row.get("summary", ""),
            row.get("lang", ""),
            parse_date(row["date"]) if row.get("date") else None,
            row.get("source", ""),
        )
        for row in rows
    ]
    gold = np.unique([str(row[field]) for row in rows], return_inverse=True)[1]
    times = np.array([a.date.timestamp() if a.date else np.nan for a in articles])
    return GoldSet(name, articles, gold.astype(np.int64), times)


def without_boilerplate(gold: GoldSet) -> GoldSet:
    """Return a set as a run compares it."""
    found = find_boilerplate(gold.articles)
    return replace(gold, articles=[found.strip(article) for article in gold.articles])


def encode(texts: Sequence[str], encoder_name: str, cache: Nest) -> Vectors:
    """Return vectors, from the cache where it has them."""
    encoder = load_encoder(encoder_name)
    encoder.prepare(texts)
    return encode_cached(encoder, texts, cache.vectors)


def run_alone(script: str, *arguments: object) -> dict[str, Any]:
    """Run a script in a process of its own, and return the JSON of the last line it prints."""
    command = [sys.executable, script, *map(str, arguments)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(json.loads(out.splitlines()[-1]))


def peak_mib(process: int | str = "self") -> float:
    """Return the peak of a running process; getrusage would start at the peak of its parent."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    _, found, rest = status.partition("VmHWM:")
    return int(rest.split()[0]) / 1024 if found else 0.0


def provenance(**extra: str) -> dict[str, Any]:
    """Return what a result comes from: command, date, machine, versions."""
    return {
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}"]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0)),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {library: version(library) for library in _LIBRARIES} | extra,
    }


def write_result(name: str, result: dict[str, Any], **extra: str) -> None:
    """Write a result with machine, versions and date beside it."""
    _write(name, {**provenance(**extra), **result})


def write_group(name: str, group: str, result: dict[str, Any], **extra: str) -> None:
    """Write one group of a result that is made in several calls, each with its own provenance."""
    path = RESULTS / f"{name}.json"
    groups = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    _write(name, {**groups, group: {**provenance(**extra), **result}})


def _write(name: str, record: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {path}")


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def mean_and_deviation(values: Sequence[float]) -> str:
    """Return "mean ± sample deviation"; how many values there are stands beside it unless three."""
    count = "" if len(values) == 3 else f" (of {len(values)})"
    spread = f" ± {np.std(values, ddof=1):.1f}{count}" if len(values) > 1 else ""
    return f"{np.mean(values):.1f}{spread}"


def page_with(page: str, name: str, table: str) -> str:
    """Return a page with what stands between the markers of a result replaced."""
    begin, end = (f"<!-- from {name}: {mark} -->" for mark in ("begin", "end"))
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise SystemExit(f"page_with: the page must have the markers {begin} and {end}. Add them.")
    return f"{before}{begin}\n\n{table.strip()}\n\n{end}{after}"
