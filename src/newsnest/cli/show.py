"""`newsnest show`, `export` and `report`: a nest on the terminal, as a table, and as a page."""

import os
import sys
import unicodedata
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsnest.cli import parameters, terminal
from newsnest.printable import printable
from newsnest.types import plural

if TYPE_CHECKING:
    from rich.tree import Tree

    from newsnest.nest import Cluster, Nest, Run


@click.command()
@parameters.nest_argument
@click.option(
    "--level",
    type=parameters.LevelName(),
    metavar="TEXT",
    help="List the clusters of one level.  [default: the tree]",
)
@parameters.number_option(
    "--limit", 1, 20, "Maximum number of clusters: themes of the tree, or clusters of --level."
)
@click.option("--rejected", is_flag=True, help="List the rejected rows.")
@click.option("--runs", is_flag=True, help="List the runs.")
@parameters.run_option
@parameters.json_option
def show(
    nest: Path,
    level: str | None,
    limit: int,
    rejected: bool,
    runs: bool,
    run: int | None,
    as_json: bool,
) -> None:
    """Print the largest themes of NEST with their topics and stories."""
    from newsnest.nest import Nest

    with Nest(nest) as opened:
        if runs:
            _print_runs(opened, as_json)
            return
        if rejected and run is None and (known := opened.runs()):
            run = known[-1].id  # also of a run that failed because no row was an article
        chosen = opened.run(run)
        if rejected:
            _print_rejected(opened, chosen, as_json)
        elif level is not None:
            _print_level(opened, chosen, level, limit, as_json)
        else:
            print_tree(opened, chosen, limit, as_json=as_json)


@click.command()
@parameters.nest_argument
@parameters.output_option("FILE", "The table to write: .jsonl, .csv or .parquet.")
@parameters.run_option
def export(nest: Path, output: Path, run: int | None) -> None:
    """Write one row per article: id, its theme, topic and story, and their names."""
    from newsnest.nest import Nest
    from newsnest.nest import export as write

    with Nest(nest) as opened:
        count = write(opened, output, run=opened.run(run))
    click.echo(f"{output}: {count:,} {plural('row', count)}")


@click.command()
@parameters.nest_argument
@parameters.output_option("FILE.html", "The page to write.")
@click.option("--title", help="Headline of the page.  [default: the name of NEST]")
@parameters.run_option
def report(nest: Path, output: Path, title: str | None, run: int | None) -> None:
    """Write one HTML page that opens without a network."""
    from newsnest.nest import Nest
    from newsnest.web.report import write_report

    with Nest(nest) as opened:
        # A name that is too long does not exist; pathlib would raise.
        if os.path.exists(output) and output.samefile(nest):  # noqa: PTH110
            raise click.UsageError(f"the page must not be the nest itself, got {output}.")
        summary = write_report(opened, output, run=opened.run(run), title=title)
    for sentence in summary.left_out:
        click.echo(sentence, err=True)
    click.echo(f"{output}: {summary.bytes / 1e6:.1f} MB")


def print_tree(nest: "Nest", run: "Run", limit: int, *, as_json: bool = False) -> None:
    """Print themes, each with its largest topics and their largest stories.

    A cluster whose only child has its name stands for both.
    """
    top = nest.levels(run)[0]
    clusters = nest.clusters(top, run=run, limit=limit)
    total = len(nest.clusters(top, run=run))
    if as_json:
        parameters.print_json([_nested(nest, c) for c in clusters])
        return
    from rich.tree import Tree

    console = terminal.console()
    for cluster in clusters:
        tree = Tree(_label(cluster, "bold", _size(cluster)))
        _grow(nest, cluster, tree, shown=4)
        console.print(tree)
    if total > limit:
        click.echo(f"{limit:,} of {total:,} {plural(top, total)}; see more with --limit")


def _grow(nest: "Nest", cluster: "Cluster", tree: "Tree", shown: int) -> None:
    children, count = nest.children(cluster, limit=shown), nest.store.count_children(cluster)
    while count == 1 and children[0].name == cluster.name:
        cluster = children[0]  # a topic of one story, which has its name
        children, count = nest.children(cluster, limit=shown), nest.store.count_children(cluster)
    for child in children:
        _grow(nest, child, tree.add(_label(child, "", child.size)), shown)
    if (more := count - shown) > 0:
        tree.add(f"[dim]… {more:,} more {plural(children[0].level, more)}[/dim]")


def _label(cluster: "Cluster", style: str, size: str) -> Any:
    from rich.text import Text

    return Text.assemble((_isolated(cluster.name), style), "  ", (size, "dim"))


def _isolated(name: str) -> str:
    """Isolate a name from right to left, or a terminal turns round the numbers beside it."""
    leftward = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    name = printable(name)
    return f"\u2068{name}\u2069" if leftward and sys.stdout.isatty() else name


def _size(cluster: "Cluster") -> str:
    """Return the section of a cluster, if it has one, and its size."""
    return f"{cluster.section}; {cluster.size}" if cluster.section else cluster.size


def _print_level(nest: "Nest", run: "Run", level: str, limit: int, as_json: bool) -> None:
    clusters = nest.clusters(level, run=run, limit=limit)
    if as_json:
        parameters.print_json([_plain(c) for c in clusters])
        return
    from rich.text import Text

    console = terminal.console()
    for cluster in clusters:
        line = f"{cluster.label:>6}  {_isolated(cluster.name)}  ({_size(cluster)})"
        console.print(Text(line), soft_wrap=True)


def _print_rejected(nest: "Nest", run: "Run", as_json: bool) -> None:
    rows = nest.rejected(run)
    if as_json:
        parameters.print_json([asdict(row) for row in rows])
        return
    for row in rows:
        click.echo(f"{row.file}:{row.line}: {row.reason}")
    click.echo(f"{len(rows):,} {plural('row', len(rows))} set aside")


def _print_runs(nest: "Nest", as_json: bool) -> None:
    from newsnest.pipeline.house_phrases import boilerplate_in_words
    from newsnest.pipeline.story_facts import stories_in_words

    runs = nest.runs()
    if as_json:
        fields = [
            {"run": r.id, "batch": r.batch, "created": r.created.isoformat(),
             "finished": r.finished, "stopped": r.stopped, "inputs": r.inputs,
             "options": r.options, "versions": r.versions, "facts": r.facts}
            for r in runs
        ]  # fmt: skip
        parameters.print_json(fields)
        return
    for r in runs:
        state = "finished" if r.finished else "unfinished: run the same command again to resume it"
        click.echo(f"{r.id:>4}  {r.created:%Y-%m-%d %H:%M} UTC  {' '.join(r.inputs)}  {state}")
        click.echo(f"      batch {r.batch}, {', '.join(_chosen(r))}")
        if r.finished:
            click.echo(f"      {took(r)}")
        if stories := stories_in_words(r.facts):
            click.echo(f"      {stories}")
        if phrases := boilerplate_in_words(r.facts):
            click.echo(f"      {phrases}")
        if r.stopped:
            click.echo(f"      stopped: {r.stopped}")


def took(run: "Run") -> str:
    """Return how long a finished run took, in total and by stage, the longest first."""
    seconds: dict[str, float] = run.facts.get("seconds", {})
    longest = sorted(seconds, key=lambda stage: -seconds[stage])
    stages = ", ".join(f"{stage} {seconds[stage]:,.1f}" for stage in longest)
    return f"took {sum(seconds.values()):,.1f} s: {stages}"


def _chosen(run: "Run") -> list[str]:
    """Return the encoder of a run and every option that differs from its default, in words."""
    from newsnest.pipeline import Options

    usual = asdict(Options())
    given = {**run.options, **run.options.get("read", {})}
    usual |= usual.pop("read") | {"encoder": None, "describer": "keywords"}
    words = {name: value for name, value in given.items() if name in usual and value != usual[name]}
    return [f"{name.replace('_', ' ')} {_in_words(value)}" for name, value in words.items()]


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={part}" for name, part in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    return {"True": "on", "False": "off"}.get(str(value), str(value))


def _plain(cluster: "Cluster") -> dict[str, Any]:
    section = {
        "section": cluster.section,
        "section_id": cluster.section_id,
        "section_score": cluster.section_score,
    }
    return {
        "id": cluster.id,
        "level": cluster.level,
        "label": cluster.label,
        "name": cluster.name,
        "articles": cluster.articles,
        "independent": cluster.independent,
        "keywords": list(cluster.keywords),
        **(section if cluster.section else {}),
        "summary": [{"text": s.text, "article": s.article} for s in cluster.summary],
        "representative": cluster.representative,
        "first": cluster.first.isoformat() if cluster.first else None,
        "last": cluster.last.isoformat() if cluster.last else None,
    }


def _nested(nest: "Nest", cluster: "Cluster") -> dict[str, Any]:
    children = nest.children(cluster)
    out = _plain(cluster)
    if children:
        out["children"] = [_nested(nest, child) for child in children]
    return out
