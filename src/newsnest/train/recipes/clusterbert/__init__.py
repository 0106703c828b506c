"""The recipe `clusterbert`: adapt an encoder to texts without labels, so that they cluster."""

from dataclasses import dataclass
from typing import Literal

from newsnest.errors import ParameterError
from newsnest.train.recipe import Recipe
from newsnest.train.recipes.tsdae import DenoisingSettings
from newsnest.train.settings import setting

__all__ = ["CLUSTERBERT", "ClusterbertSettings"]


@dataclass(frozen=True, kw_only=True)
class ClusterbertSettings(DenoisingSettings):
    """Settings of the recipe `clusterbert`; `describe_settings` explains each.

    Raises
    ------
    ParameterError
        If a setting is outside of its domain, `k` is no number and not "auto", or `k_min` is
        above `k_max`.
    """

    # Targets
    k: str = setting("auto", "number of clusters; auto: chosen between k_min and k_max", flag="-k")
    k_min: int = setting(2, "minimum number of k-means clusters with k=auto", minimum=2)
    k_max: int = setting(
        200,
        "maximum number of k-means clusters with k=auto, of at least five texts each",
        minimum=2,
    )
    targets: Literal["auto", "kmeans", "rac"] = setting(
        "auto", "clustering to learn from; auto: the more stable one", flag="--targets"
    )
    # Stages
    adaptation_epochs: int = setting(2, "epochs of domain adaptation; 0: none", minimum=0)
    clusterings: int = setting(2, "number of times the texts are clustered anew", minimum=1)
    clustering_epochs: int = setting(2, "epochs per clustering", minimum=1)
    hardening_epochs: int = setting(2, "epochs of hardening; 0: none", minimum=0)
    clustering_weight: float = setting(
        0.8, "weight of the clustering loss against reconstruction", minimum=0, maximum=1
    )
    hardening_weight: float = setting(
        0.75, "the same weight during hardening", minimum=0, maximum=1
    )

    def __post_init__(self) -> None:
        """Check settings against each other."""
        super().__post_init__()
        text = str(self.k).strip().lower()
        object.__setattr__(self, "k", text)
        if text != "auto" and not (text.isdecimal() and int(text) >= 2):
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
                f"{self.k_max}: stories are cut where they last longest. Give k, or leave them out."
            )

    @property
    def clusters(self) -> int | None:
        """How many clusters are asked for; None: they are chosen."""
        return None if self.k == "auto" else int(self.k)


CLUSTERBERT = Recipe(
    name="clusterbert",
    summary="an encoder tuned to cluster the texts at hand, without labels",
    settings=ClusterbertSettings,
    work="newsnest.train.recipes.clusterbert.save:run_clusterbert",
    about="""Three stages, each starting from the weights of the previous one. Adaptation deletes
words of a text and restores the text from its vector alone. Clustering also trains the encoder and
a linear head to predict the clusters of the texts, which are clustered again a few times. Hardening
trains both on the head's own sharpened predictions. No stage uses labels.

After each stage an unsupervised test on held-out texts compares it with the stage before; where it
is no better, the earlier weights are kept and the run says so. Scores against gold labels (--data
FILE,gold=FIELD) are reported beside it and decide nothing.

Source: ClusterBERT, "Multi-Stage Fine-Tuning of Transformers for Deep Text Clustering"
(anonymous submission). Differences are listed in newsnest.train.recipes.clusterbert.train.""",
)
