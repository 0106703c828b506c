"""Time newsnest as a user runs it: `newsnest cluster`, then `newsnest report`, from a shell.

python benchmarks/whole_run.py --data FOLDER [--repeats 3] [--encoders minilm static tfidf]

6,366 headlines of uci_news without their gold fields, each run in a fresh process and a fresh
nest. Seconds are wall clock from the start of the process to its end, the median of the repeats;
memory is the highest resident size Linux saw (VmHWM), the largest of the repeats. Encoding is what
the run itself wrote down for it, loading the weights included. `again` is a second run in the same
nest with another min_similarity: nothing is encoded, all else is done anew, and with minilm its
weights are still loaded. What only the first run on a machine pays is told apart.

Targets: minilm without encoding below 10 s; static, page included, below 15 s.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import measured
from newsnest.nest import Nest

SET = "uci_news"
GOLD = ("story", "topic", "theme", "label")
ENCODERS = ("minilm", "static", "tfidf")
TARGETS = {"minilm without encoding": 10.0, "static with page": 15.0}
NEWSNEST = (sys.executable, "-m", "newsnest")
STARTS = {
    "python": (sys.executable, "-c", "pass"),
    "import newsnest": (sys.executable, "-c", "import newsnest"),
    "import newsnest.pipeline": (sys.executable, "-c", "import newsnest.pipeline"),
    "newsnest --help": (*NEWSNEST, "--help"),
}
HEAVY = ("torch", "numba", "pandas", "scipy.stats", "sklearn.manifold", "trafilatura", "dateparser")
_POLL = 0.02  # seconds between two looks at a process' memory


class Failed(RuntimeError):
    """A command that is being timed ended with an error."""


def run(command: Sequence[str], environment: Mapping[str, str]) -> dict[str, float]:
    """Run a command; return its wall seconds and peak resident memory in MiB."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**environment})
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, measured.peak_mib(process.pid))
            time.sleep(_POLL)
        seconds = time.perf_counter() - start
        if process.returncode:
            said.seek(0)
            raise Failed(f"{' '.join(command)}: exit {process.returncode}\n{said.read().decode()}")
    return {"seconds": seconds, "peak_mib": peak}


def write_corpus(data: Path, path: Path) -> int:
    rows = measured.load_rows(data, SET)
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            kept = {name: value for name, value in row.items() if name not in GOLD}
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")
    return len(rows)


def one_run(
    encoder: str, corpus: Path, folder: Path, environment: Mapping[str, str]
) -> dict[str, Any]:
    """Cluster into a fresh nest, write the page, cluster again with other values."""
    nest, page = folder / "run.nest", folder / "run.html"
    cluster = (*NEWSNEST, "cluster", str(corpus), "-o", str(nest), "--encoder", encoder)
    first = run(cluster, environment)
    with Nest(nest) as opened:
        stages = dict(opened.run().facts["seconds"])
    report = run((*NEWSNEST, "report", str(nest), "-o", str(page)), environment)
    again = run((*cluster, "--min-similarity", "theme=0.05"), environment)
    sizes = {"nest_mib": nest.stat().st_size / 2**20, "page_mib": page.stat().st_size / 2**20}
    for path in folder.glob("run.*"):
        path.unlink()
    return {
        "cluster": first["seconds"],
        "report": report["seconds"],
        "again": again["seconds"],
        "cluster_and_report": first["seconds"] + report["seconds"],
        "without_encoding": first["seconds"] - stages["encode"],
        **{f"stage {name}": seconds for name, seconds in stages.items()},
        "stage start-up, reading, writing": first["seconds"] - sum(stages.values()),
        "cluster_peak_mib": first["peak_mib"],
        "report_peak_mib": report["peak_mib"],
        **sizes,
    }


def middle(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Median of seconds and sizes, largest of peaks."""
    return {
        name: round(max(values) if "peak" in name else median(values), 2)
        for name in runs[0]
        for values in [[one[name] for one in runs]]
    }


def first_times(
    corpus: Path, folder: Path, environment: Mapping[str, str]
) -> tuple[dict[str, float], dict[str, str]]:
    """Start with empty caches; return what filling them takes once, and where they are now."""
    kept = {
        **environment,
        "NUMBA_CACHE_DIR": str(folder / "numba"),
        "NEWSNEST_CACHE": str(folder / "cache"),
    }
    cost = {}
    for what, encoder in (("compile kernels", "tfidf"), ("distil static", "static")):
        command = (*NEWSNEST, "cluster", str(corpus), "--encoder", encoder, "-o")
        nests = [str(folder / f"{encoder}{turn}.nest") for turn in range(2)]
        seconds = [run((*command, nest), kept)["seconds"] for nest in nests]
        cost[what] = round(seconds[0] - seconds[1], 2)
    return cost, kept


def starts(repeats: int, environment: Mapping[str, str]) -> dict[str, float]:
    return {
        name: round(median(run(command, environment)["seconds"] for _ in range(repeats)), 2)
        for name, command in STARTS.items()
    }


def loaded(corpus: Path, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Which heavy modules a `static` run has loaded at its end."""
    script = (
        "import sys; from newsnest.cli.main import main; "
        f"main({['cluster', str(corpus), '-o', str(folder / 'seen.nest'), '--encoder', 'static']!r}"
        ", standalone_mode=False); "
        f"print('loaded', *[m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run(
        (sys.executable, "-c", script),
        capture_output=True,
        text=True,
        check=True,
        env={**environment},
    )
    return done.stdout.rpartition("loaded")[2].split()


def against_targets(encoders: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    found = {}
    if "minilm" in encoders:
        found["minilm without encoding"] = encoders["minilm"]["without_encoding"]
    if "static" in encoders:
        found["static with page"] = encoders["static"]["cluster_and_report"]
    return {
        name: {"seconds": seconds, "target": TARGETS[name], "met": seconds < TARGETS[name]}
        for name, seconds in found.items()
    }


def table(encoders: Mapping[str, Mapping[str, float]]) -> str:
    names = list(dict.fromkeys(name for row in encoders.values() for name in row))
    lines = [f"| | {' | '.join(encoders)} |", f"|---|{'---|' * len(encoders)}"]
    for name in names:
        cells = [f"{row[name]:.2f}" if name in row else "" for row in encoders.values()]
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with uci_news.jsonl.gz")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS))
    options = parser.parse_args()
    result: dict[str, Any] = {"set": SET, "repeats": options.repeats}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = folder / "headlines.jsonl"
        result["articles"] = write_corpus(options.data, corpus)
        result["first_time_seconds"], environment = first_times(corpus, folder, os.environ)
        result["loaded_by_static"] = loaded(corpus, folder, environment)
        result["start_seconds"] = starts(options.repeats, environment)
        encoders: dict[str, dict[str, float]] = {}
        for encoder in options.encoders:
            runs = [one_run(encoder, corpus, folder, environment) for _ in range(options.repeats)]
            encoders[encoder] = middle(runs)
            print(encoder, encoders[encoder], flush=True)
    result |= {"encoders": encoders, "targets": against_targets(encoders)}
    print(table(encoders))
    print(json.dumps({k: v for k, v in result.items() if k != "encoders"}, indent=1))
    measured.write_result("whole_run", result)


if __name__ == "__main__":
    main()
