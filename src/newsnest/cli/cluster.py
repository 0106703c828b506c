"""`newsnest cluster`: from files of articles to a nest; `newsnest demo`: the same on a sample."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsnest.cli import parameters
from newsnest.cli.parameters import NestPath, going_on, kept_in
from newsnest.cli.progress import progress_for
from newsnest.cli.show import print_tree, took
from newsnest.corpus import ReadOptions, find_origins, load_profile
from newsnest.embed import AUTO, load_encoder
from newsnest.options import Options
from newsnest.types import DateOrder, Rejected, plural

if TYPE_CHECKING:
    from newsnest.nest import Run


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(allow_dash=True), metavar="PATH..."
)
@parameters.output_option(
    "NEST", "The nest to write; an existing one is added to.", type=NestPath(path_type=Path)
)
@parameters.options_of()
@parameters.field_option("text=body")
@parameters.no_header_option
@click.option(
    "--format",
    "file_format",
    type=parameters.FormatName(),
    default=None,
    help="Read every PATH in this format.  [default: by file name]",
)
@parameters.records_option
@parameters.follow_links_option
@click.option("--encoding", default=None, help="Character encoding.  [default: detected]")
@parameters.date_order_option
@parameters.time_zone_option
@parameters.reference_date_option
@parameters.profile_option
@click.option("--strict", is_flag=True, help="Stop at the first row that is not an article.")
@parameters.quiet_option
def cluster(
    paths: tuple[str, ...],
    output: Path,
    fields: dict[str, str],
    header: bool,
    file_format: str | None,
    records: str | None,
    follow_links: bool,
    encoding: str | None,
    date_order: DateOrder | None,
    time_zone: str | None,
    reference_date: datetime | None,
    profile: str | None,
    strict: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Nest the articles of PATH... into themes, topics and stories.

    PATH is a .jsonl, .json, .csv, .tsv, .parquet, .txt, .html or .xml (RSS, Atom) file, also .gz
    or .zst; a directory of such files; or - for standard input. The same command resumes an
    interrupted run; on a finished nest it does nothing.
    """
    read = ReadOptions(
        fields=fields,
        header=header,
        encoding=encoding,
        format=file_format,
        strict=strict,
        date_order=date_order,
        records=records,
        follow_links=follow_links,
        time_zone=time_zone,
        reference_date=reference_date,
        profile=None if profile is None else load_profile(profile),
    )
    # Before the heavy parts are loaded.
    files = [path for path in paths if path != "-"]
    find_origins(files, forced=file_format, follow_links=follow_links)
    if chosen["encoder"] != AUTO:
        load_encoder(chosen["encoder"])
    options = Options(read=read, **chosen)

    from newsnest.nest import Nest
    from newsnest.pipeline import build

    with ExitStack() as stack:
        stack.enter_context(going_on(kept_in(output)))
        spooled = parameters.spooled(paths, stack)
        with Nest(output, create=True) as nest, progress_for(quiet) as progress:
            built = build(spooled, nest, options, progress=progress)
            notices = nest.notices(built.run)
            first_rejected = nest.rejected(built.run, limit=1)
    if not built.new:
        click.echo(f"{output} holds this run already (run {built.run.id}); nothing to do.")
        return
    if not quiet:
        _print_notices(notices, first_rejected, built.run.facts["rejected"], output)
        click.echo(took(built.run), err=True)
    print_made(built.run, output)


def print_made(run: "Run", output: Path) -> None:
    """Say what a new run holds, and how to see it."""
    facts = run.facts
    counts = {level["name"]: facts["clusters"][level["name"]] for level in facts["levels"]}
    click.echo(
        f"{output}: run {run.id}, "
        f"{facts['articles']:,} {plural('article', facts['articles'])}, "
        f"{facts['independent']:,} independent, {facts['rejected']:,} "
        f"{plural('row', facts['rejected'])} set aside"
    )
    click.echo(", ".join(f"{count:,} {plural(level, count)}" for level, count in counts.items()))
    click.echo(f"See it: newsnest show {output}, or newsnest report {output} -o report.html")


def _print_notices(
    notices: list[tuple[str, str]], first_rejected: list[Rejected], rejected: int, output: Path
) -> None:
    """Print to stderr what was noticed while reading."""
    for file, message in notices:
        click.echo(f"{file}: {message}", err=True)
    for first in first_rejected:
        click.echo(
            f"{rejected:,} {plural('row', rejected)} set aside, the first at "
            f"{first.file}:{first.line}: {first.reason} (all of them: newsnest show {output} "
            "--rejected)",
            err=True,
        )


@click.command()
@parameters.output_option(
    "PATH",
    "The nest to write; the page is written next to it.",
    required=False,
    type=NestPath(path_type=Path),
    default=Path("demo.nest"),
    show_default=True,
)
@parameters.encoder_option
@parameters.quiet_option
def demo(output: Path, encoder: str, quiet: bool) -> None:
    """Nest a bundled sample of invented articles, and write its page."""
    from newsnest.corpus.sample import sample_path
    from newsnest.nest import Nest
    from newsnest.pipeline import build
    from newsnest.web.report import write_report

    page = output.with_suffix(".html")
    if page == output:
        raise click.UsageError("the nest must not end in .html, because its page does.")
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
