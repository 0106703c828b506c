"""From files to a finished run in a nest: what is known already is found, the rest is done.

Every step writes to the nest in one transaction, so that after a kill the same call goes on where
the last one stopped and ends with the same result.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import newsnest
from newsnest.cluster import calibration_digest
from newsnest.corpus import Notice, ReadOptions, digest, read_articles, settle_languages
from newsnest.corpus.origin import name_of
from newsnest.corpus.readers import format_of
from newsnest.describe import Describer, KeywordDescriber
from newsnest.embed import KNOWN, load_encoder
from newsnest.embed.weights import expanded, folder_digests, read_metadata, settings_digest
from newsnest.errors import InputError, NewsnestError, ParameterError
from newsnest.nest import Nest, Result, Run, plural
from newsnest.pipeline.model_levels import ModelLevels
from newsnest.pipeline.options import Options
from newsnest.pipeline.walk import Walk
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Rejected

_SHAPING = ("numpy", "scipy", "scikit-learn", "numba", "sentence-transformers", "torch",
            "model2vec", "rensa", "stopwordsiso", "py3langid")  # fmt: skip
_NAMED = 3  # inputs in an error


@dataclass(frozen=True, slots=True)
class Built:
    """What `build` did: the run, and whether it was made now or found finished."""

    run: Run
    new: bool


def build(
    paths: Sequence[str | Path],
    nest: Nest,
    options: Options = Options(),  # noqa: B008 (frozen)
    *,
    describer: Describer | None = None,
    progress: Progress = SILENT,
) -> Built:
    """Read articles, cluster and describe them, and keep the result in a nest.

    Parameters
    ----------
    paths
        Files and directories; see `newsnest.corpus.read_articles`.
    nest
        Open for writing.
    options
        Everything that shapes the result.
    describer
        Names the clusters; None means keywords.
    progress
        Told about every step.

    Returns
    -------
    Built
        The same paths, options and versions find the finished run again and do nothing.

    Raises
    ------
    InputError
        If a file cannot be read, or no article was found.
    ParameterError, EncoderError, NestError
        As the parts raise them.

    Example
    -------
    >>> from tempfile import TemporaryDirectory
    >>> from newsnest.corpus.sample import sample_path
    >>> with TemporaryDirectory() as folder, Nest(Path(folder, "a.nest"), create=True) as nest:
    ...     built = build([sample_path()], nest, Options(encoder="tfidf"))
    >>> built.new, built.run.facts["articles"]
    (True, 498)
    """
    describer = describer or keyword_describer(options)
    # A misspelt encoder is told before a large corpus is read; nothing is loaded yet.
    load_encoder(options.encoder)
    walk = Walk(options, describer, nest.vectors, progress)
    with walk.timed("read"):
        corpus = _corpus(paths, nest, options.read, progress)
    given = {**asdict(options), "read": _said(options.read), "describer": describer.name}
    versions = _versions(options)
    run = nest.start_run(
        _key(corpus, given, versions), corpus, given, versions, inputs=[*map(name_of, paths)]
    )
    if run.finished:
        return Built(run, new=False)
    try:
        result = _walked(walk, nest, run)
    except ParameterError:
        nest.forget_run(run)  # the same command would not go on, but fail again
        raise
    except (NewsnestError, KeyboardInterrupt) as error:
        said = error.for_people if isinstance(error, NewsnestError) else "it was interrupted"
        nest.stop_run(run, said)
        raise
    nest.finish_run(run, result, progress=progress)
    return Built(nest.run(run.id), new=True)


def keyword_describer(options: Options) -> KeywordDescriber:
    """Return what names the clusters of a run where nothing else does."""
    return KeywordDescriber(
        max_terms=options.keyword_terms, max_characters=options.keyword_characters
    )


def _walked(walk: Walk, nest: Nest, run: Run) -> Result:
    with walk.timed("read"):
        articles = nest.corpus_articles(run.corpus)
    rejected = nest.count_rejected(run.corpus)
    if not articles:
        raise InputError(_why_nothing(nest, run, rejected))
    return walk.run(articles, rejected=rejected)


def _why_nothing(nest: Nest, run: Run, rejected: int) -> str:
    """Say that no article was read, from what, and why."""
    names = ", ".join(run.inputs[:_NAMED]) + (", …" if len(run.inputs) > _NAMED else "")
    what = f"no article could be read from {names}"
    if not rejected:
        return f"{what}: there are no rows. Check that it is the right file."
    first = nest.rejected(run.corpus, limit=1)[0]
    return (
        f"{what}; {rejected:,} {plural('row', rejected)} set aside (the first: {first.file}:"
        f"{first.line}: {first.reason}). See them: newsnest show {nest.path} --rejected"
    )


def _corpus(
    paths: Sequence[str | Path], nest: Nest, options: ReadOptions, progress: Progress
) -> int:
    """Return the corpus of these files, read now unless the nest has it."""
    identity = digest(paths)
    # The same bytes named .txt and .jsonl are two corpora.
    kinds = [format_of(Path(path)) for path in paths] if options.format is None else []
    read = {**_said(options), "kinds": kinds}
    corpus = nest.find_corpus(identity, read)
    if corpus is None:
        items = read_articles(paths, options=options, progress=progress)
        if options.detect_language:
            items = settle_languages(items, progress=progress)
        corpus = nest.add_corpus(identity, read, _as_kept(items))
    return corpus


def _said(options: ReadOptions) -> dict[str, Any]:
    """Return how files are read, a profile by its name and the digest of its rules."""
    profile = options.profile
    said = None if profile is None else f"{profile.name} {profile.digest}"
    return {**asdict(options), "profile": said}


def _as_kept(
    items: Iterable[Article | Rejected | Notice],
) -> Iterator[Article | Rejected | tuple[str, str]]:
    for item in items:
        yield (item.file, item.message) if isinstance(item, Notice) else item


def _versions(options: Options) -> dict[str, str]:
    """Return the versions of all that shapes a run, the files of the encoder's folder included."""
    encoder = options.encoder
    folder = expanded(encoder)
    model = (
        {
            "model": settings_digest(folder_digests(folder)),
            # Apart from the files: another min_similarity makes another run of the same vectors.
            "levels": ModelLevels.of(read_metadata(folder)).digest(),
        }
        if encoder not in KNOWN and folder.is_dir()
        else {}
    )
    return {
        **model,
        "newsnest": newsnest.__version__,
        "calibration": calibration_digest(),
        "python": platform.python_version(),
        **{name: version(name) for name in _SHAPING},
        **({"umap-learn": version("umap-learn")} if options.reduce == "umap" else {}),
    }


def _key(corpus: int, options: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Identify a run: the same key means the same result."""
    text = json.dumps([corpus, options, versions], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
