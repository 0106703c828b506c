"""Read a gigabyte of articles while throwing them away: speed, and how far memory grows.

python benchmarks/corpus_reading.py --data FOLDER

FOLDER holds articles in any file newsnest reads. They are repeated with distinct ids into one
JSON-lines file in a temporary directory, which is then read in a fresh process.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

import measured
from newsnest.corpus import ReadOptions, read_articles
from newsnest.types import Article

SAMPLE = 20_000
CHILD = "--read-one-file"


def sample_articles(folder: Path) -> list[Article]:
    sample: list[Article] = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        options = ReadOptions(detect_language=False)
        mine = [
            item for item in read_articles([path], options=options) if isinstance(item, Article)
        ]
        sample += mine[: SAMPLE // 10]
        if len(sample) >= SAMPLE:
            break
    return sample[:SAMPLE]


def write_corpus(path: Path, articles: list[Article], size: int) -> int:
    written = rows = 0
    with path.open("wb") as file:
        for article in cycle(articles):
            row = {
                "id": f"{article.id}-{rows}",
                "title": article.title,
                "text": article.text,
                "lang": article.lang or "en",
                "date": article.date.isoformat() if article.date else None,
                "source": article.source,
                "url": article.url,
            }
            written += file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            rows += 1
            if written >= size:
                return rows
    return rows


def read_one_file(path: Path) -> dict[str, float]:
    before, start = measured.peak_mib(), time.perf_counter()
    counts = {"articles": 0, "others": 0}
    for item in read_articles([path]):
        counts["articles" if isinstance(item, Article) else "others"] += 1
    seconds = time.perf_counter() - start
    return {**counts, "seconds": seconds, "rss_growth_mib": measured.peak_mib() - before}


def main() -> None:
    if sys.argv[1:2] == [CHILD]:
        print(json.dumps(read_one_file(Path(sys.argv[2]))))
        return
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--gigabytes", type=float, default=1.0)
    options = parser.parse_args()
    articles = sample_articles(options.data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "corpus.jsonl")
        rows = write_corpus(path, articles, int(options.gigabytes * 1e9))
        size = path.stat().st_size
        read = measured.run_alone(__file__, CHILD, path)
    result = {
        "what": "read_articles over one JSON-lines file, every article discarded",
        "seed": None,
        "bytes": size,
        "rows": rows,
        "distinct_articles": len(articles),
        "articles": read["articles"],
        "others": read["others"],
        "seconds": round(read["seconds"], 2),
        "megabytes_per_second": round(size / 1e6 / read["seconds"], 1),
        "peak_rss_growth_mib": round(read["rss_growth_mib"], 1),
    }
    print(json.dumps(result, indent=1))
    measured.write_result("corpus_reading", result)


if __name__ == "__main__":
    main()
