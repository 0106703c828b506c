"""`newsnest evaluate embedding`: an encoder on articles without labels."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from newsnest.cli.measure import Measuring, in_columns, measuring, note_left_out, shown
from newsnest.cli.parameters import number_option, print_json, profile_option
from newsnest.cli.progress import progress_for
from newsnest.corpus import load_profile
from newsnest.progress import Progress
from newsnest.types import Vectors

if TYPE_CHECKING:
    from newsnest.evaluate import ClusterIndex, TitleScores
    from newsnest.labelled import TitledArticles


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@measuring(
    field="text=lead,story=event",
    draws="sampling and resampling",
    between=[
        profile_option,
        number_option(
            "--sample", 2, 5000, "Maximum number of articles; all pairs of them are compared."
        ),
        number_option(
            "--samples", 2, 5, "Number of clusterings of random 80 % subsets, for the stability."
        ),
    ],
)
def embedding(
    file: Path, profile: str | None, sample: int, samples: int, shared: Measuring
) -> None:
    """Measure an encoder on articles without labels.

    FILE is what `newsnest cluster` reads, with titles and texts or summaries. Prints how well
    cosines separate title and text of one article from those of two (AUROC; also for stories, if
    there is such a column), how well titles retrieve their texts, and for clusters the silhouette,
    the stability, and NMI with language and source. If NMI is high, clusters merely separate
    languages or sources, and the other scores mean little.
    """
    from newsnest.evaluate import title_scores
    from newsnest.labelled import TitledReading, read_titled

    loaded = None if profile is None else load_profile(profile)
    with progress_for(shared.quiet) as progress:
        reading = TitledReading(shared.fields or {}, shared.split, loaded, sample, shared.seed)
        read = read_titled(file, reading, progress=progress)
        n = len(read.articles)
        note_left_out(progress, n, "article", read.left_out)
        shared.note_trained_on(progress, file)
        both = [a.title for a in read.articles] + [a.text for a in read.articles]
        vectors, fingerprint = shared.encode(both, progress)
        titles, texts = vectors[:n], vectors[n:]
        # Apart: an encoder that is fitted would learn from them which text has which title.
        bodies, _ = shared.encode([a.body for a in read.articles], progress)
        scores = title_scores(
            titles, texts, read.stories, resamples=shared.resamples, seed=shared.seed
        )
        indices = _indices(bodies, read, samples, shared, progress)
    if shared.as_json:
        content = {
            **shared.content(fingerprint, file=str(file)),
            "profile": None if loaded is None else f"{loaded.name} {loaded.digest}",
            "samples": samples,
            "articles": n,
            "left_out": dict(read.left_out),
            **scores.as_dict(),
            "clusters": {level: index.as_dict() for level, index in indices.items()},
        }
        print_json(content)
        return
    _print(n, shared.encoder, scores, indices)


def _indices(
    bodies: Vectors,
    read: "TitledArticles",
    samples: int,
    shared: Measuring,
    progress: Progress,
) -> "dict[str, ClusterIndex]":
    """Cluster all articles and samples of them, and return the measures of each level."""
    from newsnest.evaluate import Labelling, cluster_index
    from newsnest.pipeline.embedding import kinds_of, level_clusters

    encoder = shared.encoder
    found = level_clusters(bodies, read.articles, encoder=encoder, progress=progress)
    rng = np.random.default_rng([19, shared.seed])
    size = max(2, round(0.8 * len(bodies)))
    labellings: dict[str, list[Labelling]] = {level: [] for level in found}
    with progress.start("cluster samples", samples, "samples") as task:
        for _ in range(samples):
            rows = np.sort(rng.choice(len(bodies), size, replace=False))
            drawn = [read.articles[row] for row in rows]
            for level, part in level_clusters(bodies[rows], drawn, encoder=encoder).items():
                labellings[level].append(Labelling(rows, part.labels.astype(np.int64)))
            task.advance()
    return {
        level: cluster_index(
            whole.vectors,
            whole.labels,
            dict(kinds_of(read.articles)),
            labellings=labellings[level],
            resamples=shared.resamples,
            seed=shared.seed,
        )
        for level, whole in found.items()
    }


def _print(n: int, encoder: str, scores: "TitleScores", indices: "dict[str, ClusterIndex]") -> None:
    click.echo(f"{n:,} articles, encoder {encoder}")
    rows = [["  AUROC, one article", shown(scores.article.auroc)]]
    if scores.story is not None:
        area = f"{shown(scores.story.auroc)} ({scores.story.together:,} pairs)"
        rows.append(["  AUROC, one story", area])
    found = scores.retrieval
    named = {"MRR@10": found.mrr_10, "NDCG@10": found.ndcg_10}
    named |= {f"recall@{k}": value for k, value in found.recall.items()}
    rows += [[f"  title → text, {name}", shown(value)] for name, value in named.items()]
    click.echo(in_columns(rows))
    rows = [["level", "clusters", "silhouette", "stability", "NMI with language, source"]]
    for level, index in indices.items():
        measures = [shown(index.silhouette), shown(index.stability)]
        rows.append(
            [level, f"{index.clusters:,}", *measures, ", ".join(map(shown, index.nmi.values()))]
        )
    click.echo(in_columns(rows, right={1}))
