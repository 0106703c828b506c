"""`newsnest evaluate`: how good labels and encoders are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsnest.cli.evaluate_embedding import embedding
from newsnest.cli.evaluate_encoder import alignment, pairs
from newsnest.cli.evaluate_retrieval import retrieval
from newsnest.cli.parameters import json_option, levels_option, print_json, run_option
from newsnest.cli.progress import progress_for
from newsnest.errors import InputError
from newsnest.progress import Progress
from newsnest.types import plural

if TYPE_CHECKING:
    from newsnest.evaluate import ClusterScores
    from newsnest.labelled import LabelTable


@click.group()
def evaluate() -> None:
    """Evaluate clusters and encoders against gold labels, graded pairs, qrels or translations."""


evaluate.add_command(pairs)
evaluate.add_command(retrieval)
evaluate.add_command(alignment)
evaluate.add_command(embedding)


@evaluate.command()
@click.argument("predicted", type=click.Path(path_type=Path), metavar="NEST|FILE")
@click.option(
    "--gold",
    required=True,
    type=click.Path(path_type=Path),
    help="Gold labels by id, in any format with columns that newsnest cluster reads.",
)
@levels_option(
    "Labels to compare: story, or story=event. Repeatable.  "
    "[default: those of theme, topic and story that both have]"
)
@run_option
@json_option
def clusters(
    predicted: Path, gold: Path, levels: tuple[str, ...], run: int | None, as_json: bool
) -> None:
    """Compare the clusters of a nest, or of any file with labels, with gold labels by id.

    Prints pair and B-cubed precision, recall and F1, NMI, ARI, V-measure, accuracy under the best
    matching, and NMI with language, which is high if clusters merely separate languages.
    """
    from newsnest.evaluate import cluster_scores
    from newsnest.labelled import join_labels, read_labels

    with progress_for(False) as progress:
        compared = [
            (ours, field or ours) for ours, _, field in (level.partition("=") for level in levels)
        ] or [(level, level) for level in _shared_levels(predicted, gold, run)]
        table, languages = _predicted(predicted, [ours for ours, _ in compared], run, progress)
        wanted = read_labels(gold, [field for _, field in compared], progress=progress)
    joined = join_labels(table, wanted)
    if not joined.ids:
        raise InputError(_nothing_shared(predicted, table, gold, wanted))
    if joined.only_left or joined.only_right:
        click.echo(
            f"{joined.only_left:,} {plural('id', joined.only_left)} only in {predicted}, "
            f"{joined.only_right:,} only in {gold}; "
            f"{len(joined.ids):,} compared",
            err=True,
        )
    spoken = [languages.get(article, "") for article in joined.ids]
    results = {
        ours: cluster_scores(
            [row[column] for row in joined.left],
            [row[column] for row in joined.right],
            languages=spoken,
        )
        for column, (ours, _) in enumerate(compared)
    }
    if as_json:
        print_json({level: scores.as_dict() for level, scores in results.items()})
        return
    for level, scores in results.items():
        _print(level, scores)


def _nothing_shared(predicted: Path, table: "LabelTable", gold: Path, wanted: "LabelTable") -> str:
    """Say that two files have no article in common, with an id of each."""
    first = [next((repr(identity) for identity in ids), "none") for ids in (table, wanted)]
    return (
        f"evaluate clusters: {predicted} and {gold} must share ids, got none in common "
        f"(the first: {first[0]} and {first[1]}). Give the gold labels of these articles, or use "
        "the same ids."
    )


def _shared_levels(predicted: Path, gold: Path, run: int | None) -> list[str]:
    """Return the levels that both have, coarse to fine."""
    from newsnest.labelled import read_levels
    from newsnest.nest import Nest

    if _is_sqlite(predicted):
        with Nest(predicted) as nest:
            ours: Sequence[str] = nest.levels(nest.run(run))
    else:
        ours = read_levels(predicted)
    theirs = read_levels(gold)
    shared = [level for level in theirs if level in ours]
    if not shared:
        raise InputError(
            f"evaluate clusters: {predicted} and {gold} must share a level, got "
            f"{', '.join(ours)} and {', '.join(theirs)}. Name both with --level LEVEL=GOLDFIELD."
        )
    return shared


def _predicted(
    path: Path, levels: list[str], run: int | None, progress: Progress
) -> "tuple[LabelTable, dict[str, str]]":
    """Return labels and languages by article id, of a nest or of a file."""
    from newsnest.labelled import read_labels

    if not _is_sqlite(path):
        return read_labels(path, levels, progress=progress), {}
    from newsnest.nest import Nest

    with Nest(path) as nest:
        chosen = nest.run(run)
        known = nest.levels(chosen)
        for level in levels:
            nest.clusters(level, run=chosen, limit=1)  # says which levels there are
        columns = [known.index(level) for level in levels]
        table: LabelTable = {}
        languages: dict[str, str] = {}
        for member in nest.members(run=chosen):
            table[member.article.id] = tuple(str(member.clusters[c]) for c in columns)
            languages[member.article.id] = member.article.lang
    return table, languages


def _is_sqlite(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"


def _print(level: str, scores: "ClusterScores") -> None:
    values: dict[str, Any] = scores.as_dict()
    click.echo(
        f"{level}: {values['articles']:,} {plural('article', values['articles'])}, "
        f"{values['clusters']:,} {plural('cluster', values['clusters'])}, "
        f"{values['gold_clusters']:,} gold"
    )
    for name in ("pair", "bcubed"):
        click.echo(
            f"  {name:<8} P {values[name + '_precision']:.3f}  R {values[name + '_recall']:.3f}  "
            f"F1 {values[name + '_f1']:.3f}"
        )
    language = values["nmi_language"]
    click.echo(
        f"  NMI {values['nmi']:.3f}  ARI {values['ari']:.3f}  V {values['v_measure']:.3f}  "
        f"ACC {values['accuracy']:.3f}"
        + (f"  NMI with language {language:.3f}" if language is not None else "")
    )
