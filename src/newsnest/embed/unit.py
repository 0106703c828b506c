"""Rows of length 1, and what a row without length becomes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsnest.errors import EncoderError
from newsnest.types import Vectors


def unit_embeddings(rows: NDArray[Any], *, encoder: str) -> Vectors:
    """Return the rows scaled to length 1, in float32.

    A row of zeros (a text without a single known word) becomes the constant row 1/√d: of length
    1, the same for all such texts, and no zero either when only leading dimensions are read.

    The rows have shape (n, d) and any real dtype; a value that is not finite raises EncoderError,
    which names the encoder.

    Examples
    --------
    >>> import numpy as np
    >>> unit_embeddings(np.array([[3.0, 4.0], [0.0, 0.0]]), encoder="mine").round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.7099999785423279, 0.7099999785423279]]
    """
    # Row by row in float64: each row's bits depend on that row alone.
    wide = rows.astype(np.float64)
    if not np.isfinite(wide).all():
        raise EncoderError(
            f"encode: vectors must be finite, got NaN or infinity from encoder {encoder!r}. "
            "Use precision float32, or check the model's weights."
        )
    lengths = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
    empty = lengths[:, 0] == 0.0
    wide[empty] = 1.0
    lengths[empty] = np.sqrt(rows.shape[1])
    unit: Vectors = (wide / lengths).astype(np.float32)
    return unit
