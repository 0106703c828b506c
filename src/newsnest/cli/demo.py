"""`newsnest demo`: the main job on the bundled sample."""

from __future__ import annotations

from pathlib import Path

import click

from newsnest.cli.parameters import going_on, kept_in, quiet_option
from newsnest.cli.progress import progress_for


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("demo.nest"),
    show_default=True,
    help="The nest; the page is written beside it.",
)
@click.option("--encoder", default="minilm", show_default=True, help="As in newsnest cluster.")
@quiet_option
def demo(output: Path, encoder: str, quiet: bool) -> None:
    """Nest the bundled sample of invented articles and write its page."""
    from newsnest.cli.show import print_tree
    from newsnest.corpus.sample import sample_path
    from newsnest.nest import Nest, plural
    from newsnest.pipeline import Options, build
    from newsnest.web.report import write_report

    page = output.with_suffix(".html")
    if page == output:
        raise click.UsageError("the nest must not end in .html: the page beside it does.")
    with going_on(kept_in(output)), Nest(output, create=True) as nest:
        with progress_for(quiet) as progress:
            built = build([sample_path()], nest, Options(encoder=encoder), progress=progress)
        print_tree(nest, built.run, 5)
        write_report(nest, page, run=built.run)
    facts = built.run.facts
    click.echo(
        f"{facts['articles']:,} articles, {facts['independent']:,} independent; "
        f"{facts['rejected']:,} {plural('row', facts['rejected'])} set aside"
    )
    click.echo(f"nest: {output.resolve()}\npage: {page.resolve()}")
