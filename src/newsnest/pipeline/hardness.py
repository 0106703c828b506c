"""Pairs → clusters → how hard the negatives of a cluster are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from newsnest import labelled
from newsnest.cluster import SphericalKMeans, pair_vectors
from newsnest.errors import InputError, ParameterError
from newsnest.evaluate.hardness import Hardness, QueryItemVectors, negative_hardness
from newsnest.labelled import ColumnReading, Pair
from newsnest.progress import SILENT, Progress
from newsnest.types import Ints, Labels

By = Literal["query", "item", "pair"]


@dataclass(frozen=True, slots=True)
class PairTexts:
    """Queries and items, pair by pair."""

    queries: tuple[str, ...]
    items: tuple[str, ...]
    components: Ints  # (n,): one for pairs connected by texts that they share
    left_out: dict[str, int]  # how many rows are not among them, by reason


@dataclass(frozen=True, slots=True)
class ClusterHardness:
    """How hard negatives are at one number of clusters, `k`."""

    k: int
    sizes: tuple[int, ...]  # pairs of each cluster
    in_cluster: Hardness  # negatives of the query's own cluster
    random: Hardness  # negatives of all pairs

    def as_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "k": self.k,
            "clusters": sum(size > 0 for size in self.sizes),
            "smallest": min(size for size in self.sizes if size),
            "largest": max(self.sizes),
            "in_cluster": self.in_cluster.as_dict(),
            "random": self.random.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Draw:
    """The sample that is measured: at most `queries` queries, `negatives` negatives for each."""

    queries: int = 20_000
    negatives: int = 64
    seed: int = 0


def read_pair_texts(
    data: Sequence[str], *, split: str | None = None, seed: int = 0, progress: Progress = SILENT
) -> PairTexts:
    """Read pairs as the recipe `pretrain` does, all of them but those of another split.

    `data` names files and how each is read: "pairs.csv,columns=headline:lead,max_pairs=10000";
    `seed` draws `max_pairs`.

    Raises InputError if a file cannot be read or fewer than two pairs are left, ParameterError if a
    setting of a file means nothing.
    """
    pairs: list[Pair] = []
    left_out: Counter[str] = Counter()
    for number, file in enumerate(labelled.parse_data(data, ColumnReading(columns=None))):
        found, without = labelled.all_column_pairs(file, progress=progress)
        left_out.update(without)
        kept = [pair for pair in found if split is None or pair.split == split]
        left_out["of other splits"] += len(found) - len(kept)
        drawn = labelled.draw(kept, file.reading.max_pairs, [31, seed, number])
        left_out["not drawn"] += len(kept) - len(drawn)
        pairs += drawn
    if len(pairs) < 2:
        raise InputError(
            f"{', '.join(data)}: there must be at least two pairs, got "
            f"{len(pairs)}{labelled.in_words(left_out)}. Check the columns and --split."
        )
    return PairTexts(
        tuple(pair.text1 for pair in pairs),
        tuple(pair.text2 for pair in pairs),
        labelled.article_components(pairs),
        {why: count for why, count in sorted(left_out.items()) if count},
    )


def cluster_hardness(
    pairs: QueryItemVectors, *, by: By, k: Sequence[int], draw: Draw, progress: Progress = SILENT
) -> list[ClusterHardness]:
    """Cluster pairs into several numbers of clusters, and measure the negatives of each.

    Raises ParameterError if there are more clusters than pairs, or no k.
    """
    check_clusters(k, len(pairs.queries))
    queries, items = pairs.queries, pairs.items
    vectors = pair_vectors(queries, items) if by == "pair" else queries if by == "query" else items
    n = len(queries)
    rows = np.arange(n)
    if n > draw.queries:
        rows = np.sort(np.random.default_rng([37, draw.seed]).permutation(n)[: draw.queries])

    def measured(labels: Labels) -> Hardness:
        return negative_hardness(pairs, labels, negatives=draw.negatives, rows=rows, seed=draw.seed)

    random = measured(np.zeros(n, np.int32))
    out = []
    with progress.start("cluster", len(k), "clusterings") as task:
        for number in k:
            labels = SphericalKMeans(number, seed=draw.seed).fit(vectors).labels_
            sizes = np.bincount(labels, minlength=number)
            out.append(ClusterHardness(number, tuple(sizes.tolist()), measured(labels), random))
            task.advance()
    return out


def check_clusters(k: Sequence[int], pairs: int) -> None:
    """Raise ParameterError unless there is a number of clusters, and none above that of pairs."""
    if not k:
        raise ParameterError("hardness: k must hold at least one number, got none. Give 10.")
    if max(k) > pairs:
        raise ParameterError(
            f"hardness: k must be at most the number of pairs, {pairs:,}, got {max(k):,}. Ask for "
            "fewer clusters, or give more pairs."
        )


def titles_of(specifications: Sequence[str]) -> str:
    """Return the file names of specifications such as "pairs.csv,columns=a:b", for display."""
    return ", ".join(Path(one.partition(",")[0]).name for one in specifications)
