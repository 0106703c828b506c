"""Learn the rule that cuts stories from labelled stories, and say what it gains on others.

Stories are left out in five parts, those of several texts and those of one alike: a rule learnt
without a part cuts all texts, and the articles of that part are scored. What comes of it counts
every article once, by a rule that has not seen its story.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from newsnest.cluster import Evidence, JudgedCorpus, StoryRule, fit_story_rule
from newsnest.evaluate.bootstrap import Estimate, estimate, resample_weights
from newsnest.evaluate.gold_scores import GoldScores
from newsnest.progress import SILENT, Progress
from newsnest.types import Flags, Floats, Ints, Labels

_PARTS = 5
# Stories of two texts or more from which a learnt rule goes its own way. Of few stories it would be
# too lenient: among eight, nothing else is near. Chosen by benchmarks/story_calibration.py.
_ENOUGH = 8.0


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """The n texts of a corpus, as a run sees them, and the stories of its articles.

    Parameters
    ----------
    evidence
        Of the texts.
    weights
        float64 (n,): how many articles each stands for.
    item
        int64 (articles,): the text of each article.
    gold
        int64 (articles,): its story, 0 … k − 1, or −1 where it is unknown.
    """

    evidence: Evidence
    weights: Floats
    item: Ints
    gold: Ints

    @property
    def stories(self) -> Ints:
        """The story of every text, int64 (n,), −1 where unknown; of copies that of the first."""
        stories = np.full(len(self.weights), -1, np.int64)
        known = np.flatnonzero(self.gold >= 0)[::-1]
        stories[self.item[known]] = self.gold[known]
        return stories

    @property
    def texts(self) -> Ints:
        """How many texts tell each story, int64 (k,)."""
        stories = self.stories
        return np.bincount(stories[stories >= 0], minlength=int(self.gold.max()) + 1)

    def scored(self, tree: JudgedCorpus, rule: StoryRule) -> GoldScores:
        """Return how the articles' stories agree with those a rule cuts from the texts' tree."""
        return self.agreement(tree.judged_by(rule).cut().merges.labels[self.item])

    def agreement(self, labels: Ints | Labels) -> GoldScores:
        """Return how the articles' stories agree with labels, (articles,) from 0 on."""
        known = self.gold >= 0
        return GoldScores.of(labels[known], self.gold[known], int(self.gold.max()) + 1)


@dataclass(frozen=True, slots=True)
class LearntStories:
    """What was learnt, and how it did on stories that were left out; means over corpora.

    Parameters
    ----------
    rule
        Learnt on all labels; None where it is no better than the one before.
    scores
        "f1" and "pair_f1": each of every article "alone", "before", "learnt", and the "gain".
    """

    rule: StoryRule | None
    scores: Mapping[str, Mapping[str, Estimate]]

    @property
    def evidence(self) -> dict[str, Any]:
        """The scores, ready for JSON."""
        return {
            "learnt": self.rule is not None,
            **{
                name: {key: asdict(value) for key, value in own.items()}
                for name, own in self.scores.items()
            },
        }


def learn_stories(
    corpora: Sequence[LabelledTexts],
    prior: StoryRule,
    *,
    resamples: int = 1000,
    seed: int = 0,
    progress: Progress = SILENT,
) -> LearntStories:
    """Learn a rule for stories from labels, near to the prior where they are few.

    It is kept if the mean of B-cubed and pair F1 rises by it on stories left out. That it rises
    beyond chance is not asked for: the prior holds a rule from few labels back already, and what
    such rules gain is more than few labels can show. Cost: seven trees a corpus. Deterministic.
    """
    parts = [_parts_of(corpus.texts) for corpus in corpora]
    whole = [JudgedCorpus.of("", own.evidence, own.stories, own.weights) for own in corpora]
    before = [own.scored(tree, prior) for own, tree in zip(corpora, whole, strict=True)]
    learnt = list(before)
    with progress.start("learning stories", _PARTS + 1, "fits") as task:
        for part in range(_PARTS):
            rule = learnt_from(corpora, prior, [own == part for own in parts])
            for number, (own, tree) in enumerate(zip(corpora, whole, strict=True)):
                left_out = parts[number] == part
                learnt[number] = learnt[number].where(left_out, own.scored(tree, rule))
            task.advance()
        rule = learnt_from(corpora, prior)
        task.advance()
    alone = [own.agreement(np.arange(len(own.gold))) for own in corpora]
    curves = _curves([alone, before, learnt], resamples, seed)
    better = np.mean([curve[0, 2] - curve[0, 1] for curve in curves.values()]) > 0.0
    return LearntStories(rule if better else None, {n: _told(own) for n, own in curves.items()})


def learnt_from(
    corpora: Sequence[LabelledTexts], prior: StoryRule, left_out: Sequence[Flags] | None = None
) -> StoryRule:
    """Return the rule learnt from labels, perhaps without some stories, bool (k,) a corpus.

    It is the prior where nothing can be learnt: no story has two texts.
    """
    judged, enough = [], 0
    for number, own in enumerate(corpora):
        stories, kept = own.stories, np.ones(len(own.texts), np.bool_)
        if left_out is not None:
            kept &= ~left_out[number]
        rows = np.flatnonzero((stories >= 0) & kept[stories])
        if len(rows) < 2:
            continue
        enough += int((own.texts[kept] > 1).sum())
        evidence = own.evidence.among(rows)
        judged.append(JudgedCorpus.of(str(number), evidence, stories[rows], own.weights[rows]))
    if not enough:
        return prior
    return fit_story_rule(judged, prior=prior, ridge=(_ENOUGH / enough) ** 2)


def _parts_of(texts: Ints) -> Ints:
    """Return the part each story is left out with, int64 (k,), of how many texts tell each."""
    rng = np.random.default_rng(0)
    part = np.empty(len(texts), np.int64)
    for stories in (np.flatnonzero(texts > 1), np.flatnonzero(texts <= 1)):
        part[rng.permutation(stories)] = np.arange(len(stories)) % _PARTS
    return part


def _curves(
    systems: Sequence[Sequence[GoldScores]], resamples: int, seed: int
) -> dict[str, Floats]:
    """Return both scores of every system, float64 (resamples + 1, systems), means over corpora."""
    found: dict[str, list[Floats]] = {"f1": [], "pair_f1": []}
    for number, scores in enumerate(zip(*systems, strict=True)):
        stories = np.arange(len(scores[0].sizes))
        drawn = resample_weights(stories, resamples=resamples, seed=seed + number)
        found["f1"].append(np.column_stack([own.bcubed_f1(drawn) for own in scores]))
        found["pair_f1"].append(np.column_stack([own.pair_f1(drawn) for own in scores]))
    return {name: np.mean(own, axis=0) for name, own in found.items()}


def _told(curve: Floats) -> dict[str, Estimate]:
    columns = [*curve.T, curve[:, 2] - curve[:, 1]]
    names = ("alone", "before", "learnt", "gain")
    told = dict(zip(names, map(estimate, columns), strict=True))
    return {name: own for name, own in told.items() if own is not None}
