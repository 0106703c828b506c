"""What newsnest.json says of a model's levels and data, and what a run makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from newsnest.corpus import digest
from newsnest.embed.weights import file_sha256, settings_digest

if TYPE_CHECKING:
    from newsnest.cluster.calibration import Rule


@dataclass(frozen=True, slots=True)
class ModelLevels:
    """The levels of a model: dimensions and calibrated similarities by name.

    Parameters
    ----------
    dims
        Leading dimensions of each level; a level that is missing sees its usual share.
    undated
        min_similarity of the levels that were calibrated, by text alone.
    dated
        Text similarity that two articles of the same moment need at the default time weight, of
        the levels for which it was calibrated.
    rotate
        Whether vectors are turned to the principal axes of the corpus: not where a model was
        trained to nest, for its leading dimensions mean something already.
    """

    dims: Mapping[str, int]
    undated: Mapping[str, float]
    dated: Mapping[str, float]
    rotate: bool

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> ModelLevels:
        """Read them from newsnest.json, {} where there is none."""
        levels = metadata.get("levels", [])
        known = {
            key: {level["name"]: level[key] for level in levels if level.get(key) is not None}
            for key in ("dims", "min_similarity", "dated")
        }
        return cls(
            known["dims"],
            known["min_similarity"],
            known["dated"],
            rotate=metadata.get("rotate", not levels),
        )

    def digest(self) -> str:
        """Return a digest: runs at other levels or similarities are other runs."""
        said = [dict(self.dims), dict(self.undated), dict(self.dated), self.rotate]
        return settings_digest({"levels": said})

    def rule(self, level: str, encoder: str) -> Rule:
        """Return the calibrated similarities of a level as a rule that says the same of any corpus.

        Where no dated one was calibrated, the undated one is moved by as much as dates move the
        default rule of the encoder.
        """
        from newsnest.cluster.calibration import rule_for

        default = rule_for(level, encoder)
        undated, dated = self.undated[level], self.dated.get(level)
        if dated is None and default.dated is not None:
            step = default.dated - default.apply(default.usual)
            dated = max(-1.0, min(1.0, undated + step))
        return replace(
            default, base=undated, deviation=0.0, tail=0.0, nearest=0.0, lasting=0.0, dated=dated
        )

    def similarities(
        self, encoder: str, weight: float, times: NDArray[np.float64], scale: float
    ) -> dict[str, float]:
        """Return the min_similarity of every calibrated level for a corpus.

        Parameters
        ----------
        encoder
            As given on the command line; its default rule says how far dates move a similarity.
        weight
            Of the time view of the story level, 0 where there is none.
        times
            float64 (n,), seconds, NaN where unknown.
        scale
            Of the time view, seconds.
        """
        from newsnest.cluster.calibration import tell_apart, time_share

        found = dict(self.undated)
        if weight > 0.0 and "story" in found:
            share = time_share(weight, tell_apart(times, scale))
            found["story"] = self.rule("story", encoder).with_time(found["story"], weight, share)
        return found


def was_trained_on(metadata: Mapping[str, Any], file: Path) -> bool:
    """Tell whether newsnest.json says that a model was trained on this very file or folder.

    Parameters
    ----------
    metadata
        Of newsnest.json, {} where there is none.
    file
        Need not exist.
    """
    seen = {data.get(key) for data in metadata.get("data", []) for key in ("sha256", "digest")}
    if not seen or not file.exists():
        return False
    # Recipes that read articles say the digest, others the SHA-256.
    return digest([file]) in seen or (file.is_file() and file_sha256(file.resolve()) in seen)
