"""Settings of the recipe `clusterbert`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from newsnest.errors import ParameterError
from newsnest.train.recipes.tsdae.settings import DenoisingSettings
from newsnest.train.settings import setting


@dataclass(frozen=True, kw_only=True)
class ClusterbertSettings(DenoisingSettings):
    """Settings of the recipe `clusterbert`; `describe_settings` says what each means.

    Raises
    ------
    ParameterError
        If a setting is outside of its domain, `k` is no number and not "auto", or `k_min` is
        above `k_max`.
    """

    # Targets
    k: str = setting("auto", "how many clusters; auto: chosen between k_min and k_max", flag="-k")
    k_min: int = setting(2, "least clusters of k-means that k=auto chooses", least=2)
    k_max: int = setting(
        200, "most clusters of k-means that k=auto chooses, of five texts each at least", least=2
    )
    targets: Literal["auto", "kmeans", "rac"] = setting(
        "auto", "what clusters are learned from; auto: the more stable", flag="--targets"
    )
    # Stages
    adaptation_epochs: int = setting(2, "of domain adaptation; 0: none", least=0)
    clusterings: int = setting(2, "times the texts are clustered anew", least=1)
    clustering_epochs: int = setting(2, "of each clustering", least=1)
    hardening_epochs: int = setting(2, "of hardening; 0: none", least=0)
    clustering_weight: float = setting(
        0.8, "of the clusters against the reconstruction", least=0, most=1
    )
    hardening_weight: float = setting(0.75, "the same, in hardening", least=0, most=1)

    def __post_init__(self) -> None:
        """Check what no single field can tell."""
        super().__post_init__()
        told = str(self.k).strip().lower()
        object.__setattr__(self, "k", told)
        if told != "auto" and not (told.isdecimal() and int(told) >= 2):
            raise ParameterError(
                f"k must be a whole number of at least 2 or auto, got {self.k!r}. Correct it."
            )
        if self.k_min > self.k_max:
            raise ParameterError(
                f"k_min must be at most k_max, {self.k_max}, got {self.k_min}. Lower it."
            )
        usual = (type(self).k_min, type(self).k_max)
        if self.targets == "rac" and (self.k_min, self.k_max) != usual:
            raise ParameterError(
                f"k_min and k_max must be left alone with targets=rac, got {self.k_min} and "
                f"{self.k_max}: stories are cut where they last longest. Say k, or leave them out."
            )

    @property
    def clusters(self) -> int | None:
        """How many clusters are asked for; None: they are chosen."""
        return None if self.k == "auto" else int(self.k)
