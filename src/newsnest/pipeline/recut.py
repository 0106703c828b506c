"""The stories of a finished run cut anew, and topics and themes over them."""

from dataclasses import fields
from typing import Any

from newsnest.describe import Describer
from newsnest.errors import NestError
from newsnest.nest import KeptTree, Nest, Run
from newsnest.options import Options
from newsnest.pipeline.build import (
    Built,
    describer_name,
    find_describer,
    finish,
    keyword_describer,
    start,
    versions_of,
)
from newsnest.progress import SILENT, Progress
from newsnest.types import Grain


def recut(
    nest: Nest,
    grain: Grain,
    *,
    run: Run | None = None,
    describer: Describer | str | None = None,
    progress: Progress = SILENT,
) -> Built:
    """Cut the stories of a run finer or coarser, in a new run of the same articles.

    The new run is the one that `build` makes of the same input and options with this grain: labels,
    names and numbers are equal bit for bit. But nothing is read, encoded or linked again, for the
    nest keeps the tree that stories were cut from.

    Parameters
    ----------
    nest
        An open nest.
    grain
        As in `Options`.
    run
        The run; None means the newest finished one.
    describer
        That of the run, if it is not the default one.
    progress
        Reports every step.

    Returns
    -------
    Built
        A run of this grain that is finished already is found, and no work is done.

    Raises
    ------
    NestError
        If the run is not finished, keeps no tree, was made by other versions, had another
        describer, or its vectors are not in the nest.
    ParameterError
        If there is no such grain.

    Notes
    -----
    Kept in one transaction: after a kill the same call ends with the same result.

    Example
    -------
    >>> from newsnest.corpus.sample import sample_path
    >>> from newsnest.pipeline import build
    >>> with Nest(":memory:", create=True) as nest:
    ...     first = build(sample_path(), nest, Options(encoder="tfidf")).run
    ...     coarser = recut(nest, "coarser").run
    >>> coarser.facts["clusters"]["story"] < first.facts["clusters"]["story"]
    True
    """
    base = run or nest.run()
    again = f"Run newsnest cluster with the same files and options, and --grain {grain}"
    tree = _tree(nest, base, again)
    options = _options(base, grain)
    describer = find_describer(describer)
    _check_same(base, options, describer, again)
    new = start(nest, base.batch, {**base.options, "grain": grain}, base.versions, base.inputs)
    if new.finished:
        return Built(new, new=False)
    from newsnest.pipeline.earlier import EarlierRun
    from newsnest.pipeline.walk import Walk

    earlier = EarlierRun(nest, base, tree, grain)
    walk = Walk(
        options,
        describer or keyword_describer(options),
        nest.vectors,
        progress,
        earlier=earlier,
    )
    return Built(finish(new, nest, walk), new=True)


def _options(base: Run, grain: Grain) -> Options:
    """Return the options of a run but those of reading, with another grain."""
    known = {one.name for one in fields(Options)} - {"read"}
    given: dict[str, Any] = {name: base.options[name] for name in base.options.keys() & known}
    return Options(**{**given, "grain": grain})


def _tree(nest: Nest, base: Run, again: str) -> KeptTree:
    """Return the tree of a run; an error says why there is none, and what to do."""
    tree = nest.tree(base)
    if tree is not None:
        return tree
    options = base.options
    why, instead = "was made before nests kept it", f"{again}."
    if options.get("clusterer", "rac") != "rac":
        why = f"has stories by {options['clusterer']}"
        instead = f"{again}, but without --clusterer."
    elif options.get("order") == "coarse-to-fine":
        why = "was made from coarse to fine"
        instead = f"{again}, but without --order."
    elif "story" in options.get("min_similarity", {}):
        why = "has stories that were cut at one cosine, as given"
        instead = f"{again}, but without a --min-similarity of story."
    elif base.facts["levels"][-1].get("by_evidence") is False:
        why = "has stories that were cut at the cosine its model was calibrated to"
        instead = (
            "Run newsnest cluster with the same files and options, and another --min-similarity "
            "of story."
        )
    raise NestError(
        f"recut: run must keep the tree its stories were cut from, got run {base.id}, which {why}. "
        f"{instead}"
    )


def _check_same(base: Run, options: Options, describer: Describer | None, again: str) -> None:
    """Raise where the new run would not be what `build` makes with that grain."""
    named = describer_name(describer, options)
    if named != base.options["describer"]:
        raise NestError(
            f"recut: describer must be that of run {base.id}, {base.options['describer']}, got "
            f"{named}. Give the same one, or run build again."
        )
    now = versions_of(options)
    if now != base.versions:
        changed = ", ".join(
            f"{name} {base.versions.get(name, 'none')} (now {now.get(name, 'none')})"
            for name in sorted(now.keys() | base.versions.keys())
            if now.get(name) != base.versions.get(name)
        )
        raise NestError(
            f"recut: run must be of the same versions, got run {base.id}, of {changed}. {again}."
        )
