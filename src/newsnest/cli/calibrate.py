"""`newsnest calibrate`: set the similarities of a model's levels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsnest.cli.parameters import (
    date_order_option,
    field_option,
    going_on,
    json_option,
    quiet_option,
    resamples_option,
    seed_option,
    split_option,
)
from newsnest.cli.progress import progress_for
from newsnest.types import check_level

if TYPE_CHECKING:
    from newsnest.corpus.options import DateOrder
    from newsnest.pipeline.calibration import CalibratedLevel

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("model", type=_FILE)
@click.option(
    "--gold",
    multiple=True,
    type=_FILE,
    metavar="FILE",
    help="Articles with labels: for the best B-cubed F1. May be repeated; each is a corpus.",
)
@click.option(
    "--pairs",
    multiple=True,
    type=_FILE,
    metavar="FILE",
    help="Judged pairs, as newsnest evaluate pairs reads them. May be repeated.",
)
@click.option(
    "--articles",
    multiple=True,
    type=_FILE,
    metavar="PATH",
    help="Articles without labels. Alone: their measured defaults are made fixed. With --pairs: "
    "the corpus they are from. May be repeated.",
)
@click.option(
    "--level",
    "levels",
    multiple=True,
    metavar="LEVEL[=GOLDFIELD]",
    help="Which levels: story, or story=event. May be repeated.  [default: all there is]",
)
@click.option(
    "--precision",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Of --pairs: the share of pairs put together that are to belong together, e.g. 0.9.  "
    "[default: the best F1 of the pairs]",
)
@click.option(
    "--scale",
    type=float,
    nargs=2,
    default=(0.0, 1.0),
    show_default=True,
    metavar="DIFFERENT SAME",
    help="Of --pairs: the score of two different texts and of two that say the same.",
)
@split_option()
@field_option("text=body")
@date_order_option
@resamples_option
@seed_option("the resamples")
@quiet_option
@json_option
def calibrate(
    model: Path,
    gold: tuple[Path, ...],
    pairs: tuple[Path, ...],
    articles: tuple[Path, ...],
    levels: tuple[str, ...],
    precision: float | None,
    scale: tuple[float, float],
    split: str | None,
    fields: dict[str, str],
    date_order: DateOrder | None,
    resamples: int,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Set min_similarity of the levels of MODEL, in its newsnest.json.

    MODEL is a folder that newsnest train wrote, or any sentence-transformers model. newsnest
    cluster --encoder MODEL takes the values at once. Calibrate on what the model was not trained
    on. Each FILE is .jsonl, .csv, .tsv (also .gz) or .parquet.
    """
    named = dict(level.partition("=")[::2] for level in levels)
    for name in named:
        check_level("calibrate: levels must be", name)
    if bool(gold) + bool(pairs) + bool(articles and not pairs) != 1:
        raise click.UsageError("give one of --gold, --pairs and --articles (or --pairs with it).")
    if not gold and any(named.values()):
        raise click.UsageError("only labels have fields: --level LEVEL=GOLDFIELD needs --gold.")

    from newsnest.corpus import ReadOptions
    from newsnest.pipeline.calibration import Resampling, calibrate_by_articles
    from newsnest.pipeline.gold_calibration import GoldFiles, calibrate_by_gold
    from newsnest.pipeline.pair_calibration import PairFiles, calibrate_by_pairs

    # With --pairs, --field names columns of the pairs, not of the articles.
    read = ReadOptions(fields={} if pairs else fields, date_order=date_order)
    resampling = Resampling(resamples, seed)
    with progress_for(quiet) as progress, going_on(f"{model} is as it was."):
        if gold:
            columns = {level: field or level for level, field in named.items()}
            labelled = GoldFiles(gold, columns, split, read)
            found = calibrate_by_gold(model, labelled, resampling=resampling, progress=progress)
        elif pairs:
            judged = PairFiles(pairs, scale, split, fields, tuple(named), articles, read)
            found = calibrate_by_pairs(
                model, judged, precision=precision, resampling=resampling, progress=progress
            )
        else:
            found = calibrate_by_articles(
                model, articles, levels=tuple(named), read=read, progress=progress
            )
    if as_json:
        told = {"model": str(model), "levels": [level.as_dict() for level in found]}
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    for level in found:
        click.echo(_line(level))
    click.echo(f"Use it on articles like these: newsnest cluster PATH... -o NEST --encoder {model}")


def _line(level: CalibratedLevel) -> str:
    """Return a level on one line: the value, what it reaches, and on how much that rests."""
    known = level.evidence
    parts = [f"{level.name}: min_similarity {_shown(level.as_dict()['min_similarity'])}"]
    if level.dated is not None:
        dated = _shown(level.as_dict()["dated"])
        parts[0] += f" by text alone, {dated} between articles of one moment"
    if known["by"] == "gold":
        parts.append(f"B-cubed F1 {_shown(known['f1'])}")
        parts.append(f"{known['articles']:,} articles in {known['gold_clusters']:,} gold clusters")
    elif known["by"] == "pairs":
        parts.append(f"precision {_shown(known['precision'])}, recall {known['recall']:.3f}")
        parts.append(
            f"{known['above']:,} of {known['pairs']:,} pairs above, {known['alike']:,} alike, "
            f"{known['components']:,} independent"
        )
    else:
        parts.append(f"measured default of {known['articles']:,} articles")
    if "f1_dated" in known:
        parts.append(f"with dates F1 {_shown(known['f1_dated'])}")
    return "; ".join(parts)


def _shown(value: dict[str, Any]) -> str:
    if value["low"] is None:
        return f"{value['value']:.3f}"
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
