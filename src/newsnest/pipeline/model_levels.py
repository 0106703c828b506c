"""The levels and training data recorded in a model's newsnest.json, as a run uses them."""

from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from newsnest.cluster import Rule, rule_for, tell_apart, time_share
from newsnest.corpus import digest
from newsnest.embed import KNOWN, ModelRecord, multilingual, weights
from newsnest.types import Floats

if TYPE_CHECKING:
    from newsnest.cluster import StoryRule

_HUB_NAMES = {weights.MINILM_HUB: "minilm", multilingual.MULTILINGUAL_HUB: "multilingual"}


@dataclass(frozen=True, slots=True)
class ModelLevels:
    """The levels of a model: dimensions and calibrated similarities by name."""

    dims: Mapping[str, int]
    """Leading dimensions of each level; a level that is missing sees its usual share."""
    undated: Mapping[str, float]
    """min_similarity of the levels that were calibrated, by text alone."""
    dated: Mapping[str, float]
    """Text similarity that two articles of the same moment need at the default time weight, of the
    levels for which it was calibrated."""
    story_rule: "StoryRule | None" = None
    """What stories are cut by; None: the committed rule, or a similarity above."""
    origin: str = ""
    """The known encoder it was trained from, whose committed rule for stories it takes; "" if none.
    """
    rotate: bool = field(default=True, kw_only=True)
    """Whether vectors are turned to the principal axes of the corpus: not where a model was trained
    to nest, for its leading dimensions mean something already."""

    @classmethod
    def of(cls, record: ModelRecord) -> Self:
        """Return the levels of a model's record."""
        levels = record.levels
        origin = _HUB_NAMES.get(record.origin, record.origin)
        learnt = None
        if record.story_rule:
            from newsnest.cluster import StoryRule  # loads the compiler

            learnt = StoryRule.of(record.story_rule)
        return cls(
            {level.name: level.dims for level in levels},
            {own.name: own.min_similarity for own in levels if own.min_similarity is not None},
            {own.name: own.dated for own in levels if own.dated is not None},
            story_rule=learnt,
            origin=origin if origin in KNOWN else "",
            rotate=not levels if record.rotate is None else record.rotate,
        )

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Return the levels of a run's encoder, from its facts."""
        if "model" not in facts:
            return cls.of(ModelRecord())
        known = dict(facts["model"])
        if known.get("story_rule"):
            from newsnest.cluster import StoryRule  # loads the compiler

            known["story_rule"] = StoryRule.of(known["story_rule"])
        return cls(**known)

    @property
    def facts(self) -> dict[str, Any]:
        """What a run keeps of them, nothing where a model says nothing of levels."""
        if self == type(self).of(ModelRecord()):
            return {}
        rule = self.story_rule.fields if self.story_rule else None
        return {"model": {**asdict(replace(self, story_rule=None)), "story_rule": rule}}

    def without(self, *levels: str) -> Self:
        """Return what is known of a model whose levels, those named, were not calibrated."""
        undated = {name: value for name, value in self.undated.items() if name not in levels}
        dated = {name: value for name, value in self.dated.items() if name not in levels}
        rule = None if "story" in levels else self.story_rule
        return replace(self, undated=undated, dated=dated, story_rule=rule)

    def digest(self) -> str:
        """Return a digest: runs at other levels or similarities are other runs."""
        content = [dict(self.dims), dict(self.undated), dict(self.dated), self.rotate, self.origin]
        if self.story_rule is not None:
            content.append(self.story_rule.fields)
        return weights.settings_digest({"levels": content})

    def stories_by(self, encoder: str) -> "StoryRule":
        """Return what stories are cut by: the model's own rule, or the committed one.

        That of the `encoder`, where it is a known one, or of the one that the model was trained
        from: of any encoder otherwise.
        """
        from newsnest.cluster import story_rule  # loads the compiler

        if self.story_rule is not None:
            return self.story_rule
        return story_rule(self.origin or _HUB_NAMES.get(encoder, encoder))

    def rule(self, level: str, encoder: str) -> Rule:
        """Return the calibrated similarities of a level as a rule that says the same of any corpus.

        Where no dated one was calibrated, the undated one is moved by as much as dates move the
        default rule of the encoder.
        """
        default = rule_for(level, encoder)
        undated, dated = self.undated[level], self.dated.get(level)
        if dated is None and default.dated is not None:
            step = default.dated - default.apply(default.usual)
            dated = max(-1.0, min(1.0, undated + step))
        return replace(
            default, base=undated, deviation=0.0, tail=0.0, nearest=0.0, lasting=0.0, dated=dated
        )

    def similarities(
        self, encoder: str, weight: float, times: Floats, scale: float
    ) -> dict[str, float]:
        """Return the min_similarity of every calibrated level for a corpus.

        `times`, float64 (n,), and the `scale` of the time view are in seconds, NaN where unknown;
        `weight` is that of the time view of the story level, 0 where there is none. The default
        rule of the `encoder` says how far dates move a similarity.
        """
        found = dict(self.undated)
        if weight > 0.0 and "story" in found:
            share = time_share(weight, tell_apart(times, scale))
            found["story"] = self.rule("story", encoder).with_time(found["story"], weight, share)
        return found


def is_among(file: Path, digests: Set[str]) -> bool:
    """Tell whether a file or folder is one a `ModelRecord` has a digest of; it need not exist."""
    if not digests or not file.exists():
        return False
    # Older records hold the SHA-256 of some files.
    return digest([file]) in digests or (
        file.is_file() and weights.file_sha256(file.resolve()) in digests
    )
