"""`newsnest calibrate`: set the similarities of a model's levels."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsnest.cli import parameters
from newsnest.cli.evaluate_encoder import scale_option
from newsnest.cli.measure import Measuring, measuring, shown
from newsnest.cli.progress import progress_for
from newsnest.corpus.options import ReadOptions
from newsnest.types import DateOrder, check_level

if TYPE_CHECKING:
    from newsnest.pipeline.calibration import CalibratedLevel


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@parameters.files_option(
    "--gold",
    "FILE",
    "Articles with labels: maximise B-cubed F1. Repeatable; each file is a corpus.",
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
@measuring(field="text=body", encoder=False, between=[parameters.date_order_option])
def calibrate(
    model: Path,
    gold: tuple[Path, ...],
    pairs: tuple[Path, ...],
    articles: tuple[Path, ...],
    levels: tuple[str, ...],
    precision: float | None,
    scale: tuple[float, float],
    date_order: DateOrder | None,
    shared: Measuring,
) -> None:
    """Set min_similarity of the levels of MODEL, in its newsnest.json.

    MODEL is a folder written by newsnest train, or any sentence-transformers model; newsnest
    cluster --encoder MODEL then uses the values. Calibrate on data the model was not trained on.
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
    read = ReadOptions(fields={} if pairs else shared.fields or {}, date_order=date_order)
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
    """Return a level on one line: the value, the score it reaches, and the evidence."""
    from newsnest.evaluate import Estimate

    known = level.evidence
    parts = [f"{level.name}: min_similarity {shown(level.min_similarity)}"]
    if level.dated is not None:
        parts[0] += f" by text alone, {shown(level.dated)} for articles of the same time"
    if known["by"] == "gold":
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
        parts.append(f"measured default of {known['articles']:,} articles")
    if "f1_dated" in known:
        parts.append(f"with dates F1 {shown(Estimate(**known['f1_dated']))}")
    return "; ".join(parts)
