"""A batch sampler under which no batch holds two texts known to be alike in two pairs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from sentence_transformers.base.sampler import DefaultBatchSampler

from newsnest.errors import ParameterError
from newsnest.train.samplers.packing import pack_pairs, pair_components, split_to


class ComponentBatchSampler(DefaultBatchSampler):  # type: ignore[misc]
    """Keep connected articles out of each other's negatives; yield every pair once an epoch.

    Articles are the texts of the data set's first two columns; those of a pair with a score of
    `min_score` or more are connected, and so is what they are connected with. No batch holds one
    connected component in two pairs, so in-batch negatives are never known to be alike. Batches may
    be smaller than `batch_size` where a component has many pairs.

    Parameters
    ----------
    dataset
        Two columns of text and a label column: a score, or a row that begins with one.
    batch_size
        Most pairs of a batch.
    drop_last
        Must be False: every pair is yielded.
    valid_label_columns
        Names a label column may have; the first one found counts.
    generator
        Not used: order depends on seed and epoch alone.
    seed
        Together with the epoch decides which pairs meet in a batch and in which order.
    min_score
        Smallest score that connects. Pairs built from themes, or many pairs of each article,
        connect nearly everything: batches get small. Raise it then, and let group ids in the
        labels tell the loss the rest.

    Raises
    ------
    ParameterError
        If batch_size is not positive, drop_last is asked for, or there are not two columns of text
        and a label.

    Notes
    -----
    Plugs into SentenceTransformerTrainingArguments as `batch_sampler=ComponentBatchSampler`, or
    `functools.partial(ComponentBatchSampler, min_score=0.75)`; with several data sets, each gets
    its own sampler. The length is the same in every epoch, which the trainer relies on: an epoch
    that packs into fewer batches than the first one halves its largest, and one that would need
    more takes the batches of the first one in a new order. With several processes the length is a
    multiple of their number, so that none waits for another at the end, unless there are fewer
    pairs than processes.

    Source: arXiv 2506.00277, section 3.2. Differs from the source's code, which drops pairs that do
    not fit and reports more batches than it yields.
    """

    def __init__(  # noqa: PLR0913  the trainer passes all but the last
        self,
        dataset: Any,
        batch_size: int,
        drop_last: bool = False,
        valid_label_columns: Sequence[str] | None = None,
        generator: torch.Generator | None = None,
        seed: int = 0,
        min_score: float = 0.25,
    ) -> None:
        check_batches("ComponentBatchSampler", batch_size, drop_last)
        super().__init__(dataset, batch_size, drop_last, valid_label_columns, generator, seed)
        self.min_score = min_score
        self.components, self.component_count = pair_components(
            _scored_pairs(dataset, valid_label_columns), min_score=min_score
        )
        self._most = batch_size
        self._packed: tuple[int, list[list[int]]] | None = None
        many = processes()
        first = self._pack(0)
        self._length = -(-len(first) // many) * many
        self._first = split_to(first, self._length)
        self._length = len(self._first)
        # Where several processes share the batches, accelerate drops each round that ends in a
        # batch smaller than `batch_size`, unless there is none; and it tells the epoch to an
        # attribute named `sampler` alone.
        if many > 1:
            self.batch_size = None
            self.sampler = self

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of the epoch, lists of row numbers."""
        if self._packed is None or self._packed[0] != self.epoch:
            self._packed = (self.epoch, self._batches(self.epoch))
        yield from (list(batch) for batch in self._packed[1])

    def __len__(self) -> int:
        """Return how many batches every epoch has."""
        return self._length

    def _batches(self, epoch: int) -> list[list[int]]:
        batches = self._first
        if epoch:
            packed = self._pack(epoch)
            if len(packed) <= self._length:
                batches = split_to(packed, self._length)
        order = np.random.default_rng([1, self.seed or 0, epoch]).permutation(len(batches))
        return [batches[i] for i in order.tolist()]

    def _pack(self, epoch: int) -> list[list[int]]:
        rng = np.random.default_rng([0, self.seed or 0, epoch])
        return pack_pairs(self.components, batch_size=self._most, rng=rng)


def _scored_pairs(
    dataset: Any, valid_label_columns: Sequence[str] | None
) -> Iterator[tuple[Hashable, Hashable, float]]:
    """Yield digests of both texts and the score of every row."""
    names = [name for name in dataset.column_names if name != "dataset_name"]
    known = list(valid_label_columns or ("label", "labels", "score", "scores"))
    label = next((name for name in known if name in names), None)
    texts = [name for name in names if name != label]
    if label is None or len(texts) != 2:
        raise ParameterError(
            "ComponentBatchSampler: dataset must have two columns of text and a label column "
            f"({' or '.join(known)}), got {', '.join(names) or 'no columns'}. "
            "Select the columns, as pair_dataset does."
        )
    plain = dataset.with_format(None).select_columns([*texts, label])
    for rows in plain.iter(batch_size=1000):
        for first, second, told in zip(rows[texts[0]], rows[texts[1]], rows[label], strict=True):
            score = told[0] if isinstance(told, Sequence) else told
            yield _digest(first), _digest(second), float(score)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def check_batches(sampler: str, batch_size: int, drop_last: bool) -> None:
    """Raise ParameterError unless a sampler that yields every row once can make such batches."""
    if batch_size < 1:
        raise ParameterError(
            f"{sampler}: batch_size must be at least 1, got {batch_size}. "
            "Give the number of pairs in a batch."
        )
    if drop_last:
        raise ParameterError(
            f"{sampler}: drop_last must be False, got True. Small batches are part "
            "of how every pair is used once; leave dataloader_drop_last out."
        )


def processes() -> int:
    """Return how many processes train together."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size()
    return 1
