"""What every part of a training does: rows with one part changed each, sets left out, translations.

python benchmarks/ablations.py --data FOLDER [--profile NAME] [--groups parts held_out align]

parts     trained on semeval_slugs (train) and wiki_events; one part of the recipe changed a row
held_out  the recipe trained on all sets, on all but ecbplus, on all but uci_news
align     other languages learnt from translations, alone and before the recipe

Measured, at d/4, d/2 and d: Pearson on semeval_slugs (eval), Spearman on stsb_multi (test,
English), B-cubed F1 of stories of ecbplus and uci_news at the best min_similarity and at the one
that a run takes (`default`; rows of before 22 November 2026 may have the one for minilm instead,
`default_of_minilm`), relational similarity of French, Spanish, German, Portuguese and Italian with
English (sib200, test).
`never_trained_on` names what a row had no part of. Nothing here chose a setting.

Every finished row is written at once; the same command goes on where it was interrupted. The
profile small is made for two CPU cores: short texts, few steps. Its rows compare with each other,
and say little of what a long training reaches. `long` takes all graded pairs, more translations
and an hour; `full` is for a GPU.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import pearsonr, spearmanr
from sentence_transformers import SentenceTransformer

import measured
from adapter import f1
from newsnest.embed.config import multiplies_bfloat16
from newsnest.embed.weights import settings_digest
from newsnest.evaluate import relational_similarity
from newsnest.evaluate.pairs import paired_cosines
from newsnest.labelled import read_pairs, read_parallel
from newsnest.progress import Task
from newsnest.train import RECIPES
from newsnest.train.recipes.adapter import AdapterSettings
from newsnest.train.recipes.align import AlignSettings
from newsnest.train.recipes.matryoshka import MatryoshkaSettings
from newsnest.train.run.base import find_base, load_base
from newsnest.types import Vectors

ENCODER = "minilm"
LANGUAGES = ("fra_Latn", "spa_Latn", "deu_Latn", "por_Latn", "ita_Latn")
STORIES = ("ecbplus", "uci_news")
Changes = Mapping[str, Any]

# One part changed a row; "base" is not trained at all, "adapter" is the other recipe.
PARTS: Mapping[str, Changes | None] = {
    "base": None,
    "full recipe": {},
    "anchor off": {"anchor": 0.0},
    "anchor 10": {"anchor": 10.0},
    "a third of the base": {"average": 0.33},
    "LoRA": {"lora": 16},
    "without dropout views": {"dropout_views": False},
    "without contrastive term": {"contrastive": 0.0},
    "without angle term": {"angle": 0.0},
    "one level": {"levels": ("story",)},
    "paper": {"variant": "paper"},
    "binary story": {"graded_story": False},
    "batch 16": {"batch_size": 16},  # left out where the profile has it in every row
    "batch 64": {"batch_size": 64},
    "batch 256": {"batch_size": 256, "mini_batch_size": 32},
    "adapter": {"recipe": "adapter"},
}


@dataclass(frozen=True, slots=True)
class Profile:
    """How much is trained and measured.

    Parameters
    ----------
    pairs, per_grade
        Most graded pairs, and most pairs of a grade of each gold set.
    epochs, batch_size, max_length
        Of the recipe; texts are also measured at that length.
    translations, align_epochs, align_batch
        Most sentences of a language of each file, passes over them, and translations a batch.
    hard
        Share of very dissimilar pairs from neighbouring themes; above 0, every gold article is
        encoded before the first step.
    articles
        Most articles of a set that is clustered.
    """

    pairs: int | None
    per_grade: int
    epochs: float
    batch_size: int
    max_length: int
    translations: int | None
    align_epochs: float
    align_batch: int
    hard: float
    articles: int


PROFILES = {
    "small": Profile(pairs=900, per_grade=60, epochs=1.5, batch_size=16, max_length=32,
                     translations=400, align_epochs=1, align_batch=32, hard=0.0, articles=1000),
    "long": Profile(pairs=None, per_grade=200, epochs=3, batch_size=16, max_length=64,
                    translations=3000, align_epochs=1, align_batch=64, hard=0.0, articles=2000),
    "full": Profile(pairs=None, per_grade=2000, epochs=3, batch_size=32, max_length=256,
                    translations=None, align_epochs=6, align_batch=64, hard=0.5, articles=8000),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """One row: what is trained on which files, from which base.

    Parameters
    ----------
    row
        Its name.
    changes
        Settings that differ; None: nothing is trained.
    data
        As `--data` takes them.
    unseen
        Sets it was not trained on.
    after
        What is trained first, and started from; None: the encoder itself is started from.
    """

    row: str
    changes: Changes | None
    data: tuple[str, ...]
    unseen: tuple[str, ...]
    after: Job | None = None

    def digest(self, profile: Profile) -> str:
        """Of all that is asked for: a row of another digest is made anew."""
        files = [Path(told).name for told in self.data]
        first = self.after and self.after.digest(profile)
        asked = [self.row, self.changes, files, first, asdict(profile)]
        return settings_digest({"asked": asked})


class Lines:
    """Progress as lines: what a log wants."""

    def start(self, what: str, total: int | None, unit: str) -> Task:
        return Task()

    def note(self, message: str) -> None:
        print("   ", message, flush=True)


def pair_files(folder: Path, profile: Profile, gold: Sequence[str]) -> tuple[str, ...]:
    most = "" if profile.pairs is None else f",max_pairs={profile.pairs}"
    window = {"wiki_events": ",max_days=7"}
    return (
        f"{folder}/semeval_slugs.jsonl.gz,scale=4:1{most}",
        *(
            f"{folder}/{name}.jsonl.gz,per_grade={profile.per_grade}{window.get(name, '')}"
            for name in gold
        ),
    )


def translation_files(folder: Path) -> tuple[str, ...]:
    sts = f"{folder}/stsb_multi.jsonl.gz,key=pair,languages=fr:es:de:pt:it"
    return (
        f"{folder}/tatoeba.jsonl.gz,languages=fra:spa:deu:por:ita",
        f"{folder}/sib200.jsonl.gz,key=pid,languages={':'.join(LANGUAGES)}",
        f"{sts},text=text1,lang=lang1",
        f"{sts},text=text2,lang=lang2",
    )


def jobs(group: str, folder: Path, profile: Profile) -> Iterator[Job]:
    if group == "parts":
        data = pair_files(folder, profile, ("wiki_events",))
        for row, changes in PARTS.items():
            if changes == {"batch_size": profile.batch_size}:
                continue
            yield Job(row, changes, data, STORIES)
    elif group == "held_out":
        every = (*STORIES, "wiki_events")
        for out in ("", *STORIES):
            data = pair_files(folder, profile, [name for name in every if name != out])
            row = f"without {out}" if out else "all sets"
            yield Job(row, {}, data, (out,) if out else ())
    else:
        aligned = Job("aligned", {"recipe": "align"}, translation_files(folder), STORIES)
        yield aligned
        data = pair_files(folder, profile, ("wiki_events",))
        yield Job("aligned, then full recipe", {}, data, STORIES, after=aligned)


def settings_of(job: Job, profile: Profile, base: str, output: Path, seed: int) -> Any:
    changes = dict(job.changes or {})
    recipe = changes.pop("recipe", "matryoshka")
    given = {"data": job.data, "base": base, "output": output, "seed": seed}
    if recipe == "adapter":
        return AdapterSettings(**given, hard_share=profile.hard, validation_pairs=300, **changes)
    if recipe == "align":
        usual = {
            "epochs": profile.align_epochs,
            "batch_size": profile.align_batch,
            "max_length": min(profile.max_length, 64),
            "max_pairs": profile.translations,
        }
        return AlignSettings(**given, validation_pairs=500, **(usual | changes))
    usual = {
        "epochs": profile.epochs,
        "batch_size": profile.batch_size,
        "max_length": profile.max_length,
        "hard_share": profile.hard,
        "validation_pairs": 300,
    }
    return MatryoshkaSettings(**given, **(usual | changes))


def trained(job: Job, profile: Profile, work: Path, seed: int) -> Path:
    """Train, or go on; a model that is there already is taken."""
    base = str(trained(job.after, profile, work, seed)) if job.after else ENCODER
    output = work / f"{job.row.replace(' ', '-').replace(',', '')}-{seed}-{job.digest(profile)[:8]}"
    settings = settings_of(job, profile, base, output, seed)
    recipe = next(own for own in RECIPES.values() if own.settings is type(settings))
    return recipe.run(settings, progress=Lines())


class Judge:
    """Measures a model on everything."""

    def __init__(self, folder: Path, profile: Profile) -> None:
        self.max_length = profile.max_length
        judged = read_pairs(folder / "semeval_slugs.jsonl.gz", scale=(4, 1), split="eval").pairs
        sts = read_pairs(folder / "stsb_multi.jsonl.gz", scale=(0, 5), split="test").pairs
        self.pairs = judged
        self.english = [i for i, p in enumerate(judged) if p.lang1 == p.lang2 == "en"]
        self.sts = [p for p in sts if p.lang1 == "en"]
        parallel = read_parallel(folder / "sib200.jsonl.gz", split="test", fields={"key": "pid"})
        self.parallel = [p for p in parallel.languages if p.language in LANGUAGES]
        self.stories = {
            name: measured.load_gold(folder, name, "story", most=profile.articles)
            for name in STORIES
        }

    def __call__(self, model: SentenceTransformer, *, encoder: str) -> dict[str, Any]:
        model.max_seq_length = self.max_length
        d = model.get_embedding_dimension()
        assert d is not None
        dims = (d // 4, d // 2, d)
        texts = [text for p in self.pairs for text in (p.text1, p.text2)]
        slugs = encode(model, texts)
        graded = np.array([p.similarity for p in self.pairs])
        cosines = [paired_cosines(slugs[::2], slugs[1::2], m) for m in dims]
        own = self.english
        sts = encode(model, [text for p in self.sts for text in (p.text1, p.text2)])
        told = [p.similarity for p in self.sts]
        out: dict[str, Any] = {
            "semeval_pearson": rounded(pearsonr(c, graded)[0] for c in cosines),
            "semeval_pearson_en_en": rounded(pearsonr(c[own], graded[own])[0] for c in cosines),
            "stsb_en_spearman": rounded(
                spearmanr(paired_cosines(sts[::2], sts[1::2], m), told)[0] for m in dims
            ),
        }
        for name, gold in self.stories.items():
            vectors = encode(model, [article.body for article in gold.articles])
            out[f"{name}_story_f1"] = f1(gold, vectors, rotate=False, encoder=encoder)
        english = encode(model, self.parallel[0].pivot_texts)
        found = {}
        for p in self.parallel:
            own_vectors = encode(model, p.texts)
            theirs = self.parallel[0].pivot_texts == p.pivot_texts
            pivot = english if theirs else encode(model, p.pivot_texts)
            found[p.language] = [
                relational_similarity(own_vectors[:, :m], pivot[:, :m]) for m in dims
            ]
        out["sib200_relational"] = rounded(np.mean(list(found.values()), axis=0))
        out["sib200_relational_by_language"] = {k: rounded(v)[-1] for k, v in found.items()}
        return out


def encode(model: SentenceTransformer, texts: Sequence[str]) -> Vectors:
    fast = model.device.type == "cuda" or multiplies_bfloat16()
    with torch.autocast(model.device.type, torch.bfloat16, enabled=fast):
        vectors = model.encode(
            list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False
        )
    return np.asarray(vectors, np.float32)


def rounded(values: Any) -> list[float]:
    return [round(float(value), 4) for value in values]


def load(folder_or_name: str | Path) -> SentenceTransformer:
    return load_base(find_base(str(folder_or_name)))


class Table:
    """The rows of one profile and group; each is on the disk when `keep` returns."""

    def __init__(self, path: Path, profile: str, group: str) -> None:
        self.path, self.profile, self.group = path, profile, group

    def read(self) -> dict[str, Any]:
        if not self.path.is_file():
            return {}
        return dict(json.loads(self.path.read_text(encoding="utf-8")))

    def row(self, name: str) -> dict[str, Any]:
        rows = self.read().get(self.profile, {}).get(self.group, {})
        return dict(rows.get(name, {}))

    def keep(self, name: str, row: Mapping[str, Any]) -> None:
        whole = self.read()
        told = measured.provenance()
        profiles = {name: asdict(profile) for name, profile in PROFILES.items()}
        whole |= told | {"profiles": profiles}
        made = {"date": told["date"], "processor": told["machine"]["processor"]}
        whole.setdefault(self.profile, {}).setdefault(self.group, {})[name] = {**row, **made}
        draft = self.path.with_name(f"{self.path.name}.partial")
        draft.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(self.path)


def make_row(job: Job, profile: Profile, judge: Judge, work: Path, seed: int) -> dict[str, Any]:
    """Train one row and measure it."""
    start = time.perf_counter()
    row: dict[str, Any] = {"never_trained_on": list(job.unseen)}
    if job.changes is None:
        model = load(ENCODER)
    else:
        folder = trained(job, profile, work, seed)
        model = load(folder)
        told = json.loads((folder / "newsnest.json").read_text(encoding="utf-8"))
        row["validation"] = {
            when: {k: v for k, v in told["validation"][when].items() if "_" not in k}
            for when in ("before", "after")
        }
        row["steps"] = told["validation"].get("steps")
        row["pairs"] = [source["train_pairs"] for source in told["data"]]
        if job.row != "aligned":  # which another row starts from
            shutil.rmtree(folder)
    seconds = time.perf_counter() - start
    row |= judge(model, encoder=ENCODER if job.changes is None else "any")
    device = str(model.device)
    return row | {
        "seed": seed,
        "device": torch.cuda.get_device_name() if "cuda" in device else device,
        "threads": torch.get_num_threads(),
        "train_seconds": round(seconds, 1),
        "measure_seconds": round(time.perf_counter() - start - seconds, 1),
    }


def main() -> None:
    parser = measured.arguments(__doc__ or "")
    parser.add_argument("--profile", choices=PROFILES, default="small")
    parser.add_argument("--groups", nargs="+", default=["parts", "held_out", "align"])
    parser.add_argument("--rows", nargs="+", help="these alone; all unless given")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--work", type=Path, default=Path("bench-models"), help="keeps models")
    options = parser.parse_args()
    profile = PROFILES[options.profile]
    work = options.work / options.profile
    judge: Judge | None = None
    for group, seed in product(options.groups, options.seeds):
        table = Table(measured.RESULTS / "ablations.json", options.profile, group)
        for job in jobs(group, options.data, profile):
            name, asked = f"{job.row}, seed {seed}", job.digest(profile)
            if options.rows and job.row not in options.rows:
                continue
            if table.row(name).get("asked") == asked:
                print(f"{group}: {name}: is there", flush=True)
                continue
            print(f"{group}: {name}", flush=True)
            judge = judge or Judge(options.data, profile)
            row = make_row(job, profile, judge, work, seed)
            table.keep(name, row | {"asked": asked})
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
