"""`newsnest study`: find the encoder, the training and the settings that suit your articles."""

from pathlib import Path

import click

from newsnest.cli.parameters import going_on, json_option, print_json, quiet_option
from newsnest.cli.progress import progress_for


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@quiet_option
@json_option
def study(config: Path, quiet: bool, as_json: bool) -> None:
    """Tune the encoder, its training and the pipeline on your own articles.

    CONFIG is a .toml file that names articles and what to try; see docs/training/study.md. There
    are up to four stages, each starting from the best result of the one before. At the end the
    winner and the defaults of newsnest are scored on held-out articles. Finished trials are kept
    next to CONFIG: the same command resumes an interrupted study and prints a finished one. Also
    writes a page.
    """
    from newsnest.study import read_config, run_study

    plan = read_config(config)
    kept = f"Finished trials are kept in {plan.storage}: run the same command to continue."
    with progress_for(quiet) as progress, going_on(kept):
        outcome = run_study(plan, progress=progress)
    if as_json:
        print_json(outcome.as_dict())
        return
    for line in outcome.lines():
        click.echo(line)
    click.echo(f"See it: {plan.page}")
