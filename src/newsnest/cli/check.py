"""`newsnest check`: whether a nest still holds what was written."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from newsnest.cli import parameters
from newsnest.cli.progress import progress_for
from newsnest.types import plural

_SHOWN = 20  # faults of a part


@click.command()
@parameters.nest_argument
@parameters.json_option
@parameters.quiet_option
def check(nest: Path, as_json: bool, quiet: bool) -> None:
    """Look for damage in NEST.

    Compares every article and vector with its digest, and the runs with their articles. Prints what
    is damaged and exits with 1, or with 0 if nothing is.
    """
    from newsnest.nest import Nest

    with Nest(nest) as opened, progress_for(quiet) as progress:
        found = opened.check(progress=progress)
    if as_json:
        faults = [asdict(fault) for fault in found.faults]
        parameters.print_json({"nest": str(nest), **found.counts, "faults": faults})
    else:
        shown: dict[str, int] = {}
        for fault in found.faults:
            shown[fault.part] = shown.get(fault.part, 0) + 1
            if shown[fault.part] <= _SHOWN:
                click.echo(" ".join(filter(None, (fault.part, fault.id, fault.problem))))
        for part, count in shown.items():
            if count > _SHOWN:
                click.echo(f"{part}: {count - _SHOWN:,} more; see all with --json")
        _conclude(nest, found.counts, len(found.faults))
    if found.faults:
        raise click.exceptions.Exit(1)


def _conclude(nest: Path, counts: Mapping[str, int], faults: int) -> None:
    held = [f"{counts[name]:,} {plural(name[:-1], counts[name])}" for name in _HELD if counts]
    if older := counts.get("without_digest"):
        held.append(f"{older:,} of the vectors from before they had digests")
    click.echo(f"{nest}: {', '.join(held)}")
    if faults:
        click.echo(f"{faults:,} {plural('fault', faults)}: make the nest again from its articles")
    else:
        click.echo("It is whole.")


_HELD = ("articles", "vectors", "runs")
