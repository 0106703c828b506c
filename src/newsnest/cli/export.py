"""`newsnest export`: a nest as a table."""

from pathlib import Path

import click

from newsnest.cli.parameters import nest_argument, run_option


@click.command()
@nest_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The table to write: .jsonl, .csv or .parquet.",
)
@run_option
def export(nest: Path, output: Path, run: int | None) -> None:
    """Write one row per article: id, its theme, topic and story, and their names."""
    from newsnest.nest import Nest, plural
    from newsnest.nest import export as write

    with Nest(nest) as opened:
        count = write(opened, output, run=opened.run(run))
    click.echo(f"{output}: {count:,} {plural('row', count)}")
