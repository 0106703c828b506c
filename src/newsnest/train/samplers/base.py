"""What our batch samplers share: every row once an epoch, as many batches in every epoch."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from sentence_transformers.base.sampler import DefaultBatchSampler

from newsnest.errors import ParameterError
from newsnest.train.samplers.packing import Ids, split_to, text_components

_LABELS = ("label", "labels", "score", "scores")
_POOL = 32  # batches whose rows are sorted by length together


class EpochBatchSampler(DefaultBatchSampler):  # type: ignore[misc]  # untyped base
    """Base of our samplers. A subclass reads the data set and fills an epoch with batches.

    Parameters
    ----------
    dataset
        Columns of text, and a label column where the subclass needs one.
    batch_size
        Maximum number of rows in a batch.
    drop_last
        Must be False: every row is yielded.
    valid_label_columns
        Names a label column may have; the first one found counts.
    generator
        Not used: the order depends on seed and epoch alone.
    seed
        Together with the epoch decides which rows meet in a batch and in which order.

    Raises
    ------
    ParameterError
        If batch_size is not positive, drop_last is asked for, or columns are missing.

    Notes
    -----
    Plugs into SentenceTransformerTrainingArguments as `batch_sampler=`, the class itself or a
    `functools.partial` with its own options; with several data sets, each gets its own sampler.
    The trainer relies on a length that is the same in every epoch. With several processes it is a
    multiple of their number, so that none waits for another at the end, unless there are fewer
    rows than processes.
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
        name = type(self).__name__
        if batch_size < 1:
            raise ParameterError(
                f"{name}: batch_size must be at least 1, got {batch_size}. "
                "Give the number of rows in a batch."
            )
        if drop_last:
            raise ParameterError(
                f"{name}: drop_last must be False, got True. Small batches are part "
                "of how every row is used once; leave dataloader_drop_last out."
            )
        super().__init__(dataset, batch_size, drop_last, valid_label_columns, generator, seed)
        self.max_rows = batch_size
        self.processes = processes()
        self.labels = list(valid_label_columns or _LABELS)
        names = [column for column in dataset.column_names if column != "dataset_name"]
        label = next((column for column in self.labels if column in names), None)
        self._read(dataset, [column for column in names if column != label], label)
        rounds = -(-self._count() // self.processes)
        self._length = min(rounds * self.processes, len(dataset))
        if self.processes > 1:
            # Where several processes share the batches, accelerate drops each round that ends in a
            # batch smaller than `batch_size`, unless there is none; and it passes the epoch on to
            # an attribute named `sampler` alone.
            self.batch_size = None
            self.sampler = self

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of the epoch, lists of row numbers."""
        yield from (list(batch) for batch in self._batches(self.epoch))

    def __len__(self) -> int:
        """Return how many batches every epoch has."""
        return self._length

    def _read(self, dataset: Any, texts: Sequence[str], label: str | None) -> None:
        """Take what is needed of the data set; `texts` are its columns without the label."""
        raise NotImplementedError

    def _count(self) -> int:
        """Return how many batches an epoch needs."""
        raise NotImplementedError

    def _batches(self, epoch: int) -> Iterator[list[int]]:
        """Yield `len(self)` batches."""
        raise NotImplementedError

    def _refuse(self, needs: str, got: Sequence[str], cure: str) -> ParameterError:
        return ParameterError(
            f"{type(self).__name__}: dataset must have {needs}, got "
            f"{', '.join(got) or 'no columns'}. {cure}"
        )

    def _rng(self, use: int, epoch: int) -> np.random.Generator:
        """Return the source of randomness of one use in one epoch."""
        # Not their sum: by that, one seed's second epoch would be the next seed's first.
        return np.random.default_rng([use, self.seed or 0, epoch])


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


class PackedBatchSampler(EpochBatchSampler):
    """Base of samplers that pack an epoch anew, into a number of batches that luck decides.

    An epoch that packs into fewer batches than the first one halves its largest; one that would
    need more takes the batches of the first one in a new order.
    """

    def _pack(self, epoch: int) -> list[list[int]]:
        """Return the batches of an epoch, as few as can be."""
        raise NotImplementedError

    def _count(self) -> int:
        self._first = self._pack(0)
        return len(self._first)

    def _batches(self, epoch: int) -> Iterator[list[int]]:
        packed = self._pack(epoch) if epoch else self._first
        batches = split_to(packed if len(packed) <= len(self) else self._first, len(self))
        for i in self._rng(1, epoch).permutation(len(batches)).tolist():
            yield batches[i]


def connected_pairs(columns: Sequence[Sequence[str]]) -> Ids:
    """Return the component of every pair of two columns, (n,); pairs that share a text are of one.

    Example
    -------
    >>> connected_pairs([["a", "b", "c"], ["x", "x", "y"]]).tolist()
    [0, 0, 1]
    """
    pairs = ((first, second, 1.0) for first, second in zip(*columns, strict=True))
    return text_components(pairs, min_score=1.0)[0][:, 0]


def processes() -> int:
    """Return how many processes train together."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size()
    return 1
