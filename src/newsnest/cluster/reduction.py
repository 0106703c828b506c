"""Fewer dimensions before clustering: none, principal axes, leading dimensions, or UMAP.

none      all dimensions
pca       the leading principal axes of the centred vectors
truncate  the leading dimensions as the encoder gives them, for encoders trained to nest
umap      UMAP (extra `compare`), laid out on the sphere

Text alone is reduced: the time dimensions of a level are added afterwards and stay whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from newsnest.cluster.calibration import SHARES
from newsnest.cluster.views import Frame, fit_frame, unit_in_place
from newsnest.errors import ParameterError, did_you_mean
from newsnest.types import Labels, Reducer, Vectors

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
    >>> frame, text = Reduction("pca", 2).fit(rows)
    >>> text.shape, Reduction("pca", 2).level_dims({})
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
        """Raise unless so many texts, with vectors so wide, can be reduced.

        Raises
        ------
        ParameterError
            If more dimensions are to be kept than there are, or UMAP has too few texts.
        """
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
        weights: NDArray[np.float64] | None = None,
        *,
        groups: Labels | None = None,
        rotate: bool = True,
    ) -> tuple[Frame, Vectors]:
        """Return the frame of a corpus, and its rows in that frame and reduced.

        "truncate" cuts before centring; "pca" and "umap" see centred vectors.

        Parameters
        ----------
        rows, weights, groups, rotate
            As in `fit_frame`; with "pca" the axes are turned whatever `rotate` says.

        Returns
        -------
        tuple
            The frame: of the cut vectors with "truncate", else of the whole ones. And the unit
            rows, float32 (n, dims), or (n, d) with "none".

        Raises
        ------
        ParameterError
            As `check` does.

        Notes
        -----
        Deterministic, UMAP on one thread. UMAP counts every row once, whatever its weight; cosines
        in its result mean "near" or "not near", and how far apart things are is lost.
        Source: McInnes, Healy and Melville (2018), arXiv 1802.03426. Differs from what BERTopic
        does with it in that points are laid out by cosine, which is what is clustered here.
        """
        self.check(*rows.shape)
        if self.name == "truncate":
            rows = unit_in_place(rows[:, : self.dims].copy())
        turn = rotate or self.name == "pca"
        frame = fit_frame(rows, weights, groups=groups, rotate=turn)
        text = frame.apply(rows, groups)
        if self.name == "pca":
            text = unit_in_place(text[:, : self.dims].copy())
        elif self.name == "umap":
            text = self._umap(text)
        return frame, text

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
