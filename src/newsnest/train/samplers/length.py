"""A batch sampler under which texts of a batch are about equally long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from sentence_transformers.base.sampler import DefaultBatchSampler

from newsnest.train.samplers.component import check_batches, processes

_POOL = 32  # batches whose rows are sorted by length together


class LengthBatchSampler(DefaultBatchSampler):  # type: ignore[misc]
    """Put rows of about the same length into a batch, so that little is padded; each row once.

    Prefer it to `ComponentBatchSampler` where no text of a batch is a negative of another: short
    and long texts mixed take two to three times as long.

    Parameters
    ----------
    dataset
        Columns of text, and perhaps a label.
    batch_size
        Most rows of a batch.
    drop_last
        Must be False: every row is yielded.
    valid_label_columns, generator
        Not used: order depends on seed and epoch alone.
    seed
        Together with the epoch decides which rows meet in a batch and in which order.

    Raises
    ------
    ParameterError
        If batch_size is not positive, or drop_last is asked for.

    Notes
    -----
    Rows are shuffled, cut into pools of 32 batches, sorted by their characters within a pool, cut
    into as few batches as can be, of nearly equal numbers of rows, and these shuffled. Their number
    is a multiple of that of the processes, unless there are fewer rows. O(n log n).
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
        check_batches("LengthBatchSampler", batch_size, drop_last)
        super().__init__(dataset, batch_size, drop_last, valid_label_columns, generator, seed)
        self.lengths = np.zeros(len(dataset), np.int64)
        plain = dataset.with_format(None)
        for name in dataset.column_names:
            values = plain[name][:]
            if values and isinstance(values[0], str):
                self.lengths += [len(text) for text in values]
        self._most = batch_size
        many = processes()
        count = -(-len(dataset) // batch_size)
        self._length = min(-(-count // many) * many, len(dataset))
        if many > 1:  # as in ComponentBatchSampler
            self.batch_size = None
            self.sampler = self

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of the epoch, lists of row numbers."""
        rng = np.random.default_rng([2, self.seed or 0, self.epoch])
        order = rng.permutation(len(self.lengths))
        size = _POOL * self._most
        pools = [order[start : start + size] for start in range(0, len(order), size)]
        by_length = np.concatenate([p[np.argsort(self.lengths[p], kind="stable")] for p in pools])
        batches = np.array_split(by_length, self._length)
        for i in rng.permutation(len(batches)).tolist():
            yield batches[i].tolist()

    def __len__(self) -> int:
        """Return how many batches every epoch has."""
        return self._length
