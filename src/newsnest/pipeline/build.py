"""From articles to a finished run in a nest, reusing what the nest holds already.

Every step is one transaction, so the same call resumes after a kill and ends with the same result.
What only a new run needs is imported only then: a finished nest answers at once.
"""

import hashlib
import json
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import newsnest
from newsnest.corpus import Notice, settle_languages, tell_strays
from newsnest.describe import Describer
from newsnest.embed import AUTO, KNOWN, EncoderConfig, ModelRecord, load_encoder, weights
from newsnest.errors import InputError, NewsnestError, ParameterError
from newsnest.nest import Nest, Run, plural
from newsnest.options import Options
from newsnest.pipeline.auto_encoder import with_encoder
from newsnest.pipeline.source import Input, Source, find_input, reading
from newsnest.progress import SILENT, Progress

if TYPE_CHECKING:
    from newsnest.pipeline.walk import Walk

_SHAPING = ("numpy", "scipy", "scikit-learn", "numba", "sentence-transformers", "torch",
            "model2vec", "rensa", "stopwordsiso", "py3langid")  # fmt: skip
_NAMED = 3  # inputs in an error


@dataclass(frozen=True, slots=True)
class Built:
    """The run, and whether this call made it or found it finished."""

    run: Run
    new: bool


def build(
    source: Source,
    nest: Nest | str | Path,
    options: Options = Options(),  # noqa: B008 (frozen)
    *,
    describer: Describer | str | None = None,
    progress: Progress = SILENT,
) -> Built:
    """Read articles, cluster and describe them, and keep the result in a nest.

    Parameters
    ----------
    source
        A path or several, of files and directories (see `newsnest.corpus.read_articles`); or
        Articles, in any order, with different ids.
    nest
        An open nest, or the path of one, which is created if needed and closed afterwards.
    options
        Everything that shapes the result.
    describer
        Names the clusters: a `Describer` or the name of one; None takes names from keywords.
    progress
        Reports every step.

    Returns
    -------
    Built
        The same input, options and versions return the finished run and do no work.

    Raises
    ------
    InputError
        If a file cannot be read, or no article was found.
    ParameterError
        If `source` is neither, such as a DataFrame, or `nest` is no nest.
    EncoderError, NestError
        As the parts raise them.

    Example
    -------
    >>> from tempfile import TemporaryDirectory
    >>> from newsnest.corpus.sample import sample_path
    >>> with TemporaryDirectory() as folder:
    ...     built = build(sample_path(), Path(folder, "a.nest"), Options(encoder="tfidf"))
    >>> built.new, built.run.facts["articles"]
    (True, 498)
    """
    if not isinstance(nest, Nest | str | Path):
        raise ParameterError(
            f"build: nest must be a Nest or a path, got {type(nest).__name__}. Name a file."
        )
    # Fails on a misspelt encoder, or int8 on a processor without it, before a large input is read;
    # loads no weights.
    config = EncoderConfig(long_texts=options.long_texts, backend=options.backend)
    load_encoder("minilm" if options.encoder == AUTO else options.encoder, config=config)
    describer = find_describer(describer)
    given = find_input(source, options.read)
    with nullcontext(nest) if isinstance(nest, Nest) else Nest(nest, create=True) as opened:
        started = time.perf_counter()
        batch = _read(given, opened, options, progress)
        seconds = time.perf_counter() - started
        if options.encoder == AUTO:
            options = with_encoder(options, opened.store.count_languages(batch), progress)
        # Before the work, so that a run which is killed stands in the nest as unfinished.
        run = _start(given, batch, opened, options, describer)
        if run.finished:
            return Built(run, new=False)
        from newsnest.pipeline.walk import Walk

        walk = Walk(options, describer or keyword_describer(options), opened.vectors, progress)
        walk.facts["seconds"]["read"] = seconds
        return Built(finish(run, opened, walk), new=True)


def find_describer(describer: Describer | str | None) -> Describer | None:
    """Return a describer that is given by its name; raises ParameterError if it is none."""
    if isinstance(describer, str):
        from newsnest.describe import load_describer

        return load_describer(describer)
    if describer is not None and not hasattr(describer, "fingerprint"):
        raise ParameterError(
            "build: describer must be a Describer or the name of one, got "
            f"{type(describer).__name__}. Make one by load_describer."
        )
    return describer


def keyword_describer(options: Options) -> Describer:
    """Return the default describer of a run with these options."""
    from newsnest.describe import KeywordDescriber

    return KeywordDescriber(
        max_terms=options.keyword_terms, max_characters=options.keyword_characters
    )


def _read(given: Input, nest: Nest, options: Options, progress: Progress) -> int:
    """Return the batch of an input, read now unless the nest has it."""
    batch = nest.store.find_batch(given.digest, given.options)
    if batch is not None:
        return batch
    items = tell_strays(given.items(progress), ", ".join(given.names[:_NAMED]))
    if options.read.detect_language:
        items = settle_languages(items, progress=progress)
    kept = ((one.file, one.message) if isinstance(one, Notice) else one for one in items)
    return nest.store.add_batch(given.digest, given.options, kept, inputs=given.names)


def _start(
    given: Input, batch: int, nest: Nest, options: Options, describer: Describer | None
) -> Run:
    """Return the run of a batch, these options and these versions, started now if it is new."""
    named = describer_name(describer, options)
    chosen = {**asdict(options), "read": reading(options.read), "describer": named}
    return start(nest, batch, chosen, versions_of(options), given.names)


def describer_name(describer: Describer | None, options: Options) -> str:
    """Return how a run knows its describer."""
    if describer is None or describer.fingerprint == keyword_describer(options).fingerprint:
        return "keywords"  # the default describer: its settings are among the options
    return describer.fingerprint


def start(
    nest: Nest,
    batch: int,
    chosen: Mapping[str, Any],
    versions: Mapping[str, str],
    inputs: Sequence[str],
) -> Run:
    """Return the run of a batch with these options and versions, started now if it is new."""
    key = _key(batch, chosen, versions)
    return nest.store.start_run(key, batch, chosen, versions, inputs=inputs)


def finish(run: Run, nest: Nest, walk: "Walk") -> Run:
    """Do the work of a run and keep its result."""
    try:
        with walk.timed("read"):
            articles = walk.earlier.articles if walk.earlier else nest.store.articles(run.batch)
        rejected = nest.store.count_rejected(run.batch)
        if not articles:
            raise InputError(_why_nothing(nest, run, rejected))
        result = walk.run(articles, rejected=rejected)
    except ParameterError:
        nest.store.forget_run(run)  # the same command would not go on, but fail again
        raise
    except (NewsnestError, KeyboardInterrupt) as error:
        why = error.for_people if isinstance(error, NewsnestError) else "it was interrupted"
        nest.store.stop_run(run, why)
        raise
    nest.store.finish_run(run, result, progress=walk.progress)
    return nest.run(run.id)


def _why_nothing(nest: Nest, run: Run, rejected: int) -> str:
    """Return a sentence on what was read without yielding an article, and why."""
    names = ", ".join(run.inputs[:_NAMED]) + (", …" if len(run.inputs) > _NAMED else "")
    what = f"no article could be read from {names}"
    if not rejected:
        return f"{what}: there are no rows. Check that it is the right file."
    first = nest.rejected(run, limit=1)[0]
    return (
        f"{what}; {rejected:,} {plural('row', rejected)} set aside (the first: {first.file}:"
        f"{first.line}: {first.reason}). See them: newsnest show {nest.address} --rejected"
    )


def versions_of(options: Options) -> dict[str, str]:
    """Return the versions of everything that shapes a run, a digest of a model folder included."""
    from newsnest.cluster import calibration_digest
    from newsnest.describe.sections import media_topics_digest
    from newsnest.describe.segment import tokenizer_versions

    encoder = options.encoder
    folder = weights.expanded(encoder)
    model = {}
    if encoder not in KNOWN and folder.is_dir():
        from newsnest.pipeline.model_levels import ModelLevels

        model["model"] = weights.settings_digest(weights.folder_digests(folder))
        # Apart from the files: another min_similarity makes another run of the same vectors.
        model["levels"] = ModelLevels.of(ModelRecord.read(folder)).digest()
    return {
        **model,
        "newsnest": newsnest.__version__,
        "calibration": calibration_digest(),
        "media_topics": media_topics_digest(),
        "python": platform.python_version(),
        **{name: version(name) for name in _SHAPING},
        **tokenizer_versions(),
        **({"umap-learn": version("umap-learn")} if options.reduce == "umap" else {}),
    }


def _key(batch: int, options: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Identify a run: the same key means the same result."""
    text = json.dumps([batch, options, versions], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
