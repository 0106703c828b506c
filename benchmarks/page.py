"""Measure the page of a nest: how large it is, and how soon it can be used.

python benchmarks/page.py --data FOLDER [--repeats 5] [--encoder minilm] [--folder KEPT]

The sample that newsnest brings, a file of headlines (global_news), and the first 5,000 of two
more: headlines of a day that share few stories (fr_headlines) and of many outlets that share them
(uci_news). Each page is opened from its file by a fresh Chromium with an empty profile;
`open_seconds` runs from the start of the navigation until lists, filters and all charts are there,
the median of the repeats. The file itself is in the memory of the system. Needs Chromium, its
driver and selenium.

Targets: the sample's page below 2 MB; 5,000 articles open in less than 1.5 s.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import measured
from newsnest.corpus.sample import sample_path
from newsnest.nest import Nest
from newsnest.pipeline import Options, build
from newsnest.web import write_report

ARTICLES = 5_000
SETS = ("global_news", "fr_headlines", "uci_news")
TARGETS = {"sample_mb": 2.0, "open_seconds": 1.5}
FLAGS = "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking"


def write_corpus(data: Path, name: str, path: Path) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for row in itertools.islice(measured.load_rows(data, name), ARTICLES):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser that has never opened anything."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in FLAGS.split():
        options.add_argument(flag)
    opened = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield opened
    finally:
        opened.quit()


def open_seconds(page: Path) -> float:
    """Return the seconds from the start of the navigation until the page can be used."""
    from selenium.webdriver.support.ui import WebDriverWait

    with chromium() as browser:
        browser.get(page.as_uri())
        ready = "return (performance.getEntriesByName('ready')[0] || {}).startTime"
        found = WebDriverWait(browser, 60).until(lambda b: b.execute_script(ready))
    return float(found) / 1000


def measure(corpus: Path, nest: Path, encoder: str, repeats: int) -> dict[str, Any]:
    with Nest(nest, create=True) as opened:  # the same run again makes nothing
        build([corpus], opened, Options(encoder=encoder))
        summary = write_report(opened, nest.with_suffix(".html"))
    return {
        "articles": summary.articles,
        "stories": summary.stories,
        "stories_shown": summary.stories_shown,
        "page_mb": round(summary.bytes / 1e6, 2),
        "open_seconds": round(median(open_seconds(summary.path) for _ in range(repeats)), 2),
    }


def main() -> None:
    parser = measured.arguments((__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--folder", type=Path, help="keeps the nests; None: they are deleted")
    options = parser.parse_args()
    with chromium() as browser:
        version = str(browser.capabilities["browserVersion"])
    pages: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        corpora = {"sample": sample_path()} | {
            one: write_corpus(options.data, one, folder / f"{one}.jsonl") for one in SETS
        }
        for one, corpus in corpora.items():
            nest = folder / f"{one}.nest"
            pages[one] = measure(corpus, nest, options.encoder, options.repeats)
            print(one, pages[one], flush=True)
    slowest = max(page["open_seconds"] for page in pages.values())
    found = {"sample_mb": pages["sample"]["page_mb"], "open_seconds": slowest}
    result = {
        "load_average_at_the_end": round(os.getloadavg()[0], 1),
        "encoder": options.encoder,
        "repeats": options.repeats,
        "pages": pages,
        "targets": {
            key: {"found": found[key], "target": TARGETS[key], "met": found[key] < TARGETS[key]}
            for key in TARGETS
        },
    }
    measured.write_result("page", result, chromium=version)


if __name__ == "__main__":
    main()
