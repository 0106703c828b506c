"""`newsnest hardness`: what clustering pairs does to the negatives of a batch."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsnest.cli.measure import Measuring, measuring, note_left_out, shown
from newsnest.cli.parameters import number_option, output_option, print_json
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
        """Return the numbers, or fail naming what is not one."""
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        for part in parts:
            if not (part.strip().isascii() and part.strip().isdigit() and int(part) > 0):
                self.fail(f"{part!r} is not a whole number of at least 1, e.g. 10,50", param, ctx)
        return tuple(map(int, parts))


@click.command()
@click.option(
    "--pairs",
    "--data",
    "data",
    multiple=True,
    required=True,
    metavar="FILE[,KEY=VALUE…]",
    help="Rows of two texts, with optional per-file settings: faq.csv,columns=question:answer,"
    "max_pairs=10000. Repeatable.",
)
@click.option(
    "--by",
    type=click.Choice(["query", "item", "pair"]),
    default="item",
    show_default=True,
    help="Cluster pairs by the vectors of their queries, of their items, or of both.",
)
@click.option(
    "-k",
    "--k",
    "numbers",
    type=Numbers(),
    multiple=True,
    default=("10",),
    show_default=True,
    help="Number of clusters; several separated by commas. Repeatable.",
)
@measuring(
    draws="sampling and k-means",
    resamples=False,
    between=[
        number_option(
            "--queries",
            2,
            20_000,
            "Maximum number of queries, drawn at random; all pairs are clustered.",
        ),
        number_option("--negatives", 1, 64, "Number of negatives of each kind per query."),
        output_option(
            "FILE.{html,svg}",
            "Also write the histograms to this file.",
            required=False,
            type=click.Path(path_type=Path, dir_okay=False),
        ),
    ],
)
def hardness(
    data: tuple[str, ...],
    by: "By",
    numbers: tuple[tuple[int, ...], ...],
    queries: int,
    negatives: int,
    output: Path | None,
    shared: Measuring,
) -> None:
    """Compare negatives from the same cluster with random negatives.

    FILE is in any format with columns that `newsnest cluster` reads: two columns of texts. Pairs
    are put into k clusters; then each query is compared with its own item, with items of other
    pairs of its cluster, and with random items. Prints mean cosines, quantiles, and the share of
    likely false negatives: those at least as similar to the query as its own item. Use it to see
    whether batches of `newsnest train pretrain` are harder, and from which k its mask matters.
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
    with progress_for(shared.quiet) as progress:
        pairs = read_pair_texts(data, split=shared.split, seed=shared.seed, progress=progress)
        n = len(pairs.queries)
        check_clusters(k, n)
        note_left_out(progress, n, "pair", pairs.left_out)
        vectors, fingerprint = shared.encode([*pairs.queries, *pairs.items], progress)
        draw = Draw(queries, negatives, shared.seed)
        seen = QueryItemVectors(vectors[:n], vectors[n:], pairs.components)
        found = cluster_hardness(seen, by=by, k=k, draw=draw, progress=progress)
    headline = f"{n:,} pairs, clustered by {by}, encoder {shared.encoder}"
    if output is not None:
        _draw(output, found, title=f"How hard negatives are: {titles_of(data)}", note=headline)
    if shared.as_json:
        content = {
            **shared.content(fingerprint, files=list(data), by=by),
            "queries": min(n, queries),
            "negatives": negatives,
            "pairs": n,
            "left_out": pairs.left_out,
            "in_cluster": found[0].in_cluster.as_dict(),
            "random": found[0].random.as_dict(),
            "by_k": [one.as_dict() for one in found],
        }
        del content["resamples"]
        print_json(content)
        return
    click.echo(headline)
    _print(found)


def _draw(output: Path, found: "list[ClusterHardness]", *, title: str, note: str) -> None:
    from newsnest.pipeline.hardness_picture import draw_hardness, hardness_page

    draw = draw_hardness if output.suffix.lower() == ".svg" else hardness_page
    try:
        output.write_text(draw(found, title=title, note=note), encoding="utf-8")
    except OSError as error:
        raise ParameterError(
            f"hardness: -o must be a file that can be written, got {output} ({error.strerror}). "
            "Choose another."
        ) from error


def _print(found: "list[ClusterHardness]") -> None:
    click.echo(
        f"{'':<20}{'positive':>9}{'negative':>10}{'median':>8}{'95th percentile':>17}  likely false"
    )
    rows = [("random", found[0].random)]
    rows += [(f"of {one.k:,} cluster{'s' * (one.k > 1)}", one.in_cluster) for one in found]
    for name, row in rows:
        means = row.positive_mean, row.negative_mean
        numbers = (*means, row.quantiles.get("0.5"), row.quantiles.get("0.95"))
        cells = zip(map(shown, numbers), (9, 10, 8, 17), strict=True)
        false = row.likely_false_negatives
        click.echo(
            f"{name:<20}"
            + "".join(f"{cell:>{width}}" for cell, width in cells)
            + ("  —" if false is None else f"  {false:.2%}")
        )
