"""The teacher of the recipe `pretrain`: its vectors and clusters of the pairs, kept in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from newsnest.cluster import SphericalKMeans, pair_vectors
from newsnest.embed import EncoderConfig, load_encoder
from newsnest.errors import ParameterError
from newsnest.progress import SILENT, Progress
from newsnest.train.losses import TeacherVectors
from newsnest.train.pairs import Pair
from newsnest.train.recipes.pretrain import PretrainSettings
from newsnest.train.samplers import Clustering
from newsnest.types import Vectors


@dataclass(frozen=True, slots=True)
class Taught:
    """A teacher's vectors and clusters of the training pairs."""

    fingerprint: str  # of the encoder; "" where it is not asked
    vectors: TeacherVectors | None  # None where it is not asked
    clusterings: tuple[Clustering, ...]  # one for every k, or one of a single cluster


def ask_teacher(
    pairs: Sequence[Pair], settings: PretrainSettings, kept: Path, *, progress: Progress = SILENT
) -> Taught:
    """Return the teacher's vectors and clusters of pairs, from a file where they are kept.

    The .npz file `kept` is read where it exists, else written. Raises EncoderError if the teacher
    cannot be found or loaded, and ParameterError if there are more clusters than pairs.
    """
    if not settings.needs_teacher:
        return Taught("", None, (_one_cluster(len(pairs)),))
    if settings.cluster_by != "none" and max(settings.k) > len(pairs):
        raise ParameterError(
            f"pretrain: k must be at most the number of pairs trained on, {len(pairs):,}, got "
            f"{max(settings.k):,}. Lower it, or give more pairs."
        )
    if not kept.is_file():
        found = _asked(pairs, settings, progress)
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(".partial.npz")
        with draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **found)
        draft.replace(kept)
    with np.load(kept) as found:
        vectors = TeacherVectors(found["queries"], found["items"])
        fingerprint = str(found["fingerprint"])
        if settings.cluster_by == "none":
            return Taught(fingerprint, vectors, (_one_cluster(len(pairs)),))
        clusterings = tuple(
            Clustering(found[f"labels{k}"], found[f"centers{k}"]) for k in settings.k
        )
    return Taught(fingerprint, vectors, clusterings)


def clustered_vectors(teacher: TeacherVectors, by: str) -> Vectors:
    """Return the vectors that are clustered: of queries, items or pairs."""
    if by == "pair":
        return pair_vectors(teacher.queries, teacher.items)
    return teacher.queries if by == "query" else teacher.items


def _asked(
    pairs: Sequence[Pair], settings: PretrainSettings, progress: Progress
) -> dict[str, np.ndarray]:
    name = settings.teacher or settings.base
    device = "cpu" if settings.device == "cpu" else None
    encoder = load_encoder(name, config=EncoderConfig(device=device))
    place = {
        text: row
        for row, text in enumerate(dict.fromkeys(t for p in pairs for t in (p.text1, p.text2)))
    }
    encoder.prepare(list(place), progress=progress)
    vectors = encoder.encode(list(place), progress=progress)
    teacher = TeacherVectors(
        vectors[[place[p.text1] for p in pairs]], vectors[[place[p.text2] for p in pairs]]
    )
    found: dict[str, np.ndarray] = {
        "queries": teacher.queries,
        "items": teacher.items,
        "fingerprint": np.array(encoder.fingerprint),
    }
    if settings.cluster_by != "none":
        rows = clustered_vectors(teacher, settings.cluster_by)
        with progress.start("cluster", len(settings.k), "clusterings") as task:
            for k in settings.k:
                means = SphericalKMeans(k, seed=settings.seed).fit(rows)
                found[f"labels{k}"] = means.labels_
                found[f"centers{k}"] = means.cluster_centers_
                task.advance()
    return found


def _one_cluster(n: int) -> Clustering:
    return Clustering(np.zeros(n, np.int32), np.ones((1, 1), np.float32))
