"""`newsnest evaluate pairs` and `alignment`: how good an encoder is, before any clustering."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from newsnest.cli.parameters import (
    encoder_option,
    field_option,
    json_option,
    quiet_option,
    resamples_option,
    seed_option,
    split_option,
)
from newsnest.cli.progress import progress_for

if TYPE_CHECKING:
    from newsnest.evaluate import AlignmentScores, Estimate, PairScores
    from newsnest.progress import Progress
    from newsnest.types import Vectors

_Command = TypeVar("_Command", bound=Callable[..., None])


def _shared(command: _Command) -> _Command:
    """Add the file and the options that both commands take."""
    parts = (
        click.argument("file", type=click.Path(path_type=Path)),
        encoder_option,
        split_option(),
        field_option("score=overall"),
        click.option(
            "--dims",
            type=int,
            multiple=True,
            help="Leading dimensions to compare; may be repeated.  [default: a quarter, half, all]",
        ),
        resamples_option,
        seed_option("the resamples"),
        quiet_option,
        json_option,
    )
    for part in reversed(parts):
        command = part(command)
    return command


@click.command()
@click.option(
    "--scale",
    type=float,
    nargs=2,
    default=(0.0, 1.0),
    show_default=True,
    metavar="DIFFERENT SAME",
    help="The score of two different texts and of two that say the same: 4 1, or 0 5.",
)
@_shared
def pairs(
    file: Path,
    encoder: str,
    split: str | None,
    fields: dict[str, str],
    dims: tuple[int, ...],
    resamples: int,
    seed: int,
    scale: tuple[float, float],
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare an encoder's similarities with what people say of pairs of texts.

    FILE is what newsnest cluster reads, with columns text1, text2, score, and where there
    are such title1, title2, lang1, lang2, id1, id2, split, group. Pearson, Spearman and the AUROC
    of every level, for every prefix of the vectors and every pair of languages.
    """
    from newsnest.evaluate import pair_scores
    from newsnest.evaluate.pairs import ALL
    from newsnest.labelled import read_pairs
    from newsnest.nest import plural

    with progress_for(quiet) as progress:
        read = read_pairs(file, scale=scale, split=split, fields=fields, progress=progress)
        left_out = {
            "without_text": read.without_text,
            "without_score": read.without_score,
            "other_splits": read.other_splits,
        }
        n = len(read.pairs)
        note_left_out(progress, n, "pair", left_out)
        note_trained_on(progress, encoder, file, split)
        texts = [pair.text1 for pair in read.pairs] + [pair.text2 for pair in read.pairs]
        vectors, fingerprint = encode_texts(encoder, texts, progress)
        scores = pair_scores(
            read.pairs, vectors[:n], vectors[n:], dims=dims or None, resamples=resamples, seed=seed
        )
    if as_json:
        setting = _setting(file, encoder, fingerprint, split, resamples, seed)
        _print_json({**setting, "scale": scale, **left_out}, scores)
        return
    click.echo(f"{n:,} {plural('pair', n)}, encoder {encoder}")
    click.echo(
        f"{'languages':<13}{'pairs':>7}{'dims':>6}  {'Pearson':<22}{'Spearman':<22}AUROC "
        + "  ".join(scores[0].auroc)
    )
    # Where there is one pair of languages, it is all there is.
    whole = {s.languages for s in scores if s.pairs == n} - {ALL}
    for s in scores:
        if whole and s.languages == ALL:
            continue
        areas = (_short(area) for area in s.auroc.values())
        click.echo(
            f"{s.languages:<13}{s.pairs:>7,}{s.dims:>6}  {shown(s.pearson):<22}"
            f"{shown(s.spearman):<22}      {'  '.join(areas)}"
        )


@click.command()
@click.option(
    "--pivot", help="The language to compare with, as FILE writes it.  [default: English]"
)
@_shared
def alignment(
    file: Path,
    encoder: str,
    split: str | None,
    fields: dict[str, str],
    dims: tuple[int, ...],
    resamples: int,
    seed: int,
    pivot: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Say how alike an encoder arranges sentences and their translations.

    FILE is what newsnest cluster reads, with columns text, lang and key, where sentences of
    one key are translations of each other; or with text1, text2, lang1, lang2. For every
    language and prefix: relational similarity with English (are the similarities between
    sentences the same ones?), and how often a translation is the nearest sentence.
    """
    from newsnest.evaluate import alignment_scores
    from newsnest.evaluate.alignment import LEAST_SENTENCES
    from newsnest.labelled import read_parallel
    from newsnest.nest import plural

    with progress_for(quiet) as progress:
        read = read_parallel(file, pivot=pivot, split=split, fields=fields, progress=progress)
        left_out = {
            "without_text": read.without_text,
            "without_counterpart": read.without_counterpart,
            "other_splits": read.other_splits,
        }
        chosen = [own for own in read.languages if len(own.texts) >= LEAST_SENTENCES]
        too_few = [p.language for p in read.languages if len(p.texts) < LEAST_SENTENCES]
        texts = [text for p in chosen for side in (p.texts, p.pivot_texts) for text in side]
        note_left_out(progress, len(texts) // 2, "sentence", left_out)
        note_trained_on(progress, encoder, file, split)
        if too_few:
            progress.note(f"fewer than {LEAST_SENTENCES} sentences: {', '.join(too_few)}")
        vectors, fingerprint = encode_texts(encoder, texts, progress)
        scores: list[AlignmentScores] = []
        start = 0
        with progress.start("align", len(chosen), "languages") as task:
            for parallel in chosen:
                middle, end = start + len(parallel.texts), start + 2 * len(parallel.texts)
                scores += alignment_scores(
                    parallel,
                    vectors[start:middle],
                    vectors[middle:end],
                    dims=dims or None,
                    resamples=resamples,
                    seed=seed,
                )
                start = end
                task.advance()
    if as_json:
        setting = _setting(file, encoder, fingerprint, split, resamples, seed)
        _print_json({**setting, **left_out, "too_few_sentences": too_few}, scores)
        return
    spoken = f"{len(chosen):,} {plural('language', len(chosen))}"
    click.echo(f"{spoken} with {read.pivot}, encoder {encoder}")
    click.echo(f"{'language':<13}{'sentences':>9}{'dims':>6}  {'relational':<22}found")
    for s in scores:
        click.echo(
            f"{s.language:<13}{s.sentences:>9,}{s.dims:>6}  {shown(s.relational):<22}"
            f"{shown(s.found)}"
        )


def encode_texts(encoder: str, texts: Sequence[str], progress: Progress) -> tuple[Vectors, str]:
    """Return one vector a text, equal texts encoded once, and the encoder's fingerprint."""
    from newsnest import load_encoder

    place = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    loaded = load_encoder(encoder)
    loaded.prepare(list(place), progress=progress)
    vectors = loaded.encode(list(place), progress=progress)
    cut = loaded.count_cut(list(place))
    if cut:
        is_longer = "text is longer" if cut == 1 else "texts are longer"
        progress.note(f"{cut:,} {is_longer} than the encoder reads (long texts: head)")
    rows: Vectors = vectors[[place[text] for text in texts]]
    return rows, loaded.fingerprint


def note_trained_on(progress: Progress, encoder: str, file: Path, split: str | None) -> None:
    """Say that a model was trained on the very file, unless a split of it is asked for."""
    from newsnest.pipeline.embedding import trained_on

    if split in (None, "train") and trained_on(encoder, file):
        progress.note(
            f"{file}: the encoder was trained on this file; scores on what it has not seen are "
            "lower (--split names a split)"
        )


def note_left_out(progress: Progress, used: int, noun: str, left_out: Mapping[str, int]) -> None:
    """Say how many rows were left out, by reason."""
    from newsnest.nest import plural

    counts = [
        f"{count:,} {reason.replace('_', ' ').replace('other', 'of other')}"
        for reason, count in left_out.items()
        if count
    ]
    if counts:
        progress.note(f"{used:,} {plural(noun, used)}; left out: {', '.join(counts)}")


def _setting(
    file: Path, encoder: str, fingerprint: str, split: str | None, resamples: int, seed: int
) -> dict[str, Any]:
    return {
        "file": str(file),
        "split": split,
        "encoder": encoder,
        "fingerprint": fingerprint,
        "resamples": resamples,
        "seed": seed,
    }


def _print_json(
    setting: Mapping[str, Any], scores: Sequence[PairScores] | Sequence[AlignmentScores]
) -> None:
    content = {**setting, "scores": [score.as_dict() for score in scores]}
    click.echo(json.dumps(content, indent=1, ensure_ascii=False))


def shown(estimate: Estimate | None) -> str:
    """Return a score and its interval, for people."""
    if estimate is None or estimate.low is None:
        return _short(estimate)
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _short(estimate: Estimate | None) -> str:
    return "  —  " if estimate is None else f"{estimate.value:.3f}"
