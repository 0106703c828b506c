"""`newsnest evaluate retrieval`: do the most similar documents answer queries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsnest.cli.evaluate_encoder import (
    encode_texts,
    note_left_out,
    note_trained_on,
    shown,
)
from newsnest.cli.parameters import (
    Assignments,
    encoder_option,
    field_option,
    json_option,
    quiet_option,
    resamples_option,
    seed_option,
    split_option,
)
from newsnest.cli.progress import progress_for

if TYPE_CHECKING:
    from newsnest.labelled import RetrievalTask
    from newsnest.progress import Progress


class Gains(Assignments):
    """score=gain, separated by commas; as a dict of floats."""

    name = "score=gain,…|none"
    example = "score=gain, e.g. 1=4"

    def convert(  # type: ignore[override]
        self, value: str | dict[str, str], param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, float]:
        """Return the dict, {"": 1} for none, or fail naming the number that is none."""
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
@encoder_option
@click.option(
    "--grades",
    type=Gains(),
    metavar="SCORE=GAIN,…|none",
    help="What scores of QRELS are worth: 1=4,2=3,3=2,4=1 where 1 is best. Other scores are left "
    "out and counted. none: QRELS has no scores, each judgement is worth 1.  "
    "[default: a score is the gain]",
)
@split_option("judgements")
@field_option("doc_id=passage")
@click.option(
    "--recall-at",
    type=click.IntRange(1),
    multiple=True,
    default=(10, 100),
    show_default=True,
    help="May be repeated.",
)
@click.option(
    "--depth",
    type=click.IntRange(10),
    default=1000,
    show_default=True,
    help="Documents looked at of every ranking, at most.",
)
@resamples_option
@seed_option("the resamples")
@quiet_option
@json_option
def retrieval(
    files: tuple[Path, ...],
    encoder: str,
    grades: dict[str, float] | None,
    split: str | None,
    fields: dict[str, str],
    recall_at: tuple[int, ...],
    depth: int,
    resamples: int,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Rank documents by similarity to queries, and score the rankings.

    CORPUS and QUERIES hold id and text (and title), QRELS holds query_id, doc_id and score, as BEIR
    collections have them. Or give one file of held-out pairs with the columns query and item: all
    items are then the corpus. Each is read as newsnest cluster reads files with columns. MAP,
    MRR@10, NDCG@10 and recall, as trec_eval defines them.
    """
    from newsnest.evaluate import rank_documents, retrieval_scores

    if max(recall_at) > depth:  # not after everything is encoded
        raise click.UsageError(f"--recall-at {max(recall_at)} is beyond --depth {depth}.")
    with progress_for(quiet) as progress:
        task, left_out = _read(files, grades, split, fields, progress)
        note_left_out(progress, sum(map(len, task.qrels.values())), "judgement", left_out)
        if len(files) == 1:
            note_trained_on(progress, encoder, files[0], split)
        texts = [*task.documents.values(), *task.queries.values()]
        vectors, fingerprint = encode_texts(encoder, texts, progress)
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
        ranked, task.qrels, recall_at=recall_at, depth=depth, resamples=resamples, seed=seed
    )
    if as_json:
        setting = {
            "files": [str(file) for file in files],
            "split": split,
            "grades": grades,
            "encoder": encoder,
            "fingerprint": fingerprint,
            "resamples": resamples,
            "seed": seed,
            **left_out,
            "documents": len(ids),
        }
        content = {**setting, "scores": scores.as_dict()}
        click.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return
    without = f", {scores.without_relevant:,} without an answer" * bool(scores.without_relevant)
    click.echo(f"{scores.queries:,} queries{without}; {len(ids):,} documents, encoder {encoder}")
    named = {"MAP": scores.map, "MRR@10": scores.mrr_10, "NDCG@10": scores.ndcg_10}
    named |= {f"recall@{k}": found for k, found in scores.recall.items()}
    for name, found in named.items():
        click.echo(f"  {name:<12}{shown(found)}")


def _read(
    files: tuple[Path, ...],
    grades: dict[str, float] | None,
    split: str | None,
    fields: dict[str, str],
    progress: Progress,
) -> tuple[RetrievalTask, dict[str, int]]:
    """Return what the files hold, and the counts of what was left out."""
    from newsnest.labelled import read_query_items, read_retrieval

    if len(files) == 1:
        if grades is not None:
            raise click.UsageError("--grades is for CORPUS QUERIES QRELS, not for pairs.")
        task = read_query_items(files[0], split=split, fields=fields, progress=progress)
    elif len(files) == 3:
        task = read_retrieval(files, grades=grades, split=split, fields=fields, progress=progress)
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
