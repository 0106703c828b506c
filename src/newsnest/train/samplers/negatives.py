"""A batch sampler for pairs with hard negatives: none in a batch is the text of another pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from sentence_transformers.base.sampler import DefaultBatchSampler

from newsnest.errors import ParameterError
from newsnest.train.samplers.component import check_batches, processes
from newsnest.train.samplers.packing import pair_components, split_to


class NegativeBatchSampler(DefaultBatchSampler):  # type: ignore[misc]
    """Keep texts of a pair, and what is connected with them, out of the rest of their batch.

    In a batch every text is a negative of every pair but its own, mined negatives too. Two pairs
    may meet where they are not connected (`ComponentBatchSampler`), and where no negative of one is
    connected with the other. Prefer `ComponentBatchSampler` without mined negatives.

    Parameters
    ----------
    dataset
        First text, second text, any number of negatives, a label. A negative that is no text of a
        pair is connected with nothing.
    batch_size
        Most pairs of a batch.
    drop_last
        Must be False: every pair is yielded.
    valid_label_columns
        Names a label column may have.
    generator
        Not used: order depends on seed and epoch alone.
    seed
        Together with the epoch decides which pairs meet in a batch and in which order.

    Raises
    ------
    ParameterError
        If batch_size is not positive, drop_last is asked for, or there are not two columns of text
        at least.

    Notes
    -----
    Batches may be smaller than `batch_size`. Every epoch has as many as the first, as
    `ComponentBatchSampler` explains. O(n) times the batches that are looked at in vain, at most 64
    for a pair.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        drop_last: bool = False,
        valid_label_columns: Sequence[str] | None = None,
        generator: torch.Generator | None = None,
        seed: int = 0,
    ) -> None:
        check_batches("NegativeBatchSampler", batch_size, drop_last)
        super().__init__(dataset, batch_size, drop_last, valid_label_columns, generator, seed)
        self._own, self._others = _connected(dataset, valid_label_columns)
        self._most = batch_size
        first = self._pack(0)
        many = processes()
        self._first = split_to(first, -(-len(first) // many) * many)
        if many > 1:  # as ComponentBatchSampler says
            self.batch_size = None
            self.sampler = self

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of the epoch, lists of row numbers."""
        batches = self._first
        if self.epoch:
            packed = self._pack(self.epoch)
            if len(packed) <= len(self):
                batches = split_to(packed, len(self))
        order = np.random.default_rng([1, self.seed or 0, self.epoch]).permutation(len(batches))
        yield from (list(batches[i]) for i in order.tolist())

    def __len__(self) -> int:
        """Return how many batches every epoch has."""
        return len(self._first)

    def _pack(self, epoch: int) -> list[list[int]]:
        rng = np.random.default_rng([0, self.seed or 0, epoch])
        batches: list[_Batch] = []
        waiting: list[_Batch] = []  # not full yet
        for row in rng.permutation(len(self._own)).tolist():
            own, others = int(self._own[row]), self._others[row]
            fitting = (batch for batch in waiting[:_LOOKED_AT] if batch.takes(own, others))
            batch = next(fitting, None)
            if batch is None:
                batch = _Batch()
                batches.append(batch)
                waiting.append(batch)
            batch.add(row, own, others)
            if len(batch.rows) == self._most:
                waiting.remove(batch)
        return [batch.rows for batch in batches]


_LOOKED_AT = 64


class _Batch:
    """Rows, and what their texts are connected with."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.own: set[int] = set()
        self.others: set[int] = set()

    def takes(self, own: int, others: set[int]) -> bool:
        return own not in self.own and own not in self.others and self.own.isdisjoint(others)

    def add(self, row: int, own: int, others: set[int]) -> None:
        self.rows.append(row)
        self.own.add(own)
        self.others |= others


def _connected(
    dataset: Any, valid_label_columns: Sequence[str] | None
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], list[set[int]]]:
    """Return the component of every pair, and the components of its negatives."""
    labels = valid_label_columns or ("label", "labels", "score", "scores")
    names = [n for n in dataset.column_names if n not in labels and n != "dataset_name"]
    if len(names) < 2:
        raise ParameterError(
            "NegativeBatchSampler: dataset must have two columns of text, then negatives, got "
            f"{', '.join(names) or 'no columns'}. Select the columns."
        )
    columns = [dataset[name][:] for name in names]
    ones = [1.0] * len(dataset)
    components, _ = pair_components(zip(*columns[:2], ones, strict=True), min_score=1.0)
    known = {
        text: int(component)
        for column in columns[:2]
        for text, component in zip(column, components[:, 0], strict=True)
    }
    others = [{known[t] for t in row if t in known} for row in zip(*columns[2:], strict=True)]
    return components[:, 0], others or [set() for _ in ones]
