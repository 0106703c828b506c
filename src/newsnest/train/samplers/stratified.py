"""A batch sampler that draws every batch from one cluster, so that negatives are near."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from newsnest.errors import ParameterError
from newsnest.train.samplers.base import EpochBatchSampler, connected_pairs
from newsnest.train.samplers.packing import Ids, split_to
from newsnest.train.samplers.strata import (
    Groups,
    batch_count,
    cluster_groups,
    deal,
    merge_small,
    spread_connected,
    tour,
)
from newsnest.types import Vectors

Schedule = Literal["always", "from", "alternating", "growing"]


@dataclass(frozen=True, slots=True)
class Clustering:
    """Clusters of training pairs.

    Parameters
    ----------
    labels
        (n,): the cluster of every pair, from 0.
    centers
        Unit vectors, (k, d).
    """

    labels: NDArray[np.integer]
    centers: Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """Where batches are drawn from, and when.

    Parameters
    ----------
    clusterings
        One; for the schedule "growing" several, with few clusters first.
    sources
        (n,): where each pair is from, such as the number of its file. No batch mixes sources. None:
        all from one.
    schedule
        "always": every batch is of one cluster. "from": those from step `start` on; before, batches
        are random. "alternating": every other batch. "growing": each epoch takes the next
        clustering, the last one stays.
    start
        Of "from".
    small
        What becomes of a cluster with fewer pairs than a batch: "merge" merges it with its nearest
        neighbours until they fill one, "short" gives it a short batch, of two pairs at least.
    order
        Of the batches: "random", or "tour": from each cluster to the nearest one not yet visited.

    Raises
    ------
    ParameterError
        If there are not as many clusterings as the schedule needs, their lengths differ, a label
        has no centre, or `start` is negative.
    """

    clusterings: Sequence[Clustering]
    sources: Ids | None = None
    schedule: Schedule = "always"
    start: int = 0
    small: Literal["merge", "short"] = "merge"
    order: Literal["random", "tour"] = "random"

    def __post_init__(self) -> None:
        growing = self.schedule == "growing"
        if len(self.clusterings) < 2 if growing else len(self.clusterings) != 1:
            raise ParameterError(
                f"Strata: clusterings must be {'two at least' if growing else 'one'} with "
                f"schedule={self.schedule}, got {len(self.clusterings)}. "
                + ("Give several k." if growing else "Give one, or schedule=growing.")
            )
        lengths = {len(one.labels) for one in self.clusterings}
        if self.sources is not None:
            lengths.add(len(self.sources))
        if len(lengths) != 1:
            raise ParameterError(
                "Strata: clusterings and sources must be of the same pairs, got "
                f"{' and '.join(map(str, sorted(lengths)))} of them. Give one label a pair."
            )
        for one in self.clusterings:
            if len(one.labels) and not 0 <= one.labels.min() <= one.labels.max() < len(one.centers):
                raise ParameterError(
                    f"Strata: labels must be from 0 to {len(one.centers) - 1}, as there are "
                    f"centers, got {one.labels.min()} to {one.labels.max()}. Leave noise out."
                )
        if self.start < 0:
            raise ParameterError(
                f"Strata: start must be at least 0, got {self.start}. Give a number of steps."
            )


class ClusterStratifiedBatchSampler(EpochBatchSampler):
    """Draw every batch from one cluster of pairs; yield every pair once an epoch.

    Negatives of a batch are then of the pair's own subject, and harder. Prefer
    `ComponentBatchSampler` where pairs are graded.

    Parameters
    ----------
    dataset
        Two columns of text first, a label perhaps.
    batch_size, options
        See `EpochBatchSampler`.
    strata
        Clusters, sources and schedule.

    Attributes
    ----------
    groups : tuple of Groups
        Of each clustering, the groups that batches are drawn from: clusters, small ones merged.
    moved : int
        Pairs that are in another group than their cluster's, see Notes.

    Raises
    ------
    ParameterError
        See `EpochBatchSampler`; or there are fewer than two columns of text, or not as many pairs
        as labels.

    Notes
    -----
    Plugs into SentenceTransformerTrainingArguments as `batch_sampler=functools.partial(
    ClusterStratifiedBatchSampler, strata=…)`. Pairs that share a text, or are connected by pairs
    that do, never share a batch; where a cluster has more of them than batches, the rest goes to
    the nearest cluster with room (`moved`), or makes short batches where none has any.

    A large cluster is split anew every epoch, into as few batches as can be, nearly equally large.
    Every epoch has as many batches: those of the clustering that needs most, a multiple of the
    number of processes. Random batches, where the schedule has some, are dealt from the pairs of as
    many batches drawn at random, so that no pair is missed or comes twice.

    O(n log n) an epoch, and once g · d for each of the g groups that is merged.

    Source: Merrick (2024), arXiv 2407.18887; packing of small and large clusters: Morris and Rush
    (2024), arXiv 2410.02525. Differs from the source in that pairs that share a text are kept
    apart; it does not give its order of batches.
    """

    def __init__(self, dataset: Any, batch_size: int, *, strata: Strata, **options: Any) -> None:
        self.strata = strata
        self.moved = 0
        super().__init__(dataset, batch_size, **options)

    def _read(self, dataset: Any, texts: Sequence[str], label: str | None) -> None:
        if len(texts) < 2:
            raise self._refuse("two columns of text", texts, "Select the columns.")
        self.components = connected_pairs([dataset[name][:] for name in texts[:2]])
        n, strata = len(self.components), self.strata
        if len(strata.clusterings[0].labels) != n:
            raise ParameterError(
                f"ClusterStratifiedBatchSampler: strata must hold a label for each of {n} pairs, "
                f"got {len(strata.clusterings[0].labels)}. Cluster the pairs of this data set."
            )
        self.sources = np.zeros(n, np.int64) if strata.sources is None else strata.sources
        self.groups = tuple(self._grouped(one) for one in strata.clusterings)

    def _count(self) -> int:
        return max(sum(map(len, self._parts(groups, 0))) for groups in self.groups)

    def _batches(self, epoch: int) -> Iterator[list[int]]:
        groups = self.groups[min(epoch, len(self.groups) - 1)]
        rng = self._rng(3, epoch)
        packed = [batch for part in self._parts(groups, epoch) for batch in part]
        batches = split_to(packed, len(self))
        random = self._random_places(epoch)
        drawn = set(rng.permutation(len(batches))[: int(random.sum())].tolist())
        dealt = iter(self._dealt_anew([batches[i] for i in sorted(drawn)], rng))
        strict = iter(
            self._ordered([b for i, b in enumerate(batches) if i not in drawn], groups, rng)
        )
        for anew in random.tolist():
            yield next(dealt if anew else strict)

    def _grouped(self, clustering: Clustering) -> Groups:
        groups = cluster_groups(clustering.labels, clustering.centers, self.sources)
        # A single pair would have no negative.
        smallest = self.max_rows if self.strata.small == "merge" else min(2, self.max_rows)
        groups = merge_small(groups, min_pairs=smallest)
        groups, moved = spread_connected(groups, self.components, batch_size=self.max_rows)
        self.moved = max(self.moved, moved)
        return groups

    def _parts(self, groups: Groups, epoch: int) -> Iterator[list[list[int]]]:
        """Yield the batches of every group."""
        rng = self._rng(0, epoch)
        order = np.argsort(groups.of, kind="stable")
        for rows in np.split(order, np.cumsum(groups.sizes)[:-1]):
            own = self.components[rows]
            if len(rows):
                yield deal(rows, own, batch_count(own, batch_size=self.max_rows), rng)

    def _random_places(self, epoch: int) -> NDArray[np.bool_]:
        """Tell which batches of the epoch are random."""
        # A step takes a batch from every process.
        step = (epoch * len(self) + np.arange(len(self))) // self.processes
        if self.strata.schedule == "from":
            early: NDArray[np.bool_] = step < self.strata.start
            return early
        if self.strata.schedule == "alternating":
            every_other: NDArray[np.bool_] = step % 2 == 0
            return every_other
        return np.zeros(len(self), bool)

    def _dealt_anew(
        self, batches: Sequence[Sequence[int]], rng: np.random.Generator
    ) -> list[list[int]]:
        """Return as many batches of the same pairs, those of a source mixed at random."""
        own = np.array([self.sources[batch[0]] for batch in batches], np.int64)
        out: list[list[int]] = []
        for source in np.unique(own).tolist():
            pools = [batches[i] for i in np.flatnonzero(own == source).tolist()]
            rows = np.concatenate([np.array(pool, np.int64) for pool in pools])
            out += deal(rows, self.components[rows], len(pools), rng)
        return [out[i] for i in rng.permutation(len(out)).tolist()]

    def _ordered(
        self, batches: list[list[int]], groups: Groups, rng: np.random.Generator
    ) -> list[list[int]]:
        shuffled = [batches[i] for i in rng.permutation(len(batches)).tolist()]
        if self.strata.order == "random" or not shuffled:
            return shuffled
        path = tour(groups.centers, int(rng.integers(len(groups.centers))))
        place = np.argsort(path)
        return sorted(shuffled, key=lambda batch: int(place[groups.of[batch[0]]]))
