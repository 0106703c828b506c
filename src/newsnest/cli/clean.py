"""`newsnest clean`: apply a cleaning profile to files, and show what it does."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from newsnest.cli import parameters
from newsnest.cli.progress import progress_for
from newsnest.corpus import CleanReport, ReadOptions, load_profile
from newsnest.corpus.clean_files import Example, RuleCount, clean_files_with_articles
from newsnest.pipeline.house_phrases import without_boilerplate
from newsnest.types import plural

_SHOWN = 60  # characters of each side of an example
_PATTERNS = 20  # of boilerplate


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(allow_dash=True), metavar="PATH..."
)
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
@parameters.records_option
@parameters.follow_links_option
@parameters.no_header_option
@parameters.quiet_option
@parameters.json_option
def clean(
    paths: tuple[str, ...],
    profile: str,
    output: Path | None,
    examples: int,
    fields: dict[str, str],
    records: str | None,
    follow_links: bool,
    header: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Clean the titles, texts and summaries of PATH..., and report what was changed and dropped.

    PATH is what `newsnest cluster` reads. Remaining rows keep their id and all other fields.
    `newsnest cluster --profile` does the same while reading. What outlets repeat, and `newsnest
    cluster` disregards, is only shown.
    """
    read = ReadOptions(fields=fields, header=header, records=records, follow_links=follow_links)
    loaded = load_profile(profile)
    with ExitStack() as stack, progress_for(quiet) as progress:
        files = parameters.spooled(paths, stack)
        report, articles = clean_files_with_articles(
            files, loaded, output=output, options=read, examples=examples, progress=progress
        )
        repeated = without_boilerplate(articles, progress=progress)[1]
    if as_json:
        written = None if output is None else str(output)
        parameters.print_json(
            {"files": list(paths), "output": written, **report.as_dict(), "boilerplate": repeated}
        )
        return
    if not quiet:
        for notice in report.notices:
            click.echo(f"{notice.file}: {notice.message}", err=True)
    _print(report, repeated, output)


def _print(report: CleanReport, repeated: dict[str, Any], output: Path | None) -> None:
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
    _print_boilerplate(repeated["texts"], repeated["patterns"])
    if output is None:
        click.echo("Nothing was written. Write the result with -o FILE.jsonl.")
    else:
        click.echo(f"{output}: {report.kept:,} {plural('row', report.kept)}")


def _print_boilerplate(texts: int, patterns: Sequence[dict[str, Any]]) -> None:
    if not texts:
        return
    click.echo(
        f"newsnest cluster disregards what outlets repeat, in {texts:,} {plural('text', texts)}:"
    )
    for pattern in patterns[:_PATTERNS]:
        outlet = f"{pattern['outlet']}: " * bool(pattern["outlet"])
        click.echo(f"  {outlet}“{pattern['text']}”, {pattern['articles']:,}")
    if len(patterns) > _PATTERNS:
        click.echo(f"  … {len(patterns) - _PATTERNS:,} more; see all with --json")


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
