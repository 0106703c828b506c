"""`newsnest cluster`: from files of articles to a nest."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from newsnest.cli.parameters import (
    Duration,
    FormatName,
    Similarities,
    date_order_option,
    encoder_option,
    field_option,
    going_on,
    kept_in,
    quiet_option,
    spooled,
)
from newsnest.cli.progress import progress_for
from newsnest.cli.show import took
from newsnest.corpus.options import DateOrder, ReadOptions
from newsnest.types import Rejected


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="NEST",
    help="The nest to write; made if it is not there, added to if it is.",
)
@encoder_option
@click.option(
    "--long-texts",
    type=click.Choice(["head", "head+tail", "mean"]),
    default="head",
    show_default=True,
    help="What to read of texts the encoder would cut.",
)
@click.option(
    "--backend",
    type=click.Choice(["auto", "torch", "bfloat16", "int8"]),
    default="auto",
    show_default=True,
    help="What computes minilm and other transformers; int8 is the fastest on a CPU.",
)
@click.option(
    "--order",
    type=click.Choice(["fine-to-coarse", "coarse-to-fine"]),
    default="fine-to-coarse",
    show_default=True,
    help="Which level comes first.",
)
@click.option(
    "--exact/--nearby",
    default=None,
    help="Compare all texts with each other, or first those nearby.  "
    "[default: nearby above 300,000 texts]",
)
@click.option(
    "--min-similarity",
    type=Similarities(),
    default={},
    help="Override the default of a level: theme=0.05,topic=0.2,story=0.4",
)
@click.option(
    "--time-scale",
    type=Duration(),
    default=None,
    help="How long a story's burst lasts, e.g. 12h, 1d.  [default: measured]",
)
@click.option(
    "--time-weight",
    type=click.FloatRange(0, 1, max_open=True),
    default=None,
    help="Weight of dates at the story level; 0 turns them off.  [default: measured]",
)
@click.option(
    "--centre",
    type=click.Choice(["language", "corpus"]),
    default="language",
    show_default=True,
    help="Centre each language by itself, or all articles together.",
)
@click.option(
    "--clusterer",
    default="rac",
    show_default=True,
    metavar="NAME[:NUMBER]",
    help="What makes stories: rac, hdbscan, hdbscan:SIZE of the smallest, or kmeans:K.",
)
@click.option(
    "--reduce",
    type=click.Choice(["none", "pca", "truncate", "umap"]),
    default="none",
    show_default=True,
    help="Cluster fewer dimensions; umap needs the extra compare.",
)
@click.option("--dims", type=int, help="How many dimensions --reduce keeps.")
@click.option(
    "--keyword-terms",
    type=click.IntRange(1),
    help="Words and phrases counted for keywords: those in the most texts.  [default: 500000]",
)
@click.option(
    "--keyword-characters",
    type=click.IntRange(1),
    help="How much of each article is read for keywords.  [default: 4000]",
)
@click.option("--keep-copies", is_flag=True, help="Do not fold copies of the same text.")
@field_option("text=body")
@click.option(
    "--format",
    "file_format",
    type=FormatName(),
    default=None,
    help="Read every PATH in this format.  [default: by its name]",
)
@click.option("--encoding", default=None, help="Character encoding.  [default: detected]")
@date_order_option
@click.option(
    "--profile",
    metavar="NAME|FILE",
    help="Clean articles first: generic, fr-regional, or a .toml file (see newsnest clean).",
)
@click.option("--strict", is_flag=True, help="Stop at the first row that is not an article.")
@quiet_option
def cluster(
    paths: tuple[str, ...],
    output: Path,
    encoder: str,
    long_texts: str,
    backend: str,
    order: str,
    exact: bool | None,
    min_similarity: dict[str, float],
    time_scale: float | None,
    time_weight: float | None,
    centre: str,
    clusterer: str,
    reduce: str,
    dims: int | None,
    keyword_terms: int | None,
    keyword_characters: int | None,
    keep_copies: bool,
    fields: dict[str, str],
    file_format: str | None,
    encoding: str | None,
    date_order: DateOrder | None,
    profile: str | None,
    strict: bool,
    quiet: bool,
) -> None:
    """Nest the articles of PATH... into themes, topics and stories.

    PATH is a .jsonl, .csv, .tsv, .parquet or .txt file (also .gz or .zst), a directory of texts
    or pages, an RSS or Atom file, or - for standard input. Killed at any moment, the same command
    goes on where it stopped; on a finished nest it does nothing.
    """
    from newsnest import load_encoder
    from newsnest.corpus import find_origins, load_profile

    read = ReadOptions(
        fields=fields,
        encoding=encoding,
        format=file_format,
        strict=strict,
        date_order=date_order,
        profile=None if profile is None else load_profile(profile),
    )
    # What is misspelt is told before the heavy parts are loaded.
    find_origins([path for path in paths if path != "-"], forced=file_format)
    load_encoder(encoder)

    from newsnest.nest import Nest, plural
    from newsnest.pipeline import Options, build

    usual = Options()
    options = Options(
        encoder=encoder,
        long_texts=long_texts,  # type: ignore[arg-type]
        backend=backend,  # type: ignore[arg-type]
        order=order,  # type: ignore[arg-type]
        exact=exact,
        min_similarity=min_similarity,
        time_scale=time_scale,
        time_weight=time_weight,
        centre=centre,  # type: ignore[arg-type]
        clusterer=clusterer,
        reduce=reduce,  # type: ignore[arg-type]
        dims=dims,
        keyword_terms=keyword_terms or usual.keyword_terms,
        keyword_characters=keyword_characters or usual.keyword_characters,
        keep_copies=keep_copies,
        read=read,
    )
    with ExitStack() as stack:
        stack.enter_context(going_on(kept_in(output)))
        files = spooled(paths, stack)
        with Nest(output, create=True) as nest, progress_for(quiet) as progress:
            built = build(files, nest, options, progress=progress)
            notices = nest.notices(built.run.corpus)
            first_rejected = nest.rejected(built.run.corpus, limit=1)
    if not built.new:
        click.echo(f"{output} holds this run already (run {built.run.id}); nothing to do.")
        return
    facts = built.run.facts
    if not quiet:
        _tell(notices, first_rejected, facts["rejected"], output)
        click.echo(took(built.run), err=True)
    counts = {level["name"]: facts["clusters"][level["name"]] for level in facts["levels"]}
    click.echo(
        f"{output}: run {built.run.id}, "
        f"{facts['articles']:,} {plural('article', facts['articles'])}, "
        f"{facts['independent']:,} independent, {facts['rejected']:,} "
        f"{plural('row', facts['rejected'])} set aside"
    )
    click.echo(", ".join(f"{count:,} {plural(level, count)}" for level, count in counts.items()))
    click.echo(f"See it: newsnest show {output}, or newsnest report {output} -o report.html")


def _tell(
    notices: list[tuple[str, str]], first_rejected: list[Rejected], rejected: int, output: Path
) -> None:
    """Say on stderr what was noticed while reading."""
    from newsnest.nest import plural

    for file, message in notices:
        click.echo(f"{file}: {message}", err=True)
    for first in first_rejected:
        click.echo(
            f"{rejected:,} {plural('row', rejected)} set aside, the first at "
            f"{first.file}:{first.line}: {first.reason} (all of them: newsnest show {output} "
            "--rejected)",
            err=True,
        )
