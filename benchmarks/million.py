"""Time newsnest on a million short texts: `newsnest cluster`, then `newsnest report` and the page.

python benchmarks/million.py --data FOLDER [--texts 1000000] [--encoder static] [--folder FOLDER]

The texts are distinct sentences of real files, a seeded sample of all there are, with the date of
their article where it has one and without a language, so that it has to be detected. Each command
is a process of its own. Seconds per stage are what the run itself wrote down; wall and processor
seconds and the highest resident memory (VmHWM) are those of the process. The page is opened in
Chromium from its file, up to where its script says that it is ready, the median of the repeats.

Targets: cluster below 12 GB, the page open in less than 3 s.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import measured
from newsnest.describe.sentences import split_sentences
from newsnest.nest import Nest

SETS = (
    "20newsgroups", "agnews", "bbc", "biomedical", "ecbplus", "fr_headlines", "huffpost",
    "masakhanews", "mrpc", "orangesum", "searchsnippets", "semeval_slugs", "sib200",
    "stackoverflow", "stsb_multi", "tatoeba", "uci_news", "wiki_events", "wikiqa",
)  # fmt: skip
FIELDS = ("title", "text", "summary", "text1", "text2")
SHORTEST, LONGEST = 20, 400  # characters of a sentence
TARGETS = {"cluster_peak_gb": 12.0, "page_open_seconds": 3.0}
NEWSNEST = (sys.executable, "-m", "newsnest")
CHROMIUM = "--headless=new --no-sandbox --disable-gpu --disable-background-networking"
_POLL = 0.2  # seconds between two looks at a process' memory
_GB = 1e9


def sentences(folder: Path) -> Iterator[dict[str, str]]:
    """Yield every distinct sentence of the sets, with outlet and date."""
    seen: set[str] = set()
    for name in SETS:
        for row in measured.load_rows(folder, name):
            for field in FIELDS:
                for sentence in split_sentences(row.get(field) or "", row.get("lang", "")[:2]):
                    text = " ".join(sentence.split())
                    if SHORTEST <= len(text) <= LONGEST and text not in seen:
                        seen.add(text)
                        yield {"text": text, "source": name, "date": row.get("date", "")}


def write_corpus(data: Path, path: Path, texts: int) -> int:
    """Write a seeded sample of the sentences, in the order of their sets; return how many."""
    found = list(sentences(data))
    if len(found) < texts:
        raise SystemExit(f"{data} holds {len(found):,} distinct sentences, fewer than {texts:,}")
    kept = np.sort(np.random.default_rng(0).choice(len(found), texts, replace=False))
    with path.open("w", encoding="utf-8") as file:
        for number in kept.tolist():
            row = {"id": f"s{number:07}", **found[number]}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return texts


def run(command: Sequence[str], log: Path) -> dict[str, float]:
    """Run a command; return its wall and processor seconds and its peak memory in GB."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, measured.peak_mib(process.pid))
            time.sleep(_POLL)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}\n{log.read_text()}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(spent, 1),
        "peak_gb": round(peak * 2**20 / _GB, 2),
    }


def page_open(page: Path, repeats: int = 3) -> float | str:
    """Return the seconds until the page is ready in Chromium, or why that was not measured."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        from selenium.webdriver.support.ui import WebDriverWait
    except ImportError:
        return "not measured: selenium is not installed"
    if browser is None or driver is None:
        return "not measured: Chromium or its driver is not installed"
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in CHROMIUM.split():
        options.add_argument(flag)
    times = []
    opened = webdriver.Chrome(options=options, service=Service(driver))
    try:
        for _ in range(repeats):
            opened.get("about:blank")
            start = time.perf_counter()
            opened.get(page.as_uri())
            WebDriverWait(opened, 60, poll_frequency=0.02).until(
                lambda d: d.execute_script("return document.documentElement.dataset.ready")
            )
            times.append(time.perf_counter() - start)
    finally:
        opened.quit()
    return round(median(times), 2)


def measure(options: Any, folder: Path) -> dict[str, Any]:
    """Build the file, run both commands, open the page."""
    name = f"million-{options.texts}"
    corpus, nest, page = (folder / f"{name}{end}" for end in (".jsonl", ".nest", ".html"))
    if not corpus.is_file():
        write_corpus(options.data, corpus, options.texts)
    command = (*NEWSNEST, "cluster", str(corpus), "-o", str(nest), "--encoder", options.encoder)
    cluster = run(command, folder / f"{name}.cluster.log")
    print("cluster", cluster, flush=True)
    with Nest(nest) as opened:
        facts = opened.run().facts
    report = run((*NEWSNEST, "report", str(nest), "-o", str(page)), folder / f"{name}.report.log")
    print("report", report, flush=True)
    show = run((*NEWSNEST, "show", str(nest)), folder / f"{name}.show.log")
    print("show", show, flush=True)
    stages = facts["seconds"]
    return {
        "texts": options.texts,
        "encoder": options.encoder,
        "independent": facts["independent"],
        "clusters": facts["clusters"],
        "exact": facts["exact"],
        "cluster": cluster,
        "stage_seconds": stages,
        "start_up_and_rest_seconds": round(cluster["seconds"] - sum(stages.values()), 1),
        "report": report,
        "show": show,
        "corpus_gb": round(corpus.stat().st_size / _GB, 3),
        "nest_gb": round(nest.stat().st_size / _GB, 3),
        "page_mb": round(page.stat().st_size / 1e6, 2),
        "page_open_seconds": page_open(page),
    }


def _met(value: float | str, target: float) -> bool | None:
    """Whether a value is below its target; None where it was not measured."""
    return None if isinstance(value, str) else value < target


def main() -> None:
    parser = measured.arguments((__doc__ or "").partition("\n")[0])
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--encoder", default="static")
    parser.add_argument("--folder", type=Path, help="keeps the files; None: they are deleted")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        result = measure(options, folder)
    result["load_average_at_the_end"] = round(os.getloadavg()[0], 1)
    found = {
        "cluster_peak_gb": result["cluster"]["peak_gb"],
        "page_open_seconds": result["page_open_seconds"],
    }
    result["targets"] = {
        name: {"found": value, "target": TARGETS[name], "met": _met(value, TARGETS[name])}
        for name, value in found.items()
    }
    print(json.dumps(result, indent=1))
    measured.write_result("million", result)


if __name__ == "__main__":
    main()
