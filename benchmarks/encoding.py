"""Measure encoding on a CPU: speed beside sentence-transformers, closeness, and story scores.

python benchmarks/encoding.py --data FOLDER [--cache NEST] [--rounds 5]

Needs pip install 'newsnest[offline,multilingual]'.

The peer is SentenceTransformer.encode as it comes: float32, batches of 32. It and our backends take
turns, round by round, on 2,000 headlines (uci_news) and 300 whole articles (bbc), after a warm-up.
Ratios are of texts a second to the peer's of the same round; the median of the rounds counts.
`wall` is the clock on the wall, `processor` the time of all threads of the process: the second says
something on a machine that has other work too. torch's threads sleep while they wait, for all.

  closeness    mean and least cosine to the peer's vectors
  profile      where the time of a pass in int8 goes, one thread
  stories      B-cubed F1 of the story level with the committed defaults, without dates
               and with the min_similarity that torch's vectors got; "disturbed" is float32 with
               random noise: what any tiny difference does to a score through the defaults
  static       its rate; its average precision of same-story pairs with and without SIF weighting
  known        in a fresh process: seconds until a fingerprint is known, until a text is encoded
  ordinary     share of headlines whose vector changes a bit when the peer's batch is 64, not 32
  many         (alone with --many) multilingual and static-multilingual beside minilm, on headlines
               of many languages: texts a second, least cosine to multilingual in float32
  beside       texts a second beside one busy process, threads that sleep and threads that spin
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

import measured
from newsnest.embed import EncoderConfig, StaticEncoder, encode_cached, load_encoder, static
from newsnest.embed.loading import quiet_loading
from newsnest.embed.weights import minilm_folder
from newsnest.evaluate import cluster_scores
from newsnest.nest import Nest
from newsnest.pipeline import NestConfig, nest_texts
from newsnest.types import Article, Encoder, Level, Vectors

BACKENDS = ("torch", "bfloat16", "int8")
SETS = ("uci_news", "ecbplus")
HEADLINES, ARTICLES = 2000, 300
CORES = 2
STATIC_COPIES = 8  # of the headlines, so that a round takes a second
BESIDE = 200
MANY_TEXTS = 500
DISTURBANCE, SEEDS = 0.99995, 8  # a mean cosine


def minilm(backend: str) -> Encoder:
    encoder = load_encoder("minilm", config=EncoderConfig(backend=backend, device="cpu"))
    encoder.prepare([])
    return encoder


# ── speed and closeness ──────────────────────────────────────────────────────────────────────────


def timed(work: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    wall, processor = time.perf_counter(), time.process_time()
    out = work()
    return out, {
        "wall": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
    }


def speeds(peer: Any, texts: Sequence[str], rounds: int) -> dict[str, Any]:
    ways: dict[str, Callable[[], Vectors]] = {
        "peer": lambda: peer.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    }
    for backend in BACKENDS:
        ways[backend] = partial(minilm(backend).encode, texts)
    vectors: dict[str, Vectors] = {}
    seconds: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            vectors[name], took = timed(way)
            if turn:  # the first is the warm-up
                seconds[name].append(took)
    out: dict[str, Any] = {"texts": len(texts)}
    for name in ways:
        row: dict[str, Any] = {}
        for clock in ("wall", "processor"):
            turns = zip(seconds["peer"], seconds[name], strict=True)
            ratios = [theirs[clock] / ours[clock] for theirs, ours in turns]
            rate = len(texts) / median(took[clock] for took in seconds[name])
            if name != "peer":
                row[f"ratio_{clock}"] = round(median(ratios), 2)
                row[f"ratio_{clock}_least_most"] = [round(min(ratios), 2), round(max(ratios), 2)]
            row[f"texts_per_{clock}_second"] = round(rate, 1)
        if name != "peer":
            cosines = (vectors[name] * vectors["peer"]).sum(axis=1)
            row |= {"cosine_mean": round(float(cosines.mean()), 5),
                    "cosine_min": round(float(cosines.min()), 5)}  # fmt: skip
        out[name] = row
        print(name, row, flush=True)
    return out


def profile(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of each part in the time of one thread."""
    import torch

    from newsnest.embed import bert_kernels, int8_bert

    encoder = minilm("int8")
    encoder.encode(texts[:10])
    parts = {
        "products of linear layers, int8": [(int8_bert._Linear, "__call__")],
        "products of attention, bfloat16": [(torch, "bmm")],
        "attention, float32": [(torch.nn.functional, "scaled_dot_product_attention")],
        "softmax": [(bert_kernels, "exponentials")],
        "layer norm and sums": [(bert_kernels, "add_norm_to_bytes"), (bert_kernels, "embed")],
        "GELU": [(bert_kernels, "gelu_to_bytes")],
        "to bytes and back": [
            (bert_kernels, "to_bytes"), (bert_kernels, "restore"),
            (bert_kernels, "restore_heads"), (bert_kernels, "heads_to_bytes"),
        ],
    }  # fmt: skip
    spent = dict.fromkeys(parts, 0.0)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with watched(parts, spent):
            start = time.thread_time()
            encoder.encode(texts)
            total = time.thread_time() - start
    finally:
        torch.set_num_threads(before)
    shares = {part: round(value / total, 3) for part, value in spent.items()}
    shares["tokenising, Python and the rest"] = round(1 - sum(spent.values()) / total, 3)
    return shares


@contextmanager
def watched(parts: dict[str, list[tuple[Any, str]]], spent: dict[str, float]) -> Iterator[None]:
    """Add the thread time of every call of some functions to their part."""
    kept = []
    for part, places in parts.items():
        for owner, name in places:
            real = getattr(owner, name)
            kept.append((owner, name, real))

            def watch(*a: Any, real: Any = real, part: str = part, **k: Any) -> Any:
                start = time.thread_time()
                out = real(*a, **k)
                spent[part] += time.thread_time() - start
                return out

            setattr(owner, name, watch)
    try:
        yield
    finally:
        for owner, name, real in kept:
            setattr(owner, name, real)


def ordinary(peer: Any, texts: Sequence[str]) -> float:
    small, large = (peer.encode(texts, batch_size=size, show_progress_bar=False)
                    for size in (32, 64))  # fmt: skip
    return round(float((small != large).any(axis=1).mean()), 4)


# ── quality ──────────────────────────────────────────────────────────────────────────────────────


def story_f1(
    vectors: Vectors, gold: measured.GoldSet, encoder: str, levels: Sequence[Level] = ()
) -> tuple[float, Sequence[Level]]:
    """Cluster as the pipeline does from vectors on, without dates; return F1 and the levels."""
    articles = [Article(str(row)) for row in range(len(vectors))]
    config, weights = NestConfig(encoder), np.ones(len(vectors))
    found = nest_texts(vectors, articles, weights, config, levels=levels or None).hierarchy
    score = cluster_scores(found.labels[-1], gold.gold).as_dict()["bcubed_f1"]
    return round(float(score or 0), 4), found.levels


def disturbed(vectors: Vectors, seed: int) -> Vectors:
    """Return the vectors with noise in any direction, as far from them as DISTURBANCE says."""
    noise = np.random.default_rng(seed).normal(size=vectors.shape)
    size = np.sqrt((1 / DISTURBANCE**2 - 1) / vectors.shape[1])
    moved = vectors + size * noise
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def stories(folder: Path, cache: Nest) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in SETS:
        gold = measured.load_gold(folder, name, "story")
        texts = [article.body for article in gold.articles]
        row: dict[str, Any] = {"texts": len(texts)}
        vectors = {
            backend: encode_cached(minilm(backend), texts, cache.vectors) for backend in BACKENDS
        }
        row["minilm torch"], levels = story_f1(vectors["torch"], gold, "minilm")
        for backend in BACKENDS[1:]:
            row[f"minilm {backend}"] = story_f1(vectors[backend], gold, "minilm")[0]
            kept = story_f1(vectors[backend], gold, "minilm", levels)[0]
            row[f"minilm {backend}, min_similarity of torch"] = kept
        row["minilm torch, disturbed"] = [
            story_f1(disturbed(vectors["torch"], seed), gold, "minilm")[0] for seed in range(SEEDS)
        ]
        token = load_encoder("static")
        token.prepare(texts)
        row["static"] = story_f1(encode_cached(token, texts, cache.vectors), gold, "static")[0]
        out[name] = row
        print(name, row, flush=True)
    return out


def pair_precision(encoder: Encoder, gold: measured.GoldSet, step: int) -> float:
    rows = np.arange(0, len(gold.articles), step)
    vectors = encoder.encode([gold.articles[i].body for i in rows])
    upper = np.triu_indices(len(rows), 1)
    same = (gold.gold[rows][:, None] == gold.gold[rows])[upper]
    return round(float(average_precision_score(same, (vectors @ vectors.T)[upper])), 3)


def static_results(folder: Path, texts: Sequence[str], rounds: int) -> dict[str, Any]:
    encoder = load_encoder("static")
    encoder.prepare([])
    many = list(texts) * STATIC_COPIES
    encoder.encode(many)
    rates = [len(many) / timed(lambda: encoder.encode(many))[1]["wall"] for _ in range(rounds)]
    golds = {name: measured.load_gold(folder, name, "story") for name in SETS}
    with tempfile.TemporaryDirectory() as place:
        kept = static._SIF
        static._SIF = None
        try:
            plain = StaticEncoder(folder=Path(place))
            plain.prepare([])
        finally:
            static._SIF = kept
        precision = {
            name: {
                "with_sif": pair_precision(encoder, gold, 3 if name == "uci_news" else 1),
                "without_sif": pair_precision(plain, gold, 3 if name == "uci_news" else 1),
            }
            for name, gold in golds.items()
        }
    out = {
        "headlines_per_second": round(median(rates)),
        "least_most": [round(min(rates)), round(max(rates))],
        "average_precision_of_pairs": precision,
    }
    print("static", out, flush=True)
    return out


MANY = ("masakhanews", "fr_headlines", "global_news")


def many_languages(folder: Path, rounds: int) -> dict[str, Any]:
    """Take turns on headlines of about 20 languages; static vectors see many more of them."""
    rows = [row["title"] for name in MANY for row in measured.load_rows(folder, name)]
    drawn = np.random.default_rng(0).permutation([title for title in rows if title])
    many, few = drawn[:20_000].tolist(), drawn[:MANY_TEXTS].tolist()
    ways = {f"{name} {backend}": (name, backend, few)
            for name in ("minilm", "multilingual") for backend in BACKENDS}  # fmt: skip
    ways["static-multilingual"] = ("static-multilingual", "auto", many)
    encoders: dict[str, Encoder] = {}
    for way, (name, backend, _) in ways.items():
        config = EncoderConfig(backend=backend, device="cpu")  # type: ignore[arg-type]
        encoders[way] = load_encoder(name, config=config)
        encoders[way].encode(few[:8])
    seconds: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    vectors: dict[str, Vectors] = {}
    for _ in range(rounds):
        for way, (_, _, texts) in ways.items():
            vectors[way], took = timed(partial(encoders[way].encode, texts))
            seconds[way].append(took)
    out: dict[str, Any] = {"texts": len(few), "texts of static-multilingual": len(many)}
    for way, (_, _, texts) in ways.items():
        out[way] = {
            f"texts_per_{clock}_second": round(len(texts) / median(s[clock] for s in seconds[way]))
            for clock in ("wall", "processor")
        }
        if way.startswith("multilingual"):
            cosines = (vectors[way] * vectors["multilingual torch"]).sum(axis=1)
            out[way]["cosine_min"] = round(float(cosines.min()), 5)
        print(way, out[way], flush=True)
    return out


# ── in processes of their own ────────────────────────────────────────────────────────────────────


def fresh(code: str, **environment: str) -> float:
    """Return the number a new process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, **environment})  # fmt: skip
    return float(done.stdout.split()[-1])


def known() -> dict[str, Any]:
    out: dict[str, Any] = {}
    for backend in BACKENDS:
        made = (
            "import time; start = time.perf_counter(); "
            "from newsnest.embed import EncoderConfig, load_encoder; "
            f"e = load_encoder('minilm', config=EncoderConfig(backend={backend!r})); "
            "e.prepare([]); e.count_cut(['a']); "
        )
        end = "print(time.perf_counter() - start)"
        out[backend] = {
            "fingerprint_seconds": round(median(fresh(made + end) for _ in range(3)), 2),
            "first_text_seconds": round(
                median(fresh(made + "e.encode(['a']); " + end) for _ in range(3)), 2
            ),
        }
    print("known", out, flush=True)
    return out


def beside(texts: Sequence[str]) -> dict[str, float]:
    code = (
        "import sys, json, time; from newsnest.embed import EncoderConfig, load_encoder; "
        "e = load_encoder('minilm', config=EncoderConfig(backend='torch')); "
        f"t = json.loads({json.dumps(list(texts))!r}); e.encode(t[:8]); "
        "start = time.perf_counter(); e.encode(t); print(len(t) / (time.perf_counter() - start))"
    )
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        return {
            "threads_sleep": round(fresh(code, OMP_WAIT_POLICY="PASSIVE"), 1),
            "threads_spin": round(fresh(code, OMP_WAIT_POLICY="ACTIVE"), 1),
        }
    finally:
        busy.kill()
        busy.wait()


def main() -> None:
    parser = measured.arguments((__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of the peer and of ours")
    parser.add_argument("--many", action="store_true", help="measure the part `many` alone")
    options = parser.parse_args()
    if options.many:
        import torch

        torch.set_num_threads(CORES)
        many = many_languages(options.data, options.rounds)
        many["load_average_at_end"] = [round(value, 2) for value in os.getloadavg()]
        measured.write_group("encoding", "many", many)
        return
    headlines = [row["title"] for row in measured.load_rows(options.data, "uci_news")][:HEADLINES]
    bbc = measured.load_rows(options.data, "bbc")
    articles = [f"{row['title']}. {row['text']}" for row in bbc[:: len(bbc) // ARTICLES]]
    minilm("torch").encode(headlines[:8])  # loads torch so that its threads sleep
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(CORES)
    with quiet_loading():
        peer = SentenceTransformer(str(minilm_folder()), device="cpu", local_files_only=True)
    result: dict[str, Any] = {"threads": CORES, "rounds": options.rounds}
    result["headlines"] = speeds(peer, headlines, options.rounds)
    result["articles"] = speeds(peer, articles[:ARTICLES], options.rounds)
    result["profile_int8"] = {
        "headlines": profile(headlines[:1000]),
        "articles": profile(articles[:100]),
    }
    result["static"] = static_results(options.data, headlines, options.rounds)
    with Nest(options.cache, create=True) as cache:
        result["stories_bcubed_f1"] = stories(options.data, cache)
    result["known"] = known()
    result["ordinary"] = {"headlines": HEADLINES, "changed_share": ordinary(peer, headlines)}
    result["beside"] = beside(headlines[:BESIDE])
    result["load_average_at_end"] = [round(value, 2) for value in os.getloadavg()]
    print(json.dumps(result, indent=1))
    measured.write_result("encoding", result)


if __name__ == "__main__":
    main()
