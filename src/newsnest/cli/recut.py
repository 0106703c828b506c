"""`newsnest recut`: the stories of a nest finer or coarser, without encoding anything again."""

from pathlib import Path
from typing import get_args

import click

from newsnest.cli import parameters
from newsnest.cli.cluster import print_made
from newsnest.cli.parameters import going_on, kept_in
from newsnest.cli.progress import progress_for
from newsnest.cli.show import took
from newsnest.types import Grain


@click.command()
@parameters.nest_argument
@click.option(
    "--grain",
    type=click.Choice(get_args(Grain)),
    required=True,
    help="How finely to cut stories, as in newsnest cluster.",
)
@parameters.run_option
@parameters.quiet_option
def recut(nest: Path, grain: Grain, run: int | None, quiet: bool) -> None:
    """Cut the stories of NEST finer or coarser, in a new run.

    Topics, themes and names are made again over the new stories. No file is read and nothing is
    encoded: the result is that of newsnest cluster with the same files, options and --grain.
    """
    from newsnest.nest import Nest
    from newsnest.pipeline import recut as cut_again

    with going_on(kept_in(nest)), Nest(nest) as opened, progress_for(quiet) as progress:
        base = opened.run(run)
        made = cut_again(opened, grain, run=base, progress=progress)
    if not made.new:
        click.echo(
            f"{nest} holds this run already (run {made.run.id}). "
            f"See it: newsnest show {nest} --run {made.run.id}"
        )
        return
    if not quiet:
        click.echo(took(made.run), err=True)
    print_made(made.run, nest)
