"""A batch sampler under which texts of a batch are about equally long."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from newsnest.train.samplers.base import EpochBatchSampler

_POOL = 32  # batches whose rows are sorted by length together


class LengthBatchSampler(EpochBatchSampler):
    """Put rows of about the same length into a batch, so that little is padded; each row once.

    Prefer it to `ComponentBatchSampler` where no text of a batch is a negative of another: short
    and long texts mixed take two to three times as long.

    Parameters
    ----------
    dataset
        Columns of text, and perhaps a label.
    batch_size, drop_last, valid_label_columns, generator, seed
        See `EpochBatchSampler`.

    Notes
    -----
    Rows are shuffled, cut into pools of 32 batches, sorted by their characters within a pool, cut
    into as few batches as possible of nearly equal numbers of rows, and these shuffled.
    O(n log n).
    """

    def _read(self, dataset: Any, texts: Sequence[str], label: str | None) -> None:
        self.lengths = np.zeros(len(dataset), np.int64)
        plain = dataset.with_format(None)
        for name in dataset.column_names:
            values = plain[name][:]
            if values and isinstance(values[0], str):
                self.lengths += [len(text) for text in values]

    def _count(self) -> int:
        return -(-len(self.lengths) // self.max_rows)

    def _batches(self, epoch: int) -> Iterator[list[int]]:
        rng = self._rng(2, epoch)
        order = rng.permutation(len(self.lengths))
        size = _POOL * self.max_rows
        pools = [order[start : start + size] for start in range(0, len(order), size)]
        by_length = np.concatenate([p[np.argsort(self.lengths[p], kind="stable")] for p in pools])
        batches = np.array_split(by_length, len(self))
        for i in rng.permutation(len(batches)).tolist():
            yield batches[i].tolist()
