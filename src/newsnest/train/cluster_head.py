"""The head beside a model of the recipe `clusterbert`: which cluster a vector belongs to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from newsnest.errors import EncoderError, ParameterError
from newsnest.types import Labels, Vectors

HEAD_FILE = "cluster_head.safetensors"


@dataclass(frozen=True, slots=True)
class ClusterHead:
    """A linear map of unit vectors and a softmax: soft assignment to k clusters.

    Parameters
    ----------
    weight
        float32 (k, d).
    bias
        float32 (k,).

    Example
    -------
    >>> head = ClusterHead(np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    >>> head.predict(np.array([[0.6, 0.8], [1.0, 0.0]], np.float32)).tolist()
    [1, 0]
    """

    weight: Vectors
    bias: Vectors

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read the head of a model's folder; neither torch nor pickle has a part in it.

        Raises
        ------
        EncoderError
            If the folder holds no head, or one that cannot be read.
        """
        path = Path(folder) / HEAD_FILE
        if not path.is_file():
            raise EncoderError(
                f"ClusterHead.load: {folder} must hold {HEAD_FILE}, got none. "
                "Train the model with newsnest train clusterbert."
            )
        try:
            found = load_file(path)
            return cls(found["weight"], found["bias"])
        except (SafetensorError, KeyError, OSError) as error:
            raise EncoderError(
                f"ClusterHead.load: {path} must hold the tensors weight and bias, got: {error}. "
                "Train the model again."
            ) from error

    def save(self, folder: str | Path) -> None:
        """Write the head beside a model."""
        tensors = {"weight": np.ascontiguousarray(self.weight), "bias": self.bias}
        save_file(tensors, Path(folder) / HEAD_FILE)

    def predict_proba(self, vectors: Vectors) -> Vectors:
        """Return how much each vector belongs to each cluster, float32 (n, k), rows sum to 1.

        Parameters
        ----------
        vectors
            (n, d) by the model beside the head, of any length but zero.

        Raises
        ------
        ParameterError
            If the vectors are of another width, or one is zero or not finite.
        """
        vectors = np.asarray(vectors)
        if vectors.ndim != 2 or vectors.shape[1] != self.weight.shape[1]:
            raise ParameterError(
                f"predict_proba: vectors must be of shape (n, {self.weight.shape[1]}), got "
                f"{vectors.shape}. Encode with the model beside the head."
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (good := np.isfinite(lengths) & (lengths > 0)).all():
            raise ParameterError(
                f"predict_proba: vectors must be finite and not zero, got {int((~good).sum())} "
                "that are not. Drop empty texts."
            )
        logits = (vectors / lengths) @ self.weight.T + self.bias  # (n, k)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)

    def predict(self, vectors: Vectors) -> Labels:
        """Return the likeliest cluster of each vector, int32 (n,)."""
        return np.asarray(self.predict_proba(vectors).argmax(axis=1), np.int32)
