"""`newsnest evaluate pairs` and `alignment`: how good an encoder is, before any clustering."""

from pathlib import Path

import click

from newsnest.cli.measure import Measuring, in_columns, measuring, note_left_out, shown
from newsnest.cli.parameters import print_json
from newsnest.cli.progress import progress_for
from newsnest.types import plural

_FILE = click.argument("file", type=click.Path(path_type=Path))
_DIMS = click.option(
    "--dims",
    type=int,
    multiple=True,
    help="Compare this many leading dimensions. Repeatable.  [default: a quarter, half and all]",
)


scale_option = click.option(
    "--scale",
    type=float,
    nargs=2,
    default=(0.0, 1.0),
    show_default=True,
    metavar="DIFFERENT SAME",
    help="Scores of two unrelated texts and of two that mean the same: 4 1, or 0 5.",
)


@click.command()
@scale_option
@_FILE
@measuring(field="score=overall", between=[_DIMS])
def pairs(file: Path, dims: tuple[int, ...], scale: tuple[float, float], shared: Measuring) -> None:
    """Compare the similarities of an encoder with human judgements of pairs of texts.

    FILE is in any format with columns that newsnest cluster reads: text1, text2 and score, and
    optionally title1, title2, lang1, lang2, id1, id2, split, group. Prints Pearson, Spearman and
    the AUROC of every level, for every prefix of the vectors and every pair of languages.
    """
    from newsnest.evaluate import pair_scores
    from newsnest.evaluate.pairs import ALL
    from newsnest.labelled import read_pairs

    with progress_for(shared.quiet) as progress:
        read = read_pairs(
            file, scale=scale, split=shared.split, fields=shared.fields, progress=progress
        )
        left_out = {
            "without_text": read.without_text,
            "without_score": read.without_score,
            "other_splits": read.other_splits,
        }
        n = len(read.pairs)
        note_left_out(progress, n, "pair", left_out)
        shared.note_trained_on(progress, file)
        texts = [pair.text1 for pair in read.pairs] + [pair.text2 for pair in read.pairs]
        vectors, fingerprint = shared.encode(texts, progress)
        scores = pair_scores(
            read.pairs,
            vectors[:n],
            vectors[n:],
            dims=dims or None,
            resamples=shared.resamples,
            seed=shared.seed,
        )
    if shared.as_json:
        content = {**shared.content(fingerprint, file=str(file)), "scale": scale, **left_out}
        print_json({**content, "scores": [score.as_dict() for score in scores]})
        return
    click.echo(f"{n:,} {plural('pair', n)}, encoder {shared.encoder}")
    areas = [f"AUROC {level}" for level in scores[0].auroc]
    rows = [["languages", "pairs", "dims", "Pearson", "Spearman", *areas]]
    # Where there is one pair of languages, it is all there is.
    whole = {s.languages for s in scores if s.pairs == n} - {ALL}
    for s in scores:
        if whole and s.languages == ALL:
            continue
        areas = [shown(area and area.value) for area in s.auroc.values()]
        counts = [f"{s.pairs:,}", str(s.dims)]
        rows.append([s.languages, *counts, shown(s.pearson), shown(s.spearman), *areas])
    click.echo(in_columns(rows, right={1, 2}))


@click.command()
@click.option("--pivot", help="Language to compare with, as written in FILE.  [default: English]")
@_FILE
@measuring(field="score=overall", between=[_DIMS])
def alignment(file: Path, dims: tuple[int, ...], pivot: str | None, shared: Measuring) -> None:
    """Measure how similarly an encoder arranges sentences and their translations.

    FILE is in any format with columns that newsnest cluster reads: text, lang and key, where
    sentences with the same key are translations of each other; or text1, text2, lang1, lang2.
    Prints for every language and prefix the relational similarity with English (are sentences as
    similar to each other in both languages?), and how often a translation is the nearest sentence.
    """
    from newsnest.evaluate import AlignmentScores, alignment_scores
    from newsnest.evaluate.alignment import MIN_SENTENCES
    from newsnest.labelled import read_parallel

    with progress_for(shared.quiet) as progress:
        read = read_parallel(
            file, pivot=pivot, split=shared.split, fields=shared.fields, progress=progress
        )
        left_out = {
            "without_text": read.without_text,
            "without_counterpart": read.without_counterpart,
            "other_splits": read.other_splits,
        }
        chosen = [p for p in read.languages if len(p.texts) >= MIN_SENTENCES]
        too_few = [p.language for p in read.languages if len(p.texts) < MIN_SENTENCES]
        texts = [text for p in chosen for side in (p.texts, p.pivot_texts) for text in side]
        note_left_out(progress, len(texts) // 2, "sentence", left_out)
        shared.note_trained_on(progress, file)
        if too_few:
            progress.note(f"fewer than {MIN_SENTENCES} sentences: {', '.join(too_few)}")
        vectors, fingerprint = shared.encode(texts, progress)
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
                    resamples=shared.resamples,
                    seed=shared.seed,
                )
                start = end
                task.advance()
    if shared.as_json:
        content = {**shared.content(fingerprint, file=str(file)), **left_out}
        content["too_few_sentences"] = too_few
        print_json({**content, "scores": [score.as_dict() for score in scores]})
        return
    spoken = f"{len(chosen):,} {plural('language', len(chosen))}"
    click.echo(f"{spoken} with {read.pivot}, encoder {shared.encoder}")
    rows = [["language", "sentences", "dims", "relational", "found"]]
    rows += [
        [s.language, f"{s.sentences:,}", str(s.dims), shown(s.relational), shown(s.found)]
        for s in scores
    ]
    click.echo(in_columns(rows, right={1, 2}))
