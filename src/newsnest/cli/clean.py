"""`newsnest clean`: apply a cleaning profile to files, and show what it does."""

from contextlib import ExitStack
from pathlib import Path

import click

from newsnest.cli import parameters
from newsnest.cli.progress import progress_for
from newsnest.corpus import CleanReport, ReadOptions, clean_files, load_profile
from newsnest.corpus.clean_files import Example, RuleCount
from newsnest.types import plural

_SHOWN = 60  # characters of each side of an example


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--profile",
    required=True,
    metavar="NAME|FILE",
    help="generic, fr-regional, or your own .toml file.",
)
@parameters.output_option(
    "FILE",
    "Write the remaining rows to this .jsonl file, replacing an existing one.  "
    "[default: write nothing]",
    required=False,
    type=click.Path(path_type=Path, dir_okay=False),
)
@parameters.number_option("--examples", 0, 3, "Maximum number of examples per rule.")
@parameters.field_option("text=body")
@parameters.quiet_option
@parameters.json_option
def clean(
    paths: tuple[str, ...],
    profile: str,
    output: Path | None,
    examples: int,
    fields: dict[str, str],
    quiet: bool,
    as_json: bool,
) -> None:
    """Clean the titles, texts and summaries of PATH..., and report what was changed and dropped.

    PATH is what `newsnest cluster` reads. Remaining rows keep their id and all other fields.
    `newsnest cluster --profile` does the same while reading.
    """
    read = ReadOptions(fields=fields)
    loaded = load_profile(profile)
    with ExitStack() as stack, progress_for(quiet) as progress:
        files = parameters.spooled(paths, stack)
        report = clean_files(
            files, loaded, output=output, options=read, examples=examples, progress=progress
        )
    if as_json:
        written = None if output is None else str(output)
        parameters.print_json({"files": list(paths), "output": written, **report.as_dict()})
        return
    if not quiet:
        for notice in report.notices:
            click.echo(f"{notice.file}: {notice.message}", err=True)
    _print(report, output)


def _print(report: CleanReport, output: Path | None) -> None:
    click.echo(
        f"{report.profile}: {report.rows:,} {plural('row', report.rows)}, {report.kept:,} kept "
        f"({report.changed:,} of them changed), {report.dropped:,} dropped, "
        f"{report.rejected:,} not articles"
    )
    first = report.first_rejected
    if first is not None:
        click.echo(f"  the first of these: {first.file}:{first.line}: {first.reason}")
    for rule in report.rules.values():
        _print_rule(rule)
    if output is None:
        click.echo("Nothing was written. Write the result with -o FILE.jsonl.")
    else:
        click.echo(f"{output}: {report.kept:,} {plural('row', report.kept)}")


def _print_rule(rule: RuleCount) -> None:
    done = [
        f"{count:,} {what}"
        for count, what in (
            (rule.changed, "changed"),
            (rule.dropped, "dropped"),
            (rule.without, "without its columns"),
        )
        if count
    ]
    click.echo(f"{rule.rule}: {', '.join(done) or '0'}")
    for example in rule.examples:
        click.echo(f"  {example.article}: {_shown(example)}")


def _shown(example: Example) -> str:
    """Return an example in a line, cut to where it changed."""
    if not example.part:
        return f"{_cut(example.before, 0)} dropped, {example.after}"
    alike = zip(example.before, example.after, strict=False)
    same = next((i for i, (a, b) in enumerate(alike) if a != b), len(example.after))
    begin = max(0, same - _SHOWN // 2)
    return f"{_cut(example.before, begin)} → {_cut(example.after, begin)}"


def _cut(text: str, begin: int) -> str:
    shown = " ".join(text[begin : begin + _SHOWN].split())
    return f"“{'…' * bool(begin)}{shown}{'…' * (len(text) > begin + _SHOWN)}”"
