"""`newsnest evaluate retrieval`: do the most similar documents answer queries."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsnest.cli.measure import Measuring, in_columns, measuring, note_left_out, shown
from newsnest.cli.parameters import Assignments, number_option, print_json
from newsnest.cli.progress import progress_for
from newsnest.progress import Progress

if TYPE_CHECKING:
    from newsnest.labelled import RetrievalTask


class Gains(Assignments):
    """score=gain, separated by commas; as a dict of floats."""

    name = "score=gain,…|none"
    example = "score=gain, e.g. 1=4"

    def convert(  # type: ignore[override]
        self, value: str | dict[str, str], param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, float]:
        """Return the dict, {"": 1} for none, or fail naming what is not a gain."""
        if value == "none":
            return {"": 1.0}
        out: dict[str, float] = {}
        for score, number in super().convert(value, param, ctx).items():
            try:
                out[score] = float(number)
            except ValueError:
                out[score] = -1.0
            if not 0 <= out[score] < float("inf"):
                self.fail(f"{number!r} is not a gain of at least 0, e.g. {score}=1", param, ctx)
        return out


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    metavar="CORPUS QUERIES QRELS",
)
@click.option(
    "--grades",
    type=Gains(),
    metavar="SCORE=GAIN,…|none",
    help="Gains of the scores in QRELS: 1=4,2=3,3=2,4=1 where 1 is best. Other scores are left out "
    "and counted. none: QRELS has no scores, each judgement has gain 1.  "
    "[default: the score is the gain]",
)
@measuring(
    field="doc_id=passage",
    rows="judgements",
    between=[
        number_option("--recall-at", 1, (10, 100), "Cutoff for recall. Repeatable.", multiple=True),
        number_option("--depth", 10, 1000, "Maximum length of a ranking."),
    ],
)
def retrieval(
    files: tuple[Path, ...],
    grades: dict[str, float] | None,
    recall_at: tuple[int, ...],
    depth: int,
    shared: Measuring,
) -> None:
    """Rank documents by similarity to queries, and score the rankings.

    CORPUS and QUERIES hold id and text (and title), QRELS holds query_id, doc_id and score, as in
    BEIR. Or give one file of held-out pairs with the columns query and item: all its items are the
    corpus. Each is read as newsnest cluster reads files with columns. Prints MAP, MRR@10, NDCG@10
    and recall, as trec_eval defines them.
    """
    from newsnest.evaluate import rank_documents, retrieval_scores

    if max(recall_at) > depth:  # not after everything is encoded
        raise click.UsageError(f"--recall-at {max(recall_at)} is beyond --depth {depth}.")
    with progress_for(shared.quiet) as progress:
        task, left_out = _read(files, grades, shared, progress)
        note_left_out(progress, sum(map(len, task.qrels.values())), "judgement", left_out)
        if len(files) == 1:
            shared.note_trained_on(progress, files[0])
        texts = [*task.documents.values(), *task.queries.values()]
        vectors, fingerprint = shared.encode(texts, progress)
        ids, asked = list(task.documents), list(task.queries)
        place = {identity: row for row, identity in enumerate(ids)}
        rankings = rank_documents(
            vectors[len(ids) :],
            vectors[: len(ids)],
            depth=depth,
            never=[[place[d] for d in task.never.get(q, ())] for q in asked],
        )
    ranked = {q: [ids[row] for row in rows] for q, rows in zip(asked, rankings, strict=True)}
    scores = retrieval_scores(
        ranked,
        task.qrels,
        recall_at=recall_at,
        depth=depth,
        resamples=shared.resamples,
        seed=shared.seed,
    )
    if shared.as_json:
        content = {
            **shared.content(fingerprint, files=[str(file) for file in files]),
            "grades": grades,
            **left_out,
            "documents": len(ids),
        }
        print_json({**content, "scores": scores.as_dict()})
        return
    without = f", {scores.without_relevant:,} without an answer" * bool(scores.without_relevant)
    click.echo(
        f"{scores.queries:,} queries{without}; {len(ids):,} documents, encoder {shared.encoder}"
    )
    named = {"MAP": scores.map, "MRR@10": scores.mrr_10, "NDCG@10": scores.ndcg_10}
    named |= {f"recall@{k}": found for k, found in scores.recall.items()}
    click.echo(in_columns([[f"  {name}", shown(found)] for name, found in named.items()]))


def _read(
    files: tuple[Path, ...],
    grades: dict[str, float] | None,
    shared: Measuring,
    progress: Progress,
) -> "tuple[RetrievalTask, dict[str, int]]":
    """Return what the files hold, and the counts of what was left out."""
    from newsnest.labelled import read_query_items, read_retrieval

    if len(files) == 1:
        if grades is not None:
            raise click.UsageError("--grades is for CORPUS QUERIES QRELS, not for pairs.")
        task = read_query_items(
            files[0], split=shared.split, fields=shared.fields, progress=progress
        )
    elif len(files) == 3:
        task = read_retrieval(
            files, grades=grades, split=shared.split, fields=shared.fields, progress=progress
        )
    else:
        raise click.UsageError(
            f"Give CORPUS QUERIES QRELS, or one file of pairs; got {len(files)} files."
        )
    left_out = {
        "without_text": task.without_text,
        "on_unknown_documents": task.unknown_documents,
        "on_unknown_queries": task.unknown_queries,
        "of_grades_without_gain": task.dropped,
        "other_splits": task.other_splits,
    }
    return task, left_out
