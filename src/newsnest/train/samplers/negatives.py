"""A batch sampler for pairs with hard negatives: none in a batch is the text of another pair."""

from collections.abc import Sequence
from typing import Any

from newsnest.train.samplers.base import PackedBatchSampler, connected_pairs

_LOOKED_AT = 64


class NegativeBatchSampler(PackedBatchSampler):
    """Keep texts of a pair, and what is connected with them, out of the rest of their batch.

    In a batch every text is a negative of every pair but its own, mined negatives too. Two pairs
    may meet where they are not connected (`ComponentBatchSampler`), and where no negative of one is
    connected with the other. Prefer `ComponentBatchSampler` without mined negatives.

    Parameters
    ----------
    dataset
        First text, second text, any number of negatives, a label. A negative that is no text of a
        pair is connected with nothing.
    batch_size, drop_last, valid_label_columns, generator, seed
        See `EpochBatchSampler`.

    Raises
    ------
    ParameterError
        See `EpochBatchSampler`; or there are fewer than two columns of text.

    Notes
    -----
    Batches may be smaller than `batch_size`. O(n) times the batches that are tried in vain, at most
    64 for a pair.
    """

    def _read(self, dataset: Any, texts: Sequence[str], label: str | None) -> None:
        if len(texts) < 2:
            raise self._refuse("two columns of text, then negatives", texts, "Select the columns.")
        first, second, *mined = (dataset[name][:] for name in texts)
        self._components = connected_pairs([first, second]).tolist()
        known: dict[str, int] = {}
        for column in (first, second):
            known |= zip(column, self._components, strict=True)
        self._forbidden = [
            {known[column[row]] for column in mined if column[row] in known}
            for row in range(len(self._components))
        ]

    def _pack(self, epoch: int) -> list[list[int]]:
        batches: list[_Batch] = []
        waiting: list[_Batch] = []  # not full yet
        for row in self._rng(0, epoch).permutation(len(self._components)).tolist():
            own, others = self._components[row], self._forbidden[row]
            fitting = (batch for batch in waiting[:_LOOKED_AT] if batch.takes(own, others))
            batch = next(fitting, None)
            if batch is None:
                batch = _Batch()
                batches.append(batch)
                waiting.append(batch)
            batch.add(row, own, others)
            if len(batch.rows) == self.max_rows:
                waiting.remove(batch)
        return [batch.rows for batch in batches]


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
