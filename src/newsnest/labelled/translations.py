"""Translations to train and validate on, read from parallel sentences without leaks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsnest.errors import InputError, did_you_mean
from newsnest.labelled.data_files import DataFile, Reading
from newsnest.labelled.pairs import Pair, side_of
from newsnest.labelled.parallel import PARALLEL_FIELDS, ParallelFile, Sentences
from newsnest.labelled.split import split_validation
from newsnest.labelled.training import Part, Splitting, TrainingData, assemble
from newsnest.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class ParallelReading(Reading):
    """How a file of parallel sentences is read.

    Parameters
    ----------
    pivot
        The language that the base knows, as the file writes it; None: English.
    languages
        Those that are taken, as the file writes them; empty: all.
    max_pairs
        Maximum number of sentences of each language, drawn at random; None: all.
    """

    FIELDS = PARALLEL_FIELDS
    pivot: str | None = None
    languages: tuple[str, ...] = ()
    max_pairs: int | None = None


TranslationFile = DataFile[ParallelReading]


def read_translations(
    files: Sequence[TranslationFile], splitting: Splitting, *, progress: Progress = SILENT
) -> TrainingData:
    """Read translations, each a pair of score 1: the translation, then the original.

    Splits are kept apart as `read_training_data` does; a sentence that is held out is trained on
    in no language, nor is any translation of it.

    Parameters
    ----------
    files
        `parse_data` returns them.
    splitting
        How validation pairs come about, as many of each language as can be.
    progress
        Reports what every file gave.

    Raises
    ------
    InputError
        If a file cannot be read, lacks a language, or nothing is left to train on.

    Notes
    -----
    Deterministic for a seed.
    """
    parts: list[Part] = []
    for number, file in enumerate(files):
        parts.append(part := _read(file, splitting, number, progress))
        progress.note(
            f"{file.path.name}: {len(part.train):,} translations to train on, "
            f"{len(part.validation):,} to validate on, from "
            f"{', '.join(sorted({pair.lang1 for pair in part.train}))}"
        )
    return assemble(
        files, parts, splitting, together="article", draw_validation=_evenly, progress=progress
    )


def _read(file: TranslationFile, splitting: Splitting, number: int, progress: Progress) -> Part:
    """Return what a file gives to train on, to validate on, and to hold out."""
    train: list[Pair] = []
    validation: list[Pair] = []
    held: list[Pair] = []
    rng = np.random.default_rng([11, splitting.seed, number])
    sentences = Sentences(file.path, file.fields, progress=progress)
    splits = sentences.splits()
    for split in [None] if splits in ([], [""]) else splits:
        read = sentences.parallel(pivot=file.reading.pivot, split=split)
        side = side_of(split or "")
        pairs = _pairs(file, read, split, complete=side == "train")
        if side == "train":
            ranks, limit = _ranks(pairs, rng), file.reading.max_pairs
            train += [p for p, rank in zip(pairs, ranks, strict=True) if not limit or rank < limit]
        elif side == "validation":
            validation += pairs
        else:
            held += pairs
    if not train:
        raise InputError(
            f'{file.path}: no sentence has the split "train" or none. '
            "Correct the split field, or name another, such as split=part."
        )
    if not validation:
        split_up = split_validation(
            train, file.path, share=splitting.share, seed=splitting.seed, together="article"
        )
        train, validation = (list(split_up.parts[name]) for name in ("train", "validation"))
    return Part("parallel", train, validation, held, {"held_out": len(held)})


def _pairs(
    file: TranslationFile, read: ParallelFile, split: str | None, *, complete: bool
) -> list[Pair]:
    """Return the pairs of a split, which must have all languages that were asked for or may not."""
    languages = file.reading.languages
    known = [parallel.language for parallel in read.languages]
    for language in languages:
        if complete and language not in known:
            raise InputError(
                f'{file.path}: no sentence is in "{language}"'
                f"{'' if split is None else f' in the split {split!r}'}."
                f"{did_you_mean(language, known)} Choose among {', '.join(sorted(known)[:20])}."
            )
    return [
        Pair(text, original, 1.0, lang1=parallel.language, lang2=read.pivot, split=split or "")
        for parallel in read.languages
        if not languages or parallel.language in languages
        for text, original in zip(parallel.texts, parallel.pivot_texts, strict=True)
    ]


def _evenly(pairs: Sequence[Pair], count: int, seed: Sequence[int]) -> list[Pair]:
    """Return up to so many pairs, as many of each language as can be, in their order."""
    ranks = _ranks(pairs, np.random.default_rng(seed))
    kept = sorted(range(len(pairs)), key=lambda row: ranks[row])[:count]
    return [pairs[row] for row in sorted(kept)]


def _ranks(pairs: Sequence[Pair], rng: np.random.Generator) -> list[int]:
    """Return the place of every pair among those of its language, in random order."""
    ranks = [0] * len(pairs)
    taken: Counter[str] = Counter()
    for row in rng.permutation(len(pairs)).tolist():
        ranks[row] = taken[pairs[row].lang1]
        taken[pairs[row].lang1] += 1
    return ranks
