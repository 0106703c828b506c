"""What a level looks at: text dimensions, and time and sections as further dimensions.

Any similarity that is a weighted sum of inner products can be written as one inner product of
concatenated blocks, each scaled by the root of its weight. So average linkage over text and time is
average linkage over longer vectors, and the engine need not know.
"""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from newsnest.cluster.rows import unit_in_place
from newsnest.errors import ParameterError
from newsnest.types import Floats, Ints, Labels, Level, Vectors

TIME_DIMS = 64
_ROWS = 8192  # rows transformed at a time
_SHRINK = 50.0  # a corpus of so many texts is centred by half of its mean
_MIN_DISTANCE = 1e-3  # a row closer to the mean than this has no direction of its own


@dataclass(frozen=True, slots=True)
class Frame:
    """How text vectors are centred and rotated; stored, so that later articles are treated alike.

    Parameters
    ----------
    means
        float32 (g, d): what is subtracted from the rows of each group before they are scaled to
        unit length.
    rotation
        float32 (d, d), orthogonal; the leading dimensions carry the most variance.
    """

    means: Vectors
    rotation: Vectors

    def apply(self, rows: Vectors, groups: Labels | None = None) -> Vectors:
        """Return the rows centred, rotated and scaled to unit length, float32 (n, d).

        A row that hardly differs from its mean keeps the direction it had.

        Parameters
        ----------
        rows
            float32 (n, d), unit vectors of the encoder the frame was fitted on.
        groups
            int32 (n,), as in `fit_frame`; None: all of group 0.
        """
        out = np.empty_like(rows)
        groups = np.zeros(len(rows), np.int32) if groups is None else groups
        with threadpool_limits(1, "blas"):  # the same bits for any number of threads
            for start in range(0, len(rows), _ROWS):
                part = rows[start : start + _ROWS]
                moved = part - self.means[groups[start : start + _ROWS]]
                lost = np.einsum("ij,ij->i", moved, moved) < _MIN_DISTANCE**2
                moved[lost] = part[lost]
                out[start : start + _ROWS] = moved @ self.rotation
        return unit_in_place(out)


def fit_frame(
    rows: Vectors,
    weights: Floats | None = None,
    *,
    groups: Labels | None = None,
    n_groups: int | None = None,
    rotate: bool = True,
) -> Frame:
    """Fit the frame of a corpus.

    Centring on the mean of all rows makes similarities comparable between corpora. Centring each
    language on its own mean also removes the language from the vectors: reports of one event in two
    languages come closer, and clusters no longer follow language.

    Parameters
    ----------
    rows
        float32 (n, d), unit vectors of an encoder.
    weights
        float64 (n,), how many articles each row stands for; None means one each.
    groups
        int32 (n,), 0 … g − 1: the rows that are centred together, such as the articles of one
        language. None: all of them.
    n_groups
        How many, g; None: one more than the highest of `groups`. A group without rows gets the mean
        of the corpus: that of rows of a group still unknown.
    rotate
        Rotate to principal axes, so that leading dimensions carry the most variance. Leave it off
        for encoders trained to nest, whose leading dimensions are meaningful already.

    Notes
    -----
    The mean of few texts is mostly their common subject, so it is shrunk: by n / (n + 50) for the
    corpus, and a group's distance from it by n_g / (n_g + 50).
    Cost: n·d² multiply-adds. Deterministic for any number of threads.
    """
    from scipy.linalg import eigh

    n, d = rows.shape
    weights = np.ones(n) if weights is None else weights
    groups = np.zeros(n, np.int32) if groups is None else groups
    counts = np.bincount(groups, minlength=n_groups or 0)
    means = _shrunk_means(rows, weights, groups, counts).astype(np.float32)
    rotation = np.eye(d)
    if rotate:
        square = np.zeros((d, d))
        with threadpool_limits(1, "blas"):
            for start in range(0, n, _ROWS):
                own = groups[start : start + _ROWS]
                part = (rows[start : start + _ROWS] - means[own]).astype(np.float64)
                square += part.T @ (part * weights[start : start + _ROWS, None])
            # eigh gives the smallest eigenvalue first.
            rotation = eigh(square)[1][:, ::-1]
        # An axis and its opposite are equally good: the largest entry is made positive.
        rotation = rotation * np.sign(rotation[np.abs(rotation).argmax(axis=0), np.arange(d)])
    return Frame(means, np.ascontiguousarray(rotation, dtype=np.float32))


def _shrunk_means(rows: Vectors, weights: Floats, groups: Labels, counts: Ints) -> Floats:
    """Return the mean of every group, shrunk to the corpus mean, and that to zero, (g, d)."""
    totals = np.zeros((len(counts), rows.shape[1]))
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS] * weights[start : start + _ROWS, None]
        np.add.at(totals, groups[start : start + _ROWS], part)
    weight = np.bincount(groups, weights, minlength=len(counts))
    corpus = totals.sum(axis=0) / weight.sum()
    # A group without rows has trust 0, so that any number but NaN will do here.
    own = totals / np.where(weight == 0, 1.0, weight)[:, None]
    trust = (counts / (counts + _SHRINK))[:, None]
    general = corpus * (len(rows) / (len(rows) + _SHRINK))
    return np.asarray(general + trust * (own - corpus))


def level_vectors(
    text: Vectors,
    level: Level,
    *,
    times: Floats | None = None,
    time_scale: float = 86_400.0,
    sections: Floats | None = None,
) -> Vectors:
    """Return the unit vectors a level clusters, float32 (n, dims), + 64 for time, + s for sections.

    Parameters
    ----------
    text
        float32 (n, d), in the corpus frame.
    level
        Its dims and time_weight.
    times
        float64 (n,), seconds; NaN where unknown. None: nobody has a date.
    time_scale
        Standard deviation τ of the Gaussian kernel, seconds.
    sections
        float64 (n, s), how probable each section is for each row. None: nobody has a section.

    Raises
    ------
    ParameterError
        If dims is outside 1 … d, or a weight outside [0, 1).

    Notes
    -----
    Articles with a date compare by (1 − w)·cosine + w·exp(−Δt²/2τ²). An article without a date
    keeps its full text vector and a zero time view. Sections come last, see `with_sections`.
    """
    d = text.shape[1]
    dims = d if level.dims is None else level.dims
    if not 1 <= dims <= d:
        raise ParameterError(f"Level {level.name}: dims must be in 1 … {d}, got {dims}. Use None.")
    for name, weight in (("time", level.time_weight), ("section", level.section_weight)):
        if not 0.0 <= weight < 1.0:
            raise ParameterError(
                f"Level {level.name}: {name}_weight must be in [0, 1), got {weight}."
            )
    rows = _text_and_time(text, level, dims, times, time_scale)
    if level.section_weight == 0.0 or sections is None:
        return rows
    return with_sections(rows, sections, level.section_weight)


def _text_and_time(
    text: Vectors, level: Level, dims: int, times: Floats | None, time_scale: float
) -> Vectors:
    n, d = text.shape
    whole = dims == d
    short = np.ascontiguousarray(text) if whole else unit_in_place(text[:, :dims].copy())
    if level.time_weight == 0.0 or times is None:
        return short
    dated = ~np.isnan(times)
    out = np.zeros((n, dims + TIME_DIMS), np.float32)
    out[:, :dims] = short * np.where(dated, np.sqrt(1.0 - level.time_weight), 1.0)[:, None]
    if dated.any():
        out[dated, dims:] = np.sqrt(level.time_weight) * time_view(times[dated], time_scale)
    return out


def time_view(times: Floats, scale: float) -> Vectors:
    """Return unit vectors whose inner product is close to exp(−Δt²/2τ²), float32 (n, 64).

    Times, float64 (n,), and `scale`, τ, are seconds, finite; ParameterError if τ is not positive.
    32 cosines and 32 sines of frequencies q/τ, q the quantiles of the half-normal distribution at
    (i + ½)/32: a frequency and its negative give the same product, so only positive ones are kept.
    """
    from scipy.special import ndtri

    if not scale > 0:
        raise ParameterError(f"time_view: scale must be positive, got {scale}. It is in seconds.")
    half = TIME_DIMS // 2
    frequencies = ndtri(0.5 + (np.arange(half) + 0.5) / (2 * half)) / scale
    # Relative to the middle of the corpus: large absolute times would cost digits.
    angles = (times - (times.min() + times.max()) / 2)[:, None] * frequencies
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32) / np.float32(
        np.sqrt(half)
    )


def with_sections(rows: Vectors, sections: Floats, weight: float) -> Vectors:
    """Return unit rows with their sections as further dimensions, float32 (n, d + s).

    The product of the roots of two distributions tells how alike they are (Bhattacharyya 1943). The
    mean of all rows is taken off: an article whose section nobody can tell is near that mean, so
    that it is compared by its text, and one in a rare section stands out.
    """
    view = np.sqrt(sections)
    view -= view.mean(axis=0)
    return unit_in_place(
        np.concatenate(
            [rows * np.float32(np.sqrt(1.0 - weight)), np.sqrt(weight) * view],
            axis=1,
            dtype=np.float32,
        )
    )
