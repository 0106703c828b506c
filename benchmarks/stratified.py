"""What drawing batches from clusters does: random against stratified, from one start and budget.

python benchmarks/stratified.py --data FOLDER [--profile NAME] [--groups hardness training]

hardness  cosines of queries with their own item, with items of their cluster, with random ones, by
          what is clustered and by k, as the teacher sees them; nothing is trained
training  `newsnest train pretrain` with one thing changed a row: what is clustered, k, the mask,
          the schedule, the order, what becomes of small clusters. Every row sees the same pairs
          as often, in batches of the same size at most

Trained on titles and texts, or questions and answers, of huffpost, agnews, bbc, wikiqa, orangesum
and masakhanews, a file each. Measured by NDCG@10: on pairs of each that were held out (queries look
for their item among those of all of them), and on cranfield and time, which nothing was trained on.
Intervals hold 95 % of resamples of queries; `against_random` is the mean difference to the row
`random` of the same start and seed, query by query, None where that one's queries are not at hand
in --work. Nothing here chose a setting.

Starts: `minilm` is all-MiniLM-L6-v2 as it comes; `reset` is the same with its layers 3, 4 and 5 (of
0 to 5) drawn anew, so that there is something to learn: embeddings and layers 0 to 2 stay. The
teacher is all-MiniLM-L6-v2 in all rows. Weights kept are the best of the validations.

Every finished row is written at once; the same command goes on where it was interrupted. The
profile small is made for two CPU cores: few pairs, short texts, one seed, and a part of the rows.
Its rows compare with each other, and say little of what a long training reaches; that is what the
profile full is for, on a GPU. Where a set has few pairs, a batch holds much of it anyway: `one`
has more pairs of one set, `twice` twice those, and the few rows that show whether clusters matter
then.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

import measured
from ablations import Lines, Table, encode
from newsnest.embed import load_encoder
from newsnest.embed.loading import quiet_loading
from newsnest.embed.weights import settings_digest
from newsnest.evaluate import QueryItemVectors, rank_documents, retrieval_scores
from newsnest.evaluate.bootstrap import Estimate, mean_estimate
from newsnest.labelled import RetrievalTask, read_query_items, read_retrieval
from newsnest.pipeline.hardness import Draw, cluster_hardness, read_pair_texts
from newsnest.train.recipes.pretrain import PRETRAIN, PretrainSettings
from newsnest.train.run.base import find_base, load_base

TEACHER = "minilm"
RESET = (3, 4, 5)
SETS: Mapping[str, tuple[str, str]] = {
    "huffpost": ("title", "summary"),
    "agnews": ("title", "text"),
    "bbc": ("title", "text"),
    "wikiqa": ("text1", "text2"),
    "orangesum": ("title", "summary"),
    "masakhanews": ("title", "text"),
}
"""The query and the item of each; of wikiqa right answers alone."""
NEVER = ("cranfield", "time")
KS = (5, 10, 20, 50, 512)
BY = ("query", "item", "pair")
Changes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Profile:
    """How much is trained and measured.

    Parameters
    ----------
    pairs, test
        Most pairs of a set that are trained on, and held out to test on.
    characters
        Of a text that are kept.
    epochs, batch_size, max_length, learning_rate
        Of the recipe; texts are also measured at that length.
    mini_batch_size
        None where a batch fits as a whole.
    late
        Steps of random batches before the schedule "from".
    documents
        Most documents of a collection; judged ones are always among them.
    sets
        What is trained on.
    """

    pairs: int
    test: int
    characters: int
    epochs: int
    batch_size: int
    max_length: int
    learning_rate: float
    mini_batch_size: int | None
    late: int
    documents: int | None
    sets: tuple[str, ...] = tuple(SETS)


PROFILES = {
    "small": Profile(pairs=300, test=100, characters=200, epochs=2, batch_size=64, max_length=40,
                     learning_rate=1e-4, mini_batch_size=None, late=28, documents=500),
    "one": Profile(pairs=4000, test=1000, characters=200, epochs=2, batch_size=64, max_length=32,
                   learning_rate=1e-4, mini_batch_size=None, late=62, documents=500,
                   sets=("huffpost",)),
    "twice": Profile(pairs=8000, test=1000, characters=200, epochs=2, batch_size=64, max_length=32,
                     learning_rate=1e-4, mini_batch_size=None, late=125, documents=500,
                     sets=("huffpost",)),
    "full": Profile(pairs=30_000, test=2000, characters=2000, epochs=3, batch_size=1024,
                    max_length=128, learning_rate=1e-4, mini_batch_size=128, late=70,
                    documents=None),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """One training: where it starts, and what differs from the recipe's own settings."""

    row: str
    start: str
    changes: Changes

    def digest(self, profile: Profile) -> str:
        """Of all that is asked for: a row of another digest is made anew."""
        return settings_digest({"asked": [self.row, self.start, self.changes, asdict(profile)]})


WANTED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "small": {
        "reset": (
            "random",
            "random, mask",
            "random, sources mixed",
            "query, k=10, mask",
            "item, k=10",
            "item, k=10, mask",
            "item, k=50, mask",
            "item, k=512",
            "item, k=512, mask",
            "pair, k=10, mask",
            "item, k=10, mask, from",
            "item, k=10, mask, alternating",
            "item, k=10:50, mask, growing",
            "item, k=10, mask, tour",
            "item, k=512, mask, short",
        ),
        "minilm": ("random", "item, k=10, mask"),
    },
    "one": {
        "reset": (
            "random",
            "item, k=5, mask",
            "item, k=10",
            "item, k=10, mask",
            "item, k=20, mask",
            "item, k=50, mask",
            "item, k=512, mask",
            "pair, k=50, mask",
        ),
    },
    "twice": {"reset": ("random", "item, k=10, mask", "item, k=50, mask")},
}
"""Rows by profile and start, of profiles that have 40 minutes for all of theirs."""


def jobs(name: str) -> Iterator[Job]:
    """Yield the trainings of a profile, the one that others are compared with first."""
    for start in ("reset", "minilm"):
        for row, changes in _rows():
            if name == "full" or row in WANTED[name].get(start, ()):
                yield Job(row, start, changes)


def _rows() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "random", {"cluster_by": "none", "mask": False}
    yield "random, mask", {"cluster_by": "none", "mask": True}
    yield "random, sources mixed", {"cluster_by": "none", "mask": False, "sources": "mixed"}
    for by, k, mask in product(BY, KS, (False, True)):
        row = f"{by}, k={k}" + ", mask" * mask
        yield row, {"cluster_by": by, "k": (k,), "mask": mask}
    usual = {"cluster_by": "item", "mask": True}
    yield "item, k=10, mask, from", usual | {"schedule": "from", "k": (10,)}
    yield "item, k=10, mask, alternating", usual | {"schedule": "alternating", "k": (10,)}
    yield "item, k=10:50, mask, growing", usual | {"schedule": "growing", "k": (10, 50)}
    yield "item, k=10, mask, tour", usual | {"batch_order": "tour", "k": (10,)}
    yield "item, k=512, mask, short", usual | {"small_clusters": "short", "k": (512,)}


def make_files(folder: Path, work: Path, profile: Profile) -> tuple[Path, ...]:
    """Write title, text and split of every set; which rows are held out depends on the text."""
    work.mkdir(parents=True, exist_ok=True)
    return tuple(_make_file(folder, work, name, profile) for name in profile.sets)


def _make_file(folder: Path, work: Path, name: str, profile: Profile) -> Path:
    asked = settings_digest({"asked": [SETS[name], asdict(profile)]})[:8]
    path = work / f"{name}-{asked}.jsonl"
    if path.is_file():
        return path
    rows = []
    for row in measured.load_rows(folder, name):
        texts = [" ".join(str(row.get(c) or "").split()) for c in SETS[name]]
        if all(texts) and row.get("score", 1.0) == 1.0:
            rows.append([text[: profile.characters] for text in texts])
    rows.sort(key=lambda texts: blake2b("\n".join(texts).encode()).digest())
    test, dev = min(profile.test, len(rows) // 5), min(profile.test // 2, len(rows) // 10)
    splits = ["test"] * test + ["dev"] * dev + ["train"] * profile.pairs
    draft = path.with_suffix(".partial")
    with draft.open("w", encoding="utf-8") as file:
        for (title, text), split in zip(rows, splits, strict=False):
            told = {"title": title, "text": text, "split": split}
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
    draft.replace(path)
    return path


def start_model(start: str, work: Path) -> str:
    """Return what a row starts from; writes the model whose upper layers are drawn anew."""
    if start == "minilm":
        return TEACHER
    folder = work / "start-reset"
    if not folder.is_dir():
        model = load_base(find_base(TEACHER), device="cpu")
        inner = model[0].auto_model
        torch.manual_seed(0)
        drawn = type(inner)(inner.config)  # transformers does not draw again what was loaded
        for number in RESET:
            inner.encoder.layer[number].load_state_dict(drawn.encoder.layer[number].state_dict())
        draft = work / "start-reset.partial"
        with quiet_loading():
            model.save_pretrained(str(draft), create_model_card=False)
        draft.replace(folder)
    return str(folder)


class Judge:
    """Measures NDCG@10 of a model, query by query, on every set."""

    def __init__(self, folder: Path, files: Sequence[Path], profile: Profile) -> None:
        self.profile = profile
        fields = {"query": "title", "item": "text"}
        self.tasks = {
            name: read_query_items(file, split="test", fields=fields)
            for name, file in zip(profile.sets, files, strict=True)
        }
        grades = {"cranfield": {"1": 4.0, "2": 3.0, "3": 2.0, "4": 1.0}, "time": None}
        for name in NEVER:
            three = (folder / f"{name}_{part}.jsonl.gz" for part in ("corpus", "queries", "qrels"))
            extra = {"score": "grade_raw"} if name == "cranfield" else {}
            self.tasks[name] = read_retrieval(three, grades=grades[name], fields=extra)

    def __call__(self, model: SentenceTransformer) -> dict[str, NDArray[np.float64]]:
        """Return NDCG@10 of every query by set."""
        model.max_seq_length = self.profile.max_length
        return {name: self._scores(task, model) for name, task in self.tasks.items()}

    def _scores(self, task: RetrievalTask, model: SentenceTransformer) -> NDArray[np.float64]:
        judged = {d for row in task.qrels.values() for d in row}
        ids = sorted(task.documents, key=lambda d: d not in judged)
        if self.profile.documents is not None:
            ids = ids[: max(self.profile.documents, len(judged))]
        asked = [query for query, row in task.qrels.items() if any(row.values())]
        length = self.profile.characters
        documents = encode(model, [task.documents[d][:length] for d in ids])
        queries = encode(model, [task.queries[q][:length] for q in asked])
        place = {identity: row for row, identity in enumerate(ids)}
        never = [[place[d] for d in task.never.get(q, ()) if d in place] for q in asked]
        found = rank_documents(queries, documents, depth=10, never=never)
        return np.array(
            [
                retrieval_scores(
                    {q: [ids[row] for row in rows]}, {q: task.qrels[q]}, recall_at=(10,),
                    depth=10, resamples=0,
                ).ndcg_10.value
                for q, rows in zip(asked, found, strict=True)
            ]
        )  # fmt: skip


def told(values: NDArray[np.float64]) -> dict[str, Any]:
    found: Estimate = mean_estimate(values, resamples=1000, seed=0)
    return {k: None if v is None else round(v, 4) for k, v in asdict(found).items()}


def make_row(
    job: Job, profile: Profile, judge: Judge, files: Sequence[Path], work: Path, seed: int
) -> dict[str, Any]:
    """Train one row, measure it, and compare it with the random one query by query."""
    begin = time.perf_counter()
    base = start_model(job.start, work)
    output = work / f"model-{job.start}-{job.digest(profile)[:12]}-{seed}"
    start = profile.late if job.changes.get("schedule") == "from" else 0
    settings = PretrainSettings(
        data=tuple(str(file) for file in files),
        base=base,
        output=output,
        teacher=TEACHER if job.changes["cluster_by"] != "none" or job.changes["mask"] else None,
        epochs=profile.epochs,
        batch_size=profile.batch_size,
        mini_batch_size=profile.mini_batch_size,
        max_length=profile.max_length,
        learning_rate=profile.learning_rate,
        validation_pairs=300,
        evaluations=1,
        patience=100,
        random_steps=start,
        seed=seed,
        **job.changes,
    )
    PRETRAIN.run(settings, progress=Lines())
    metadata = json.loads((output / "newsnest.json").read_text(encoding="utf-8"))
    seconds = time.perf_counter() - begin
    scores = judge(load_base(find_base(str(output))))
    asked = {"profile": asdict(profile), "seed": seed, "start": job.start}
    queries = work / f"queries-{settings_digest(asked)[:12]}.npz"  # of the random row
    if job.row == "random":
        np.savez(queries, **scores)
    random = None
    if queries.is_file():
        with np.load(queries) as kept:
            random = {name: told(own - kept[name]) for name, own in scores.items()}
    shutil.rmtree(output)
    seen = metadata["validation"]
    return {
        "ndcg_10": {name: told(own) for name, own in scores.items()},
        "mean_held_out": round(float(np.mean([scores[name].mean() for name in profile.sets])), 4),
        "mean_never_trained_on": round(float(np.mean([scores[n].mean() for n in NEVER])), 4),
        "against_random": random,
        "validation_ndcg_10": {w: round(seen[w]["ndcg_10"], 4) for w in ("before", "after")},
        "steps": seen["steps"],
        "pairs": metadata["preflight"]["train_pairs"],
        "chosen": metadata["chosen"],
        "train_seconds": round(seconds, 1),
        "measure_seconds": round(time.perf_counter() - begin - seconds, 1),
    }


def hardness_rows(files: Sequence[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what clustering does to the negatives, by what is clustered."""
    pairs = read_pair_texts([f"{file},columns=title:text" for file in files], split="train")
    encoder = load_encoder(TEACHER)
    encoder.prepare()
    n = len(pairs.queries)
    vectors = encoder.encode([*pairs.queries, *pairs.items])
    seen = QueryItemVectors(vectors[:n], vectors[n:], pairs.components)
    ks = [k for k in KS if k <= n]
    for by in BY:
        found = cluster_hardness(seen, by=by, k=ks, draw=Draw())
        yield by, {"pairs": n, "by_k": [one.as_dict() for one in found]}


class Rows(Table):
    """The rows of one profile and group; each is on the disk when `keep` returns."""

    def keep(self, name: str, row: Mapping[str, Any]) -> None:
        provenance = measured.provenance()
        profiles = {name: asdict(profile) for name, profile in PROFILES.items()}
        starts = {"minilm": "as it comes", "reset": f"layers {RESET} drawn anew"}
        whole = self.read() | provenance | {"profiles": profiles, "starts": starts}
        made = {"date": provenance["date"], "processor": provenance["machine"]["processor"]}
        whole.setdefault(self.profile, {}).setdefault(self.group, {})[name] = {**row, **made}
        draft = self.path.with_name(f"{self.path.name}.partial")
        draft.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(self.path)


def device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def measure_hardness(files: Sequence[Path], name: str, table: Rows) -> None:
    profile = PROFILES[name]
    asked = settings_digest({"asked": [asdict(profile), KS, SETS]})
    if all(table.row(by).get("asked") == asked for by in BY):
        print("hardness: is there", flush=True)
        return
    for by, row in hardness_rows(files):
        table.keep(by, row | {"asked": asked})
        print(f"hardness: {by}", flush=True)


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--profile", choices=PROFILES, default="small")
    parser.add_argument("--groups", nargs="+", default=["hardness", "training"])
    parser.add_argument("--rows", nargs="+", help="these alone; all unless given")
    parser.add_argument("--starts", nargs="+", default=["reset", "minilm"])
    parser.add_argument("--seeds", nargs="+", type=int, help="default: 0; of full 0 1 2")
    parser.add_argument("--work", type=Path, default=Path("bench-models"), help="keeps models")
    parser.add_argument("--result", type=Path, default=measured.RESULTS / "stratified.json")
    options = parser.parse_args()
    name = options.profile
    profile = PROFILES[name]
    work = options.work / f"stratified-{name}"
    files = make_files(options.data, work, profile)
    if "hardness" in options.groups:
        measure_hardness(files, name, Rows(options.result, name, "hardness"))
    if "training" not in options.groups:
        return
    table = Rows(options.result, name, "training")
    judge: Judge | None = None
    for seed in options.seeds or ([0, 1, 2] if name == "full" else [0]):
        for job in jobs(name):
            row_name, asked = f"{job.start}: {job.row}, seed {seed}", job.digest(profile)
            if job.start not in options.starts or (options.rows and job.row not in options.rows):
                continue
            if table.row(row_name).get("asked") == asked:
                print(f"{row_name}: is there", flush=True)
                continue
            print(row_name, flush=True)
            judge = judge or Judge(options.data, files, profile)
            row = make_row(job, profile, judge, files, work, seed)
            row |= {"seed": seed, "device": device(), "threads": torch.get_num_threads()}
            table.keep(row_name, row | {"asked": asked})
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
