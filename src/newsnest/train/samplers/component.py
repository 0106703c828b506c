"""Batch samplers under which no text of a batch is a false negative of another pair."""

from collections.abc import Hashable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from newsnest.train.samplers.base import PackedBatchSampler, connected_pairs
from newsnest.train.samplers.packing import pack_pairs, text_components

_LOOKED_AT = 64


class ComponentBatchSampler(PackedBatchSampler):
    """Keep connected articles out of each other's negatives; yield every pair once an epoch.

    Articles are the texts of the data set's first two columns; those of a pair with a score of
    `min_score` or more are connected, and so is what they are connected with. No batch holds one
    connected component in two pairs, so in-batch negatives are never known to be alike. Batches may
    be smaller than `batch_size` where a component has many pairs.

    Parameters
    ----------
    dataset
        Two columns of text and a label column: a score, or a row that begins with one.
    batch_size, options
        See `EpochBatchSampler`.
    min_score
        Smallest score that connects. Pairs built from themes, or many pairs of each article,
        connect nearly everything: batches get small. Raise it then, and let group ids in the
        labels identify the remaining false negatives to the loss.

    Raises
    ------
    ParameterError
        See `EpochBatchSampler`; or there are not two columns of text and a label.

    Source: arXiv 2506.00277, section 3.2. Differs from the source's code, which drops pairs that do
    not fit and reports more batches than it yields.
    """

    def __init__(
        self, dataset: Any, batch_size: int, *, min_score: float = 0.25, **options: Any
    ) -> None:
        self.min_score = min_score
        super().__init__(dataset, batch_size, **options)

    def _read(self, dataset: Any, texts: Sequence[str], label: str | None) -> None:
        if label is None or len(texts) != 2:
            raise self._refuse(
                f"two columns of text and a label column ({' or '.join(self.labels)})",
                dataset.column_names,
                "Select the columns, as pair_dataset does.",
            )
        pairs = _scored_pairs(dataset.with_format(None), texts[0], texts[1], label)
        self.components, self.component_count = text_components(pairs, min_score=self.min_score)

    def _pack(self, epoch: int) -> list[list[int]]:
        return pack_pairs(self.components, batch_size=self.max_rows, rng=self._rng(0, epoch))


def _scored_pairs(
    dataset: Any, first: str, second: str, label: str
) -> Iterator[tuple[Hashable, Hashable, float]]:
    """Yield digests of both texts and the score of every row, with few rows in memory."""
    for rows in dataset.select_columns([first, second, label]).iter(batch_size=1000):
        for one, other, given in zip(rows[first], rows[second], rows[label], strict=True):
            score = given[0] if isinstance(given, Sequence) else given
            yield _digest(one), _digest(other), float(score)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


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
            component, others = self._components[row], self._forbidden[row]
            # Few are looked at, or a component with many pairs would make this quadratic.
            fitting = (batch for batch in waiting[:_LOOKED_AT] if batch.takes(component, others))
            batch = next(fitting, None)
            if batch is None:
                batch = _Batch()
                batches.append(batch)
                waiting.append(batch)
            batch.add(row, component, others)
            if len(batch.rows) == self.max_rows:
                waiting.remove(batch)
        return [batch.rows for batch in batches]


class _Batch:
    """Rows, and what their texts are connected with."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.components: set[int] = set()
        self.others: set[int] = set()

    def takes(self, component: int, others: set[int]) -> bool:
        return (
            component not in self.components
            and component not in self.others
            and self.components.isdisjoint(others)
        )

    def add(self, row: int, component: int, others: set[int]) -> None:
        self.rows.append(row)
        self.components.add(component)
        self.others |= others
