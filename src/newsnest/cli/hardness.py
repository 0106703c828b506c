"""`newsnest hardness`: what clustering pairs does to the negatives of a batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsnest.cli.evaluate_encoder import encode_texts, note_left_out
from newsnest.cli.parameters import (
    encoder_option,
    json_option,
    quiet_option,
    seed_option,
    split_option,
)
from newsnest.cli.progress import progress_for
from newsnest.errors import ParameterError

if TYPE_CHECKING:
    from newsnest.pipeline.hardness import By, ClusterHardness


class Numbers(click.ParamType):  # type: ignore[type-arg]
    """Whole numbers from 1 on, separated by commas; as a tuple."""

    name = "number,…"

    def convert(
        self,
        value: str | int | tuple[int, ...],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[int, ...]:
        """Return the numbers, or fail naming what is none."""
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        for part in parts:
            if not (part.strip().isascii() and part.strip().isdigit() and int(part) > 0):
                self.fail(f"{part!r} is no whole number from 1 on, e.g. 10,50", param, ctx)
        return tuple(map(int, parts))


@click.command()
@click.option(
    "--pairs",
    "--data",
    "told",
    multiple=True,
    required=True,
    metavar="FILE[,KEY=VALUE…]",
    help="Rows of two texts, and what is said of the file: faq.csv,columns=question:answer,"
    "most=10000. May be repeated.",
)
@click.option(
    "--by",
    type=click.Choice(["query", "item", "pair"]),
    default="item",
    show_default=True,
    help="What of a pair is clustered.",
)
@click.option(
    "-k",
    "--k",
    "numbers",
    type=Numbers(),
    multiple=True,
    default=("10",),
    show_default=True,
    help="How many clusters; several with commas, or repeated.",
)
@encoder_option
@split_option()
@click.option(
    "--queries",
    type=click.IntRange(2),
    default=20_000,
    show_default=True,
    help="Queries looked at, at most, drawn at random; all pairs are clustered.",
)
@click.option(
    "--negatives",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Looked at for each query and each kind.",
)
@seed_option("all draws")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.{html,svg}",
    help="Draw it, too.",
)
@quiet_option
@json_option
def hardness(
    told: tuple[str, ...],
    by: By,
    numbers: tuple[tuple[int, ...], ...],
    encoder: str,
    split: str | None,
    queries: int,
    negatives: int,
    seed: int,
    output: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Say how hard negatives of one cluster are beside random ones.

    FILE is a file that `newsnest cluster` reads, with two columns of texts. Pairs are put into k
    clusters; then queries are compared with their own item, with items of other pairs of their
    cluster, and with items at random: mean cosines, quantiles, and how many negatives are as
    similar as the query's own item, and so likely to be right answers too. It says whether batches
    of `newsnest train pretrain` would be harder, and at which k its mask begins to matter.
    """
    from newsnest.evaluate import QueryItemVectors
    from newsnest.pipeline.hardness import (
        Draw,
        check_clusters,
        cluster_hardness,
        read_pair_texts,
        titles_of,
    )

    if output is not None and output.suffix.lower() not in (".html", ".htm", ".svg"):
        raise click.UsageError(f"-o must end in .html or .svg, got {output.name!r}.")
    if output is not None and not output.absolute().parent.is_dir():
        raise ParameterError(
            f"hardness: -o must lie in a folder that exists, got {output}. Make the folder first."
        )
    k = list(dict.fromkeys(number for some in numbers for number in some))
    with progress_for(quiet) as progress:
        pairs = read_pair_texts(told, split=split, seed=seed, progress=progress)
        n = len(pairs.queries)
        check_clusters(k, n)
        note_left_out(progress, n, "pair", pairs.left_out)
        vectors, fingerprint = encode_texts(encoder, [*pairs.queries, *pairs.items], progress)
        draw = Draw(queries, negatives, seed)
        seen = QueryItemVectors(vectors[:n], vectors[n:], pairs.components)
        found = cluster_hardness(seen, by=by, k=k, draw=draw, progress=progress)
    if output is not None:
        note = f"{n:,} pairs, clustered by {by}, encoder {encoder}"
        _draw(output, found, title=f"How hard negatives are: {titles_of(told)}", note=note)
    if as_json:
        content = {
            "files": list(told),
            "split": split,
            "by": by,
            "encoder": encoder,
            "fingerprint": fingerprint,
            "queries": min(n, queries),
            "negatives": negatives,
            "seed": seed,
            "pairs": n,
            "left_out": pairs.left_out,
            "in_cluster": found[0].in_cluster.as_dict(),
            "random": found[0].random.as_dict(),
            "by_k": [one.as_dict() for one in found],
        }
        click.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return
    _print(n, by, encoder, found)


def _draw(output: Path, found: list[ClusterHardness], *, title: str, note: str) -> None:
    from newsnest.pipeline.hardness_picture import draw_hardness, hardness_page

    draw = draw_hardness if output.suffix.lower() == ".svg" else hardness_page
    try:
        output.write_text(draw(found, title=title, note=note), encoding="utf-8")
    except OSError as error:
        raise ParameterError(
            f"hardness: -o must be a file that can be written, got {output} ({error.strerror}). "
            "Choose another."
        ) from error


def _print(n: int, by: str, encoder: str, found: list[ClusterHardness]) -> None:
    click.echo(f"{n:,} pairs, clustered by {by}, encoder {encoder}")
    click.echo(
        f"{'':<20}{'positive':>9}{'negative':>10}{'median':>8}{'95th percentile':>17}  likely false"
    )
    rows = [("random", found[0].random)]
    rows += [(f"of {one.k:,} cluster{'s' * (one.k > 1)}", one.in_cluster) for one in found]
    for name, own in rows:
        click.echo(
            f"{name:<20}{_three(own.positive_mean):>9}{_three(own.negative_mean):>10}"
            f"{_three(own.quantiles.get('0.5')):>8}{_three(own.quantiles.get('0.95')):>17}  "
            + ("—" if own.likely_false_negatives is None else f"{own.likely_false_negatives:.2%}")
        )


def _three(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"
