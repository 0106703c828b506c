"""Compare ClusterBERT and its baselines on the six sets of its paper, seven readings of them.

python benchmarks/clusterbert.py --data FOLDER [--profile small] [--parts frozen trained …]

Needs pip install 'newsnest[offline,train,compare]'; frozen alone does without train, and trained,
ablations and number without compare. `make bench-clusterbert DATA=FOLDER` runs all of a profile.

Parts, each of which goes on where it was interrupted, cell by cell (--work keeps the cells):

  frozen       TF-IDF, SIF and minilm as it comes, by k-means and RAC; BERTopic's and EVoC's
               defaults on minilm
  trained      SCCL, VaSCL, TSDAE and ClusterBERT trained on the texts themselves, without labels,
               given the gold number of clusters as in the paper; and what they retrieve afterwards
  deep         IDEC and UMAP on minilm as it comes and on the vectors of `trained`
  ablations    ClusterBERT with one part changed
  number       how many clusters are chosen where nobody says it
  assemble     benchmarks/results/clusterbert.json, and the tables of docs/reports/clusterbert.md

Of sets that are not the paper's, `trained` trains ClusterBERT alone, and `number` is run; the
other parts leave them out.

Gold labels score; nothing is chosen by them, but in "ClusterBERT, best stage" (†), which is there
to show what such a choice would add. NMI is geometric, ACC by the best matching; outliers of
BERTopic and EVoC are clusters of their own. `small` takes 2,000 texts a set, short trainings
and one seed of what is trained; `full` takes all and three seeds, and wants a GPU; `try` shows in
minutes that everything runs, and is not assembled.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import sentencex
from numpy.typing import NDArray

import clusterbert_table
import measured
from clusterbert_cells import Cells
from clusterbert_methods import (
    ABLATIONS,
    BASE,
    CLUSTERERS,
    DEEP,
    ON_ALL_SETS,
    OWN_NUMBER,
    PROFILES,
    UNTRAINED,
    Profile,
    Trained,
    train_clusterbert_rows,
    train_contrast_rows,
)
from newsnest.evaluate import cluster_scores, rank_documents, retrieval_scores
from newsnest.labelled import read_query_items
from newsnest.nest import Nest
from newsnest.types import Vectors

PARTS = ("frozen", "trained", "deep", "ablations", "number", "assemble")
SENTENCES = "bbc_sentences"
RETRIEVAL = {"wikiqa": "question to sentence, wikiqa", "mrpc": "paraphrases, mrpc"}
TRAININGS = ("ClusterBERT", "SCCL", "VaSCL")
OTHERS = {
    "20newsgroups": ("topic", ""),
    "huffpost": ("label", ""),
    "masakhanews": ("label", "eng"),
    "sib200": ("label", "eng_Latn"),
    "uci_news": ("story", ""),
    "ecbplus": ("story", ""),
}
"""Sets that are not the paper's, with field and language: the rule for the number of clusters was
chosen on them, and the test of ClusterBERT's stages, which was made on the paper's, is tested."""
PEERS = ("umap-learn", "hdbscan", "evoc", "accelerate", "datasets", "transformers")


@dataclass(frozen=True)
class Texts:
    """The texts of a set with their gold labels."""

    name: str
    texts: list[str]
    gold: NDArray[np.int64]

    @property
    def k(self) -> int:
        return int(np.unique(self.gold).size)


@dataclass(frozen=True)
class Bench:
    """Where everything lies, and how much is done."""

    data: Path
    cache: Path
    cells: Cells
    name: str
    trainings: tuple[str, ...] = TRAININGS
    seeds: tuple[int, ...] = (0,)

    @property
    def profile(self) -> Profile:
        return PROFILES[self.name]


def load(bench: Bench, name: str) -> Texts:
    """Return a set; BBC's sentences have the label of their article."""
    most = bench.profile.most
    if name != SENTENCES:
        field, language = OTHERS.get(name, ("label", ""))
        gold = measured.load_gold(bench.data, name, field, most=most, language=language)
        return Texts(name, [article.body for article in gold.articles], gold.gold)
    whole = measured.load_gold(bench.data, "bbc", "label")
    texts: list[str] = []
    labels: list[int] = []
    for article, label in zip(whole.articles, whole.gold.tolist(), strict=True):
        for paragraph in article.body.splitlines():
            for sentence in sentencex.segment("en", paragraph):
                if sentence.strip():
                    texts.append(sentence.strip())
                    labels.append(label)
    rows = np.arange(len(texts))
    if most is not None and len(rows) > most:
        rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    return Texts(name, [texts[i] for i in rows], np.array(labels)[rows])


def scored(labels: NDArray[np.integer], gold: NDArray[np.int64]) -> dict[str, Any]:
    scores = cluster_scores(np.asarray(labels), gold)
    return {
        "nmi": round(scores.nmi, 5),
        "accuracy": round(scores.accuracy, 5),
        "ari": round(scores.ari, 5),
        "bcubed_f1": round(scores.bcubed_f1, 5),
        "clusters": int(np.unique(labels[labels >= 0]).size),
        "noise": round(scores.noise, 4),
    }


def cluster_cells(bench: Bench, texts: Texts, encoder: str, vectors: Vectors, **key: Any) -> None:
    """Cluster vectors by every clusterer that is asked for; key has part, names and seeds."""
    for name in key["names"]:
        seeds = [s for s in key["seeds"] if name not in DEEP or s in bench.profile.deep_seeds]
        for seed in seeds[:1] if name == "RAC" else seeds:
            bench.cells.measure(
                lambda n=name, s=seed: scored(
                    CLUSTERERS[n](vectors, texts.k, s, bench.profile), texts.gold
                ),
                part=key["part"], set=texts.name, encoder=encoder, clusterer=name, seed=seed,
            )  # fmt: skip


# ── the parts ────────────────────────────────────────────────────────────────────────────────────


def frozen_part(bench: Bench, texts: Texts) -> None:
    cheap = [name for name in CLUSTERERS if name not in (*OWN_NUMBER, *DEEP)]
    for encoder in ("frozen", *UNTRAINED):
        own = OWN_NUMBER if encoder == "frozen" else ()
        cluster_cells(
            bench, texts, encoder, vectors_of(bench, texts, encoder),
            part="frozen", names=(*cheap, *own), seeds=bench.profile.seeds,
        )  # fmt: skip


def vectors_of(bench: Bench, texts: Texts, encoder: str) -> Vectors:
    if encoder in UNTRAINED:
        return UNTRAINED[encoder](texts.texts)
    with Nest(bench.cache, create=True) as cache:
        return measured.encode(texts.texts, BASE, cache)


def trained_part(bench: Bench, texts: Texts) -> None:
    gold = [str(label) for label in texts.gold]
    for seed in bench.seeds:
        trainings: dict[str, Callable[[], Trained]] = {
            "ClusterBERT": partial(
                train_clusterbert_rows, texts.texts, texts.k, seed, bench.profile, gold
            )
        }
        for name in ("SCCL", "VaSCL"):
            trainings[name] = partial(
                train_contrast_rows, name, texts.texts, texts.k, seed, bench.profile
            )
        for name in bench.trainings:
            if texts.name in OTHERS and name != "ClusterBERT":
                continue
            _train(bench, texts, name, seed, trainings[name], "trained")


def _train(
    bench: Bench, texts: Texts, name: str, seed: int, training: Callable[[], Trained], part: str
) -> None:
    """Train once, and keep vectors and the cells that need the model."""
    cells = bench.cells
    key = {"part": f"{part}, trained", "set": texts.name, "encoder": name, "seed": seed}
    if cells.has(**key):
        return
    began = time.perf_counter()
    done = training()
    seconds = round(time.perf_counter() - began, 1)
    for row, vectors in done.vectors.items():
        label = row.replace("ClusterBERT", name, 1)
        np.savez_compressed(cells.vectors(texts.name, label, seed), vectors=vectors)
        cluster_cells(
            bench, texts, label, vectors, part=part, names=("k-means", "RAC"), seeds=(seed,)
        )
        if row in done.heads:
            cells.measure(
                lambda r=row: scored(done.heads[r], texts.gold),
                part=part, set=texts.name, encoder=label, clusterer="own head", seed=seed,
            )  # fmt: skip
    if name in TRAININGS and texts.name in bench.profile.retrieval_sets:
        retrieve(bench, texts.name, name, seed, _encode_by(done.model))
    cells.measure(lambda: {"training_seconds": seconds, "said": dict(done.said)}, **key)


def _encode_by(model: Any) -> Callable[[Sequence[str]], Vectors]:
    return lambda texts: np.asarray(
        model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
    )


def retrieve(
    bench: Bench, which: str, encoder: str, seed: int, encode: Callable[[Sequence[str]], Vectors]
) -> None:
    """MAP and MRR where AskUbuntu is not at hand: questions of WikiQA, paraphrases of MRPC."""
    for name in RETRIEVAL:
        task = read_query_items(
            bench.data / f"{name}.jsonl.gz", split="test",
            fields={"query": "text1", "item": "text2"},
        )  # fmt: skip

        def work(task: Any = task) -> dict[str, Any]:
            ids, asked = list(task.documents), list(task.queries)
            place = {identity: row for row, identity in enumerate(ids)}
            ranked = rank_documents(
                encode(list(task.queries.values())),
                encode(list(task.documents.values())),
                never=[[place[d] for d in task.never.get(q, ())] for q in asked],
            )
            rankings = {q: [ids[i] for i in rows] for q, rows in zip(asked, ranked, strict=True)}
            scores = retrieval_scores(rankings, task.qrels, resamples=0)
            return {"map": round(scores.map.value, 5), "mrr_10": round(scores.mrr_10.value, 5)}

        bench.cells.measure(
            work, part="retrieval", set=which, encoder=encoder, task=RETRIEVAL[name], seed=seed
        )


def deep_part(bench: Bench, texts: Texts) -> None:
    for encoder in ("frozen", *UNTRAINED) if bench.name == "full" else ("frozen",):
        cluster_cells(
            bench, texts, encoder, vectors_of(bench, texts, encoder),
            part="frozen", names=DEEP, seeds=bench.profile.seeds,
        )  # fmt: skip
    for path in sorted(bench.cells.folder.glob(f"{texts.name}.*.npz")):
        encoder, seed = path.name.removesuffix(".npz").split(".")[1:]
        encoder = encoder.replace("_", " ")
        if encoder in clusterbert_table.ENCODERS:
            vectors = np.load(path)["vectors"]
            cluster_cells(
                bench, texts, encoder, vectors, part="trained",
                names=DEEP, seeds=(int(seed),),
            )  # fmt: skip


def ablations_part(bench: Bench, texts: Texts) -> None:
    chosen = bench.profile.ablation_sets
    for seed in bench.seeds:
        for changed, settings in ABLATIONS.items():
            if chosen and texts.name not in chosen and changed != ON_ALL_SETS:
                continue
            training = partial(
                train_clusterbert_rows, texts.texts, texts.k, seed, bench.profile, None, **settings
            )  # fmt: skip
            _train(bench, texts, f"ClusterBERT, {changed}", seed, training, "ablations")


def number_part(bench: Bench, texts: Texts) -> None:
    from newsnest.train.recipes.clusterbert import ClusterbertSettings
    from newsnest.train.recipes.clusterbert.targets import choose_teacher

    vectors = vectors_of(bench, texts, "frozen")
    for seed in bench.profile.seeds:

        def work(seed: int = seed) -> dict[str, Any]:
            settings = ClusterbertSettings(
                data=("at hand",), base=BASE, output=Path("unused"), seed=seed
            )
            found = choose_teacher(vectors, settings)
            flat = found.chosen["looked_at"]["kmeans"]
            return {
                "true_k": texts.k, "k": found.k, "targets": found.kind, "kmeans_k": flat["k"],
            }  # fmt: skip

        bench.cells.measure(work, part="number", set=texts.name, encoder="frozen", seed=seed)


def assemble(bench: Bench) -> None:
    """Write the result of the profile, and the tables of the page."""
    with Nest(bench.cache, create=True) as cache:
        retrieve(
            bench, "–", "frozen", 0,
            lambda texts: measured.encode(list(texts), BASE, cache),
        )  # fmt: skip
    profile = bench.profile
    texts = "all texts" if profile.most is None else f"{profile.most:,} texts a set at most"
    record = {
        "encoder": BASE,
        "profile": asdict(profile),
        "says": (
            "NMI / ACC, mean ± sample standard deviation over three seeds, or as many as stand "
            f"beside it; {texts}. "
            f"Seeds: {len(profile.seeds)} of what is not trained, {len(profile.deep_seeds)} of "
            "IDEC and UMAP; of trained encoders three where a deviation stands, else one. "
            f"In all {bench.cells.hours():.1f} hours of a machine that did other things as well. "
            "† chosen on the gold labels. Settings of the trainings stand in clusterbert.json."
        ),
        "digest_of_texts": {
            name: hashlib.sha256("\n".join(load(bench, name).texts).encode()).hexdigest()[:16]
            for name in (*clusterbert_table.SETS, *OTHERS)
            if any(cell["set"] == name for cell in bench.cells.done.values())
        },
        "cells": sorted(
            bench.cells.done.values(),
            key=lambda c: [str(c.get(n, "")) for n in ("part", "set", "encoder", "clusterer")],
        ),
    }
    measured.write_group("clusterbert", bench.name, record, **_peers())
    clusterbert_table.main()


def _peers() -> dict[str, str]:
    found = {}
    for name in PEERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


DO: Mapping[str, Callable[[Bench, Texts], None]] = {
    "frozen": frozen_part,
    "trained": trained_part,
    "deep": deep_part,
    "ablations": ablations_part,
    "number": number_part,
}


def main() -> None:
    parser = measured.arguments((__doc__ or "").partition("\n")[0])
    parser.add_argument("--profile", choices=tuple(PROFILES), default="small")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART",
                        help=f"of {', '.join(PARTS)}")  # fmt: skip
    sets = (*clusterbert_table.SETS, *OTHERS)
    parser.add_argument("--sets", nargs="+", choices=sets, default=sets, metavar="NAME",
                        help=f"of {', '.join(sets)}")  # fmt: skip
    parser.add_argument("--trainings", nargs="+", choices=TRAININGS, default=TRAININGS,
                        metavar="NAME", help=f"of {', '.join(TRAININGS)}")  # fmt: skip
    parser.add_argument("--seeds", nargs="+", type=int, help="of what is trained; default: the "
                        "profile's")  # fmt: skip
    parser.add_argument("--work", type=Path, default=Path("bench-clusterbert"),
                        help="keeps what was measured")  # fmt: skip
    options = parser.parse_args()
    bench = Bench(
        options.data, options.cache, Cells(options.work, options.profile), options.profile,
        tuple(options.trainings), tuple(options.seeds or PROFILES[options.profile].trained_seeds),
    )  # fmt: skip
    for part in PARTS:
        if part in options.parts and part != "assemble":
            for name in options.sets:
                if name in OTHERS and part not in ("number", "trained"):
                    continue
                DO[part](bench, load(bench, name))
    if "assemble" in options.parts and options.profile != "try":
        assemble(bench)


if __name__ == "__main__":
    main()
