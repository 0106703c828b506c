"""`newsnest evaluate embedding`: an encoder on articles without labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from newsnest.cli.evaluate_encoder import (
    encode_texts,
    note_left_out,
    note_trained_on,
    shown,
)
from newsnest.cli.parameters import (
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
    from numpy.typing import NDArray

    from newsnest.evaluate import ClusterIndex, TitleScores
    from newsnest.labelled import TitledArticles
    from newsnest.progress import Progress
    from newsnest.types import Vectors


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@encoder_option
@split_option()
@field_option("text=lead,story=event")
@click.option("--profile", metavar="NAME|FILE", help="Clean articles first (see newsnest clean).")
@click.option(
    "--sample",
    type=click.IntRange(2),
    default=5000,
    show_default=True,
    help="Articles looked at, at most: all pairs of them are.",
)
@click.option(
    "--samples",
    type=click.IntRange(2),
    default=5,
    show_default=True,
    help="Clusterings of four fifths of the articles, for the stability.",
)
@resamples_option
@seed_option("all draws")
@quiet_option
@json_option
def embedding(
    file: Path,
    encoder: str,
    split: str | None,
    fields: dict[str, str],
    profile: str | None,
    sample: int,
    samples: int,
    resamples: int,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Measure an encoder on articles that nobody has labelled.

    FILE is what `newsnest cluster` reads, with titles and texts or summaries. How well cosines tell
    title and text of one article from those of two (AUROC; also of a story, where there is such a
    column), how well titles find their texts, and of the clusters silhouette, stability, and what
    they tell about language and outlet: high values there mean that the others mean nothing.
    """
    from newsnest.corpus import load_profile
    from newsnest.evaluate import title_scores
    from newsnest.labelled import TitledReading, read_titled

    loaded = None if profile is None else load_profile(profile)
    with progress_for(quiet) as progress:
        reading = TitledReading(fields, split, loaded, sample, seed)
        read = read_titled(file, reading, progress=progress)
        n = len(read.articles)
        note_left_out(progress, n, "article", read.left_out)
        note_trained_on(progress, encoder, file, split)
        both = [a.title for a in read.articles] + [a.text for a in read.articles]
        vectors, fingerprint = encode_texts(encoder, both, progress)
        titles, texts = vectors[:n], vectors[n:]
        # Apart: an encoder that is fitted would learn from them which text has which title.
        bodies, _ = encode_texts(encoder, [a.body for a in read.articles], progress)
        scores = title_scores(titles, texts, read.stories, resamples=resamples, seed=seed)
        indices = _indices(bodies, read, encoder, (samples, resamples, seed), progress)
    if as_json:
        setting: dict[str, Any] = {
            "file": str(file),
            "split": split,
            "encoder": encoder,
            "fingerprint": fingerprint,
            "profile": None if loaded is None else f"{loaded.name} {loaded.digest}",
            "samples": samples,
            "resamples": resamples,
            "seed": seed,
            "articles": n,
            "left_out": dict(read.left_out),
        }
        setting |= scores.as_dict()
        setting["clusters"] = {level: own.as_dict() for level, own in indices.items()}
        click.echo(json.dumps(setting, indent=1, ensure_ascii=False))
        return
    _print(n, encoder, scores, indices)


def _indices(
    bodies: Vectors,
    read: TitledArticles,
    encoder: str,
    numbers: tuple[int, int, int],
    progress: Progress,
) -> dict[str, ClusterIndex]:
    """Cluster all articles and samples of them, and return what is said of each level."""
    from newsnest.evaluate import Labelling, cluster_index
    from newsnest.pipeline.embedding import kinds_of, level_clusters

    samples, resamples, seed = numbers
    found = level_clusters(bodies, read.articles, encoder=encoder, progress=progress)
    rng = np.random.default_rng([19, seed])
    size = max(2, round(0.8 * len(bodies)))
    labellings: dict[str, list[Labelling]] = {level: [] for level in found}
    with progress.start("cluster samples", samples, "samples") as task:
        for _ in range(samples):
            rows: NDArray[np.int64] = np.sort(rng.choice(len(bodies), size, replace=False))
            drawn = [read.articles[row] for row in rows]
            for level, own in level_clusters(bodies[rows], drawn, encoder=encoder).items():
                labellings[level].append(Labelling(rows, own.labels.astype(np.int64)))
            task.advance()
    return {
        level: cluster_index(
            own.vectors,
            own.labels,
            dict(kinds_of(read.articles)),
            labellings=labellings[level],
            resamples=resamples,
            seed=seed,
        )
        for level, own in found.items()
    }


def _print(n: int, encoder: str, scores: TitleScores, indices: dict[str, ClusterIndex]) -> None:
    click.echo(f"{n:,} articles, encoder {encoder}")
    click.echo(f"  {'AUROC, one article':<26}{shown(scores.article.auroc)}")
    if scores.story is not None:
        click.echo(
            f"  {'AUROC, one story':<26}{shown(scores.story.auroc)} "
            f"({scores.story.together:,} pairs)"
        )
    found = scores.retrieval
    named = {"MRR@10": found.mrr_10, "NDCG@10": found.ndcg_10}
    named |= {f"recall@{k}": value for k, value in found.recall.items()}
    for name, value in named.items():
        click.echo(f"  {'title → text, ' + name:<26}{shown(value)}")
    click.echo(
        f"{'level':<8}{'clusters':>9}  {'silhouette':<24}{'stability':<11}NMI with language, source"
    )
    for level, own in indices.items():
        told = [_two(value) for value in own.nmi.values()]
        click.echo(
            f"{level:<8}{own.clusters:>9,}  {shown(own.silhouette):<24}{_two(own.stability):<11}"
            f"{', '.join(told)}"
        )


def _two(value: Any) -> str:
    return "—" if value is None else f"{value:.3f}"
