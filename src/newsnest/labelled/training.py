"""What is trained on and validated on: the splits of files, kept apart without leaks."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from newsnest.corpus import digest
from newsnest.errors import InputError
from newsnest.labelled.data_files import DataFile
from newsnest.labelled.pairs import Gold, Pair
from newsnest.labelled.split import Together, by_side, draw, leaking_pairs, split_validation
from newsnest.progress import SILENT, Progress

Draw = Callable[[Sequence[Pair], int, Sequence[int]], list[Pair]]


@dataclass(frozen=True, slots=True)
class Splitting:
    """How validation pairs come about.

    Parameters
    ----------
    share
        Of each file without a validation split of its own, what is split off to validate on.
    max_validation
        Maximum number of validation pairs of all files; the others are not used.
    hard
        Share of the very dissimilar pairs built from neighbouring themes.
    seed
        Decides what is split off and drawn.
    """

    share: float = 0.1
    max_validation: int = 2000
    hard: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Pairs to train on, pairs to validate on, and where they come from.

    Parameters
    ----------
    train, validation
        No article and no story is in both.
    sources
        By file: name, digest, how it was read, and counts of what was used and left out.
    leaking
        Pairs taken out of `train`: they share an article or a story with what is held out.
    files
        The number of the file, from 0, of every pair of `train`.
    """

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    sources: tuple[Mapping[str, Any], ...]
    leaking: int
    files: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What one file gives: pairs to train and to validate on, and what its source says of them.

    `held` are pairs of articles that must not be trained on.
    """

    kind: str
    train: Sequence[Pair]
    validation: Sequence[Pair]
    held: Sequence[Pair]
    counts: Mapping[str, Any]

    def tagged(self, tag: str) -> Self:
        """Return it with a tag before ids and labels, which then differ from other files'."""
        train, validation, held = (
            _tagged(part, tag) for part in (self.train, self.validation, self.held)
        )
        return replace(self, train=train, validation=validation, held=held)


def assemble(
    files: Sequence[DataFile[Any]],
    parts: Sequence[Part],
    splitting: Splitting,
    *,
    together: Together = "story",
    draw_validation: Draw = draw,
    progress: Progress = SILENT,
) -> TrainingData:
    """Join what files give, a part each; take out of the training pairs what leaks.

    `together` is what may not be in two parts; `draw_validation` draws so many pairs by a seed.
    It is an InputError if no pair is left to train on, or to validate on.
    """
    train = [pair for part in parts for pair in part.train]
    validation = [pair for part in parts for pair in part.validation]
    held = [pair for part in parts for pair in part.held]
    leaking = set(leaking_pairs(train, [*validation, *held], together=together))
    numbers = [number for number, part in enumerate(parts) for _ in part.train]
    kept = [row for row, pair in enumerate(train) if pair not in leaking]
    if not kept or not validation:
        lost: Counter[str] = Counter()
        for part in parts:
            lost.update(part.counts.get("left_out", {}))
        raise InputError(
            f"{', '.join(str(file.path) for file in files)}: no pair to "
            f"{'validate' if kept else 'train'} on is left of {len(train) + len(validation)} read"
            f"{in_words(lost)}. Check the columns and the split field: pairs are left out that "
            "share an article or a story with what is held out."
        )
    sources = tuple(
        {
            "file": file.path.name,
            "digest": digest([file.path]),
            "kind": part.kind,
            "reading": asdict(file.reading),
            "fields": dict(file.fields),
            "train_pairs": len(part.train),
            "validation_pairs": len(part.validation),
            **part.counts,
        }
        for file, part in zip(files, parts, strict=True)
    )
    drawn = draw_validation(validation, splitting.max_validation, [7, splitting.seed])
    if len(drawn) < len(validation):
        progress.note(f"validation: {len(drawn):,} of {len(validation):,} pairs, at random")
    return TrainingData(
        tuple(train[row] for row in kept),
        tuple(drawn),
        sources,
        len(train) - len(kept),
        tuple(numbers[row] for row in kept),
    )


def in_words(left_out: Mapping[str, int]) -> str:
    """Return how many rows were left out and why, to be put behind how many were read."""
    return "".join(f"; {count:,} {why}" for why, count in left_out.items() if count)


def divided(
    kind: str,
    file: DataFile[Any],
    pairs: Sequence[Pair],
    splitting: Splitting,
    seed: Sequence[int],
    min_score: float = 0.0,
) -> Part:
    """Divide the pairs of a file by their split; without a validation split, split some off.

    The file's reading has `max_pairs`, the maximum number to train on, drawn by `seed`; at least
    one pair must be for training. From `min_score` on a pair joins its articles. InputError if none
    can be split off.
    """
    train, validation, held = by_side(pairs)
    train = draw(train, file.reading.max_pairs, seed)
    counts = {"held_out": len(held)}
    if validation:
        return Part(kind, train, validation, held, counts)
    split = split_validation(
        train, file.path, share=splitting.share, seed=splitting.seed, min_score=min_score
    )
    if min_score:
        counts["in_two_parts"] = len(split.straddling)
    return Part(kind, split.parts["train"], split.parts["validation"], held, counts)


def _tagged(pairs: Sequence[Pair], tag: str) -> Sequence[Pair]:
    if not tag:
        return pairs

    def gold(labels: Gold) -> Gold:
        theme, topic, story = (label and tag + label for label in labels)
        return theme, topic, story

    return [
        replace(
            pair,
            id1=pair.id1 and tag + pair.id1,
            id2=pair.id2 and tag + pair.id2,
            gold1=gold(pair.gold1),
            gold2=gold(pair.gold2),
        )
        for pair in pairs
    ]
