"""Places for stories on a map: near means similar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from newsnest.types import Vectors


def story_map(means: Vectors, *, seed: int = 0) -> NDArray[np.float64]:
    """Lay vectors out in the plane by t-SNE on their cosines.

    Parameters
    ----------
    means
        float32 (n, d), not zero; a few hundred at most: cost grows with n².
    seed
        Of the optimiser.

    Returns
    -------
    ndarray
        float64 (n, 2). Fewer than five vectors lie on a line, in their order.
    """
    n = len(means)
    if n < 5:
        return np.stack([np.arange(n, dtype=np.float64), np.zeros(n)], axis=1)
    from sklearn.manifold import TSNE

    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    with threadpool_limits(1):  # the same picture for any number of threads
        layout = TSNE(
            perplexity=min(30.0, (n - 1) / 3), init="pca", random_state=seed, n_jobs=1, max_iter=500
        ).fit_transform(unit)
    return np.asarray(layout, dtype=np.float64)
