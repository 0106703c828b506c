"""What a finished run found and a new one of the same articles need not find again."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest.cluster import Merges, StoryCutter, StoryTree
from newsnest.errors import NestError
from newsnest.nest import KeptTree, Nest, Run
from newsnest.pipeline.house_phrases import boilerplate_of
from newsnest.pipeline.model_levels import ModelLevels
from newsnest.progress import SILENT, Progress
from newsnest.types import Article, Grain, Vectors


class KeptVectors:
    """The encoder of a finished run, as far as its nest keeps vectors: it encodes nothing.

    An `Encoder` for `encode_cached`; loads no weights.
    """

    def __init__(self, run: Run) -> None:
        facts = run.facts
        self.name = str(run.options["encoder"])
        self.fingerprint, self.dimensions = str(facts["encoder"]), int(facts["dimensions"])
        self.backend = facts.get("backend", "")
        self._run, self._cut = run.id, int(facts["cut"])

    def prepare(self, texts: Sequence[str], *, progress: Progress = SILENT) -> None:
        """Do nothing: it was prepared for the run."""

    def encode(self, texts: Sequence[str], *, progress: Progress = SILENT) -> Vectors:
        """Raise NestError: what is asked for here is not in the nest."""
        raise NestError(
            f"recut: the nest must hold the vectors of run {self._run}, got none of {len(texts):,} "
            "texts. Run newsnest cluster with the same files and options, and --grain."
        )

    def count_cut(self, texts: Sequence[str]) -> int:
        """Return what the run counted."""
        return self._cut


class EarlierRun:
    """A finished run of an open nest; another of the same articles takes all but its cut from it.

    Parameters
    ----------
    nest, run
        Where it is.
    tree
        That of the run.
    grain
        Of the new cut.
    """

    def __init__(self, nest: Nest, run: Run, tree: KeptTree, grain: Grain) -> None:
        self._run, self._tree, self._grain = run, tree, grain
        members = list(nest.members(run=run))
        self.articles = [member.article for member in members]
        place = {article.id: row for row, article in enumerate(self.articles)}
        self.original: NDArray[np.int64] = np.array(
            [place[member.copy_of or member.article.id] for member in members], np.int64
        )

    @property
    def encoder(self) -> KeptVectors:
        """Gives the vectors of the run, if they are looked up first."""
        return KeptVectors(self._run)

    @property
    def model(self) -> ModelLevels:
        """The levels of the run's encoder."""
        return ModelLevels.of_facts(self._run.facts)

    @property
    def boilerplate(self) -> Mapping[str, Any]:
        """The facts of the run on what was taken out of texts, none if nothing was looked for."""
        return {name: self._run.facts[name] for name in ("boilerplate",) if name in self._run.facts}

    def without_boilerplate(self) -> list[Article]:
        """Return the articles less what was taken out of them for the run."""
        found = boilerplate_of(self._run.facts)
        return [found.strip(article) for article in self.articles]

    @property
    def sections(self) -> NDArray[np.float64]:
        """How probable each section is for each independent text, (m, 17)."""
        return self._tree.sections.astype(np.float64)

    def stories(self, weights: NDArray[np.float64]) -> StoryCutter:
        """Return what cuts the tree of the run; `weights` are those of its m independent texts."""
        kept = self._tree
        alone = np.arange(len(weights), dtype=np.int32)
        linked = Merges(kept.pairs, kept.similarity.astype(np.float64), alone, kept.exact)
        odds, likeness = kept.log_odds.astype(np.float64), kept.likeness.astype(np.float64)
        tree = StoryTree(linked, weights, odds, likeness)
        sharing = float(self._run.facts["stories"]["expected"])
        return StoryCutter.again(tree, sharing, grain=self._grain)
