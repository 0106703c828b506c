"""`newsnest study`: find the encoder, the training and the settings that suit your articles."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsnest.cli.parameters import going_on, json_option, print_json, quiet_option
from newsnest.cli.progress import progress_for
from newsnest.types import plural

if TYPE_CHECKING:
    from newsnest.study.outcome import Outcome, StageOutcome
    from newsnest.study.trials import Trial


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
    for stage in outcome.stages:
        _print_stage(stage)
    _print_report(outcome)
    click.echo(f"See it: {plan.page}")


def _print_stage(stage: "StageOutcome") -> None:
    from newsnest.study.outcome import TOP

    trials = len(stage.trials)
    seeds = max(len(stage.trials[0].seeds), len(stage.start.seeds) if stage.start else 0, 1)
    click.echo(
        f"{stage.name}: {trials:,} {plural('trial', trials)} by {stage.metric}, mean ± standard "
        f"deviation over {seeds} {plural('seed', seeds)}"
    )
    for place, trial in enumerate(stage.leaders()[:TOP], start=1):
        _print_trial(str(place), trial)
    if stage.start is not None:
        _print_trial("start", stage.start)
    if stage.kept_start:
        click.echo("  no trial was better than the start, which is kept")
    failed = [trial for trial in stage.trials if trial.error]
    if failed:
        click.echo(f"  {len(failed):,} failed, the first: {failed[0].error}")
    if stage.importances:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in stage.importances.items())
        click.echo(f"  importance: {shares}")


def _print_trial(place: str, trial: "Trial") -> None:
    from newsnest.study.outcome import one_line

    language = trial.beside.get("nmi_language")
    beside = "" if language is None else f"  NMI with language {language:.3f}"
    click.echo(
        f"  {place:>5}  {trial.value:.4f} ± {trial.deviation:.4f}{beside}  {one_line(trial.params)}"
    )


def _print_report(outcome: "Outcome") -> None:
    from newsnest.study.outcome import shown

    click.echo(f"on {outcome.facts['report_articles']:,} articles that no trial has seen:")
    for one in outcome.reported:
        if one.error:
            click.echo(f"  {one.metric}: {one.error}")
            continue
        click.echo(
            f"  {one.metric}: {shown(one.winner)}, without a study {shown(one.default)}, "
            f"difference {shown(one.difference)}"
        )
    if outcome.looks > 1:
        click.echo(f"  these articles have been used to report {outcome.looks} winners")
    click.echo(outcome.verdict)
    if outcome.model:
        click.echo(f"The trained encoder: {outcome.model}")
    click.echo(f"{'The winner' if outcome.keeps_defaults else 'Use it'}: {outcome.command}")
