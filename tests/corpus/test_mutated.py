"""3,000 damaged files over all readers: no traceback, no hang, nothing lost without a word."""

from __future__ import annotations

import gzip
import io
import json
import multiprocessing
import random
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from newsnest.errors import InputError
from newsnest.types import Rejected

from .reading import Got, read_bytes

COUNT = 3_000
SECONDS = 10
MEGABYTES = 1_000
ROWS = 12
HOSTILE = [
    b'"', b"\n", b"\r\n", b"\0", b"\xff", b"\xc3", b"{", b"}", b"[", b"]", b",", b";", b"\t", b"<",
    b">", b"&", b"&amp;", b"]]>", b"<!--", b"<![CDATA[", b"<script>", b"<b>", b"\\", b"\\u202e",
    b"null", b"NaN", b"1e400", b"9" * 40, b"\xef\xbb\xbf", b"\xe2\x80\xae", b"'", b"=", b"--",
    b"<!ENTITY a 'b'>", b'"title"',
]  # fmt: skip
WORD = re.compile("Zq[a-p]{6}")


def words(dice: random.Random) -> list[str]:
    """Words that stand nowhere else: what becomes of an article can be told by its word."""
    return ["Zq" + "".join(dice.choices("abcdefghijklmnop", k=6)) for _ in range(ROWS)]


def rows(dice: random.Random) -> list[dict[str, str]]:
    return [
        {
            "id": str(n),
            "title": f"Ferry {word} ends",
            "text": f"Crews went back on day {n}, {word} said.",
            "date": f"2024-03-{n + 1:02}T10:00:00Z",
            "source": "Harbour Post",
        }
        for n, word in enumerate(words(dice))
    ]


def table(dice: random.Random, delimiter: str = ",") -> bytes:
    found = rows(dice)
    lines = [list(found[0]), *([f'"{value}"' for value in row.values()] for row in found)]
    return "\n".join(delimiter.join(line) for line in lines).encode()


def json_lines(dice: random.Random) -> bytes:
    return "\n".join(json.dumps(row) for row in rows(dice)).encode()


def answer(dice: random.Random) -> bytes:
    return json.dumps({"status": "ok", "response": {"results": rows(dice)}}, indent=1).encode()


def feed(dice: random.Random) -> bytes:
    items = "".join(
        f"<item><title>{r['title']}</title><guid>{r['id']}</guid><pubDate>{r['date']}</pubDate>"
        f"<description>&lt;p&gt;{r['text']}&lt;/p&gt;</description></item>"
        for r in rows(dice)
    )
    head = '<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour Post</title>'
    return f"{head}{items}</channel></rss>".encode()


def page(dice: random.Random) -> bytes:
    text = "".join(f"<p>{row['text']} It is a long and plain sentence.</p>" for row in rows(dice))
    return f"<html lang=en><head><title>Ferry</title></head><body>{text}</body></html>".encode()


def parquet(dice: random.Random) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows(dice)), sink, compression="none")
    return sink.getvalue()


FORMATS: dict[str, Callable[[random.Random], bytes]] = {
    "a.csv": table,
    "a.tsv": lambda dice: table(dice, "\t"),
    "a.jsonl": json_lines,
    "a.json": lambda dice: json.dumps(rows(dice)).encode(),
    "b.json": answer,
    "a.xml": feed,
    "a.html": page,
    "a.txt": lambda dice: "\n".join(row["text"] for row in rows(dice)).encode(),
    "a.parquet": parquet,
    "a.stdin": answer,
    "a.jsonl.gz": lambda dice: gzip.compress(json_lines(dice), 0, mtime=0),
    "b.csv.gz": lambda dice: gzip.compress(table(dice), mtime=0),
}


def mutate(content: bytes, dice: random.Random) -> bytes:
    """Return a file with a few faults: bytes changed, cut out, doubled, put in or moved."""
    out = bytearray(content)
    for _ in range(dice.choice([1, 1, 1, 2, 4, 16])):
        at, size = dice.randrange(len(out) + 1), dice.choice([1, 1, 4, 40, 400])
        kind = dice.randrange(6)
        if kind == 0 and at < len(out):
            out[at] = dice.randrange(256)
        elif kind == 1:
            del out[at : at + size]
        elif kind == 2:
            out[at:at] = out[at : at + size]
        elif kind == 3:
            out[at:at] = dice.choice(HOSTILE) * dice.choice([1, 1, 1, 3, 500])
        elif kind == 4:
            del out[at:]
        else:
            to = dice.randrange(len(out) + 1)
            out[to:to] = out[at : at + size]
    return bytes(out)


def names_twice(line: str) -> bool:
    """Whether an object has a name twice, of which the last value counts for any JSON reader."""
    pairs: list[tuple[str, object]] = []
    try:
        json.loads(line, object_pairs_hook=pairs.extend, strict=False)
    except ValueError:
        return False
    return len(dict(pairs)) < len(pairs)


def unsaid(name: str, content: bytes, got: Got) -> set[str]:
    """Return the words of a file that are in no article and in no rejected row, and not excused."""
    told = " ".join(notice.message for notice in got.notices)
    if any(words in told for words in ("as far as it goes", "not used", "no main text", "newest")):
        return set()
    # A broken Parquet file has no text to show, and of a page the main text is meant to be taken.
    if name == "a.parquet" and got.rejected:
        return set()
    if name == "a.html" and got.articles and got.articles[0].text:
        return set()
    if name in ("a.csv", "a.tsv"):
        content = content.partition(b"\n")[2]  # what stands in a broken header names columns
    kept = [f"{a.id} {a.title} {a.text} {a.source} {a.url}" for a in got.articles]
    kept += [row.content for row in got.rejected]
    if name == "a.jsonl":
        kept += [line for line in content.decode("latin-1").split("\n") if names_twice(line)]
    return set(WORD.findall(content.decode("latin-1"))) - set(WORD.findall(" ".join(kept)))


def work(name: str, count: int, results: multiprocessing.Queue) -> None:
    """Read damaged files of one format; send what went wrong, and the most megabytes."""
    faults = []
    with TemporaryDirectory() as folder:
        for seed in range(count):
            dice = random.Random(f"{name} {seed}")
            content = mutate(FORMATS[name](dice), dice)
            start = time.monotonic()
            got = Got([], [], [])
            try:
                got = read_bytes(Path(folder), name, content, detect_language=False)
            except InputError as error:
                got.rejected.append(Rejected(name, 0, str(error), content.decode("latin-1")))
            except BaseException as error:  # what must not happen
                faults.append(f"{name} {seed}: {type(error).__name__}: {error}")
            if time.monotonic() - start > SECONDS:
                faults.append(f"{name} {seed}: took {time.monotonic() - start:.0f} s")
            if not name.endswith("gz") and (lost := unsaid(name, content, got)):
                faults.append(f"{name} {seed}: lost unsaid {sorted(lost)}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results.put((faults, peak))


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_end_in_articles_or_in_words(name: str):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=work, args=(name, COUNT // len(FORMATS), results))
    process.start()
    faults, megabytes = results.get(timeout=600)
    process.join()
    assert faults == []
    assert megabytes < MEGABYTES
