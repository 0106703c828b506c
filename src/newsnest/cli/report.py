"""`newsnest report`: a nest as one page."""

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
    metavar="FILE.html",
    help="The page to write.",
)
@run_option
def report(nest: Path, output: Path, run: int | None) -> None:
    """Write one HTML page that opens without a network."""
    from newsnest.nest import Nest
    from newsnest.web.report import write_report

    with Nest(nest) as opened:
        if output.exists() and output.samefile(nest):
            raise click.UsageError(f"the page must not be the nest itself, got {output}.")
        summary = write_report(opened, output, run=opened.run(run))
    for sentence in summary.left_out:
        click.echo(sentence, err=True)
    click.echo(f"{output}: {summary.bytes / 1e6:.1f} MB")
