"""A batch sampler under which no batch holds two texts known to be alike in two pairs."""

from collections.abc import Hashable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from newsnest.train.samplers.base import PackedBatchSampler
from newsnest.train.samplers.packing import pack_pairs, text_components


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
