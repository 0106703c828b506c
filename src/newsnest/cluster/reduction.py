"""Fewer dimensions: a `Reduction` before clustering, and two for the map of stories.

none      all dimensions
pca       the leading principal axes of the centred vectors
truncate  the leading dimensions as the encoder gives them, for encoders trained to nest
umap      UMAP (extra `compare`), laid out on the sphere

Text alone is reduced: the time dimensions of a level are added afterwards and stay whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import get_args

import numpy as np
from threadpoolctl import threadpool_limits

from newsnest.cluster.calibration import SHARES
from newsnest.cluster.rows import unit_in_place
from newsnest.cluster.views import Frame, fit_frame
from newsnest.errors import ParameterError, did_you_mean
from newsnest.types import Floats, Labels, Reducer, Vectors

REDUCERS: tuple[str, ...] = get_args(Reducer)

_NEIGHBOURS = 15


@dataclass(frozen=True, slots=True)
class Reduction:
    """How vectors lose dimensions before they are clustered.

    Parameters
    ----------
    name
        "none", "pca", "truncate" or "umap"; see the module's header.
    dims
        How many dimensions are kept; None with "none", and only there.
    seed
        Of UMAP; the others draw nothing.

    Raises
    ------
    ParameterError
        If there is no such reduction, `dims` does not go with it, or UMAP is not installed.

    Example
    -------
    >>> rows = np.eye(6, dtype=np.float32)
    >>> pca = Reduction("pca", 2)
    >>> pca.apply(rows, pca.fit(rows)).shape, pca.level_dims({})
    ((6, 2), {})
    """

    name: str = "none"
    dims: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.name not in REDUCERS:
            raise ParameterError(
                f"Reduction: reduce must be one of {', '.join(REDUCERS)}, got {self.name!r}."
                f"{did_you_mean(self.name, REDUCERS)} Choose one of them."
            )
        if self.name == "none" and self.dims is not None:
            raise ParameterError(
                f"Reduction: dims must be left out without a reduction, got {self.dims}. "
                "Choose pca, truncate or umap."
            )
        if self.name != "none" and (self.dims is None or self.dims < 2):
            raise ParameterError(
                f"Reduction: dims must be at least 2 with {self.name}, got {self.dims}. "
                "Say how many dimensions to keep."
            )
        if self.name == "umap" and find_spec("umap") is None:
            raise ParameterError(
                "Reduction: the package umap-learn must be installed for umap, got none. "
                'Run pip install "newsnest[compare]".'
            )

    def check(self, texts: int, dimensions: int) -> None:
        """Raise ParameterError unless so many texts, with vectors so wide, can be reduced."""
        if self.dims is None:
            return
        if self.dims > dimensions:
            raise ParameterError(
                f"Reduction: dims must be at most {dimensions}, those of the encoder, got "
                f"{self.dims}. Keep fewer."
            )
        if self.name == "umap" and texts < self.dims + 2:
            raise ParameterError(
                f"Reduction: texts must be at least {self.dims + 2} for umap with {self.dims} "
                f"dimensions, got {texts}. Keep fewer dimensions, or choose pca."
            )

    def fit(
        self,
        rows: Vectors,
        weights: Floats | None = None,
        *,
        groups: Labels | None = None,
        n_groups: int | None = None,
        rotate: bool = True,
    ) -> Frame:
        """Return the frame of a corpus: of the cut vectors with "truncate", else of the whole ones.

        Parameters
        ----------
        rows, weights, groups, n_groups, rotate
            As in `fit_frame`; with "pca" the axes are turned whatever `rotate` says.

        Raises
        ------
        ParameterError
            As `check` does.
        """
        self.check(*rows.shape)
        turn = rotate or self.name == "pca"
        return fit_frame(self._cut(rows), weights, groups=groups, n_groups=n_groups, rotate=turn)

    def apply(self, rows: Vectors, frame: Frame, groups: Labels | None = None) -> Vectors:
        """Return unit rows in a frame that `fit` returned, reduced.

        "truncate" cuts before centring; "pca" and "umap" see centred vectors.

        Parameters
        ----------
        rows, groups
            As in `fit`.
        frame
            Fitted with the same reduction.

        Returns
        -------
        float32 (n, dims), or (n, d) with "none".

        Notes
        -----
        Deterministic, UMAP on one thread. UMAP counts every row once, whatever its weight; cosines
        in its result mean "near" or "not near", and how far apart things are is lost.
        Source: McInnes, Healy and Melville (2018), arXiv 1802.03426. Differs from what BERTopic
        does with it in that points are laid out by cosine, which is what is clustered here.
        """
        text = frame.apply(self._cut(rows), groups)
        if self.name == "pca":
            return unit_in_place(text[:, : self.dims].copy())
        return self._umap(text) if self.name == "umap" else text

    def _cut(self, rows: Vectors) -> Vectors:
        if self.name != "truncate":
            return rows
        return unit_in_place(rows[:, : self.dims].copy())

    def level_dims(self, given: Mapping[str, int]) -> dict[str, int]:
        """Return the leading dimensions of levels after the reduction.

        A level that is missing sees its usual share.

        Parameters
        ----------
        given
            Those an encoder was trained at, by level; they hold where vectors are whole or cut.
        """
        if self.dims is None:
            return dict(given)
        if self.name == "truncate":
            return {level: min(own, self.dims) for level, own in given.items()}
        # The axes of UMAP have no order: a part of them is no coarser view.
        return dict.fromkeys(SHARES, self.dims) if self.name == "umap" else {}

    def _umap(self, text: Vectors) -> Vectors:
        import umap

        with threadpool_limits(limits=1):
            found = umap.UMAP(
                n_components=self.dims,
                n_neighbors=min(_NEIGHBOURS, len(text) - 1),
                min_dist=0.0,
                metric="cosine",
                output_metric="cosine",
                random_state=self.seed,
                n_jobs=1,
            ).fit_transform(text)
        return unit_in_place(np.ascontiguousarray(found, dtype=np.float32))


def story_map(means: Vectors) -> Floats:
    """Lay vectors out in the plane by t-SNE on their cosines.

    Parameters
    ----------
    means
        float32 (n, d), not zero; a few hundred at most: cost grows with n².

    Returns
    -------
    ndarray
        float64 (n, 2). Fewer than five vectors, or those of one dimension, lie on a line, in their
        order.
    """
    n, d = means.shape
    if n < 5 or d < 2:
        return np.stack([np.arange(n, dtype=np.float64), np.zeros(n)], axis=1)
    from sklearn.manifold import TSNE

    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    with threadpool_limits(1):  # the same picture for any number of threads
        layout = TSNE(
            perplexity=min(30.0, (n - 1) / 3), init="pca", random_state=0, n_jobs=1, max_iter=500
        ).fit_transform(unit)
    return np.asarray(layout, dtype=np.float64)
