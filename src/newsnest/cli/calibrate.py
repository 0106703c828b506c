"""`newsnest calibrate`: set what cuts a model's levels."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsnest.cli import parameters
from newsnest.cli.evaluate_encoder import scale_option
from newsnest.cli.measure import Measuring, measuring, shown
from newsnest.cli.progress import progress_for
from newsnest.corpus.options import ReadOptions
from newsnest.types import DateOrder, check_level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from newsnest.pipeline.calibration import CalibratedLevel


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@parameters.files_option(
    "--gold",
    "FILE",
    "Articles with labels: learn a rule for stories, and maximise the B-cubed F1 of topics and "
    "themes. Repeatable; each file is a corpus.",
)
@parameters.files_option(
    "--pairs", "FILE", "Judged pairs, as for newsnest evaluate pairs. Repeatable."
)
@parameters.files_option(
    "--articles",
    "PATH",
    "Articles without labels. Alone: fix the defaults measured on them. With --pairs: the "
    "corpus of the pairs. Repeatable.",
)
@parameters.levels_option(
    "Level to calibrate: story, or story=event. Repeatable.  [default: all available]"
)
@click.option(
    "--precision",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Target pair precision with --pairs, e.g. 0.9.  [default: maximise F1]",
)
@scale_option
@measuring(
    field="text=body",
    encoder=False,
    between=[parameters.date_order_option, parameters.time_zone_option],
)
def calibrate(
    model: Path,
    gold: tuple[Path, ...],
    pairs: tuple[Path, ...],
    articles: tuple[Path, ...],
    levels: tuple[str, ...],
    precision: float | None,
    scale: tuple[float, float],
    date_order: DateOrder | None,
    time_zone: str | None,
    shared: Measuring,
) -> None:
    """Set what cuts the levels of MODEL, in its newsnest.json.

    MODEL is a folder written by newsnest train, or any sentence-transformers model; newsnest
    cluster --encoder MODEL then uses it. Calibrate on data the model was not trained on.
    Each FILE is in any format with columns that newsnest cluster reads.
    """
    named = dict(level.partition("=")[::2] for level in levels)
    for name in named:
        check_level("calibrate: levels must be", name)
    if bool(gold) + bool(pairs) + bool(articles and not pairs) != 1:
        raise click.UsageError("give one of --gold, --pairs and --articles (or --pairs with it).")
    if not gold and any(named.values()):
        raise click.UsageError("only labels have fields: --level LEVEL=GOLDFIELD needs --gold.")

    from newsnest.pipeline.calibration import Resampling, calibrate_by_articles
    from newsnest.pipeline.gold_calibration import GoldFiles, calibrate_by_gold
    from newsnest.pipeline.pair_calibration import PairFiles, calibrate_by_pairs

    # With --pairs, --field names columns of the pairs, not of the articles.
    fields = {} if pairs else shared.fields or {}
    read = ReadOptions(fields=fields, date_order=date_order, time_zone=time_zone)
    resampling = Resampling(shared.resamples, shared.seed)
    with progress_for(shared.quiet) as progress, parameters.going_on(f"{model} is unchanged."):
        if gold:
            columns = {level: field or level for level, field in named.items()}
            labelled = GoldFiles(gold, columns, shared.split, read)
            found = calibrate_by_gold(model, labelled, resampling=resampling, progress=progress)
        elif pairs:
            judged = PairFiles(
                pairs, scale, shared.split, shared.fields or {}, tuple(named), articles, read
            )
            found = calibrate_by_pairs(
                model, judged, precision=precision, resampling=resampling, progress=progress
            )
        else:
            found = calibrate_by_articles(
                model, articles, levels=tuple(named), read=read, progress=progress
            )
    if shared.as_json:
        parameters.print_json({"model": str(model), "levels": [asdict(level) for level in found]})
        return
    for level in found:
        click.echo(_line(level))
    click.echo(f"Use it on articles like these: newsnest cluster PATH... -o NEST --encoder {model}")


def _line(level: "CalibratedLevel") -> str:
    """Return a level on one line: what was chosen, what it reaches, and the evidence."""
    from newsnest.evaluate import Estimate

    known = level.evidence
    value = level.min_similarity
    parts = [f"{level.name}: " + ("" if value is None else f"min_similarity {shown(value)}")]
    if known["by"] == "gold":
        if value is None:
            parts[0] += _learnt(known)
        else:
            parts.append(f"B-cubed F1 {shown(Estimate(**known['f1']))}")
        parts.append(f"{known['articles']:,} articles in {known['gold_clusters']:,} gold clusters")
    elif known["by"] == "pairs":
        parts.append(
            f"precision {shown(Estimate(**known['precision']))}, recall {shown(known['recall'])}"
        )
        parts.append(
            f"{known['above']:,} of {known['pairs']:,} pairs above, {known['alike']:,} alike, "
            f"{known['components']:,} independent"
        )
    else:
        if value is None:
            share = f"{known['sharing']:.0%}".replace("%", " %")
            parts[0] += f"cut as where about {share} of articles share one"
        parts.append(f"measured default of {known['articles']:,} articles")
    return "; ".join(parts)


def _learnt(known: "Mapping[str, Any]") -> str:
    """Say whether a rule for stories was learnt, and what it gained on stories left out."""
    from newsnest.evaluate import Estimate

    def gained(score: str) -> str:
        own = {name: Estimate(**value) for name, value in known[score].items()}
        return (
            f"{own['before'].value:.3f} → {own['learnt'].value:.3f}, a gain of "
            f"{shown(own['gain'])}, with every article alone {own['alone'].value:.3f}"
        )

    kept = (
        "a rule was learnt"
        if known["learnt"]
        else "the rule of newsnest stays, for what was learnt is no better"
    )
    return f"{kept}; on stories left out B-cubed F1 {gained('f1')}; pair F1 {gained('pair_f1')}"
