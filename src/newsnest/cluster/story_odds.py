"""The learnt rule that says how likely the two sides of a merge tell one story.

Two linear rules, one for corpora in which every article stands alone and one for corpora in which
none does, are mixed by how many articles seem to share a story. Every piece of evidence counts in
one direction only, whatever the data said: more alike is never less likely. The coefficients are
data (`story_rules.json`), fitted by `benchmarks/story_rules.py`, which leaves every set out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Self

import numpy as np

from newsnest.cluster.evidence import MERGE_EVIDENCE, NEAREST_EVIDENCE
from newsnest.errors import ParameterError, did_you_mean
from newsnest.types import Floats

RULES = "story_rules.json"


@dataclass(frozen=True, slots=True)
class Linear:
    """Log-odds that are linear in evidence.

    Parameters
    ----------
    coefficients
        One for every column.
    intercept
        Log-odds where all evidence is 0.
    """

    coefficients: tuple[float, ...]
    intercept: float

    def log_odds(self, evidence: Floats) -> Floats:
        """Return log-odds, float64 (m,), of evidence, float64 (m, columns)."""
        return np.asarray(evidence @ np.array(self.coefficients) + self.intercept)

    def mixed(self, other: Self, share: float) -> Self:
        """Return this rule with a share of another, in [0, 1]."""
        own = np.array([*self.coefficients, self.intercept])
        *coefficients, intercept = (
            (1.0 - share) * own + share * np.array([*other.coefficients, other.intercept])
        ).tolist()
        return replace(self, coefficients=tuple(coefficients), intercept=intercept)

    @classmethod
    def of(cls, fields: Mapping[str, Any], columns: tuple[str, ...]) -> Self:
        """Read from JSON: a coefficient by the name of its evidence, 0 where it is not named.

        Raises ParameterError if a name is none of the columns.
        """
        named = fields["coefficients"]
        for name in named:
            if name not in columns:
                raise ParameterError(
                    f"StoryRule.of: evidence must be among {', '.join(columns)}, got {name!r}."
                    f"{did_you_mean(name, columns)} Correct or delete it."
                )
        return cls(tuple(float(named.get(name, 0.0)) for name in columns), fields["intercept"])


@dataclass(frozen=True, slots=True)
class StoryRule:
    """How likely texts share a story.

    Parameters
    ----------
    partner
        Log-odds that a text's nearest neighbour is of its story, by `NEAREST_EVIDENCE`.
    alone, together
        Log-odds that the two sides of a merge are one story, by `MERGE_EVIDENCE`: of a corpus in
        which no text has a partner, and of one in which all have.
    """

    partner: Linear
    alone: Linear
    together: Linear

    def sharing(self, nearest: Floats) -> float:
        """Return the share of texts that seem to have a partner, in [0, 1]."""
        return float(probability(self.partner.log_odds(nearest)).mean())

    def log_odds(self, merges: Floats, sharing: float) -> Floats:
        """Return the log-odds that the sides of each merge are one story, float64 (m,)."""
        alone, together = self.alone.log_odds(merges), self.together.log_odds(merges)
        return (1.0 - sharing) * alone + sharing * together

    def among(self, sharing: float) -> Self:
        """Return the rule that judges every corpus as one with this share of texts with partner."""
        return replace(
            self,
            alone=self.alone.mixed(self.together, sharing),
            together=self.alone.mixed(self.together, sharing),
        )

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Read from JSON; raises ParameterError if evidence is named that there is none of."""
        return cls(
            Linear.of(fields["partner"], NEAREST_EVIDENCE),
            Linear.of(fields["alone"], MERGE_EVIDENCE),
            Linear.of(fields["together"], MERGE_EVIDENCE),
        )

    @property
    def fields(self) -> dict[str, Any]:
        """What `of` reads."""
        parts = {
            "partner": (self.partner, NEAREST_EVIDENCE),
            "alone": (self.alone, MERGE_EVIDENCE),
            "together": (self.together, MERGE_EVIDENCE),
        }
        return {
            name: {
                "coefficients": {
                    column: value
                    for column, value in zip(columns, linear.coefficients, strict=True)
                    if value
                },
                "intercept": linear.intercept,
            }
            for name, (linear, columns) in parts.items()
        }


def probability(log_odds: Floats) -> Floats:
    """Return probabilities of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0))))


@cache
def story_rule(encoder: str = "any") -> StoryRule:
    """Return the committed rule of an encoder, or that of any other."""
    rules = json.loads(files("newsnest.cluster").joinpath(RULES).read_bytes())["rules"]
    return StoryRule.of(rules.get(encoder, rules["any"]))
