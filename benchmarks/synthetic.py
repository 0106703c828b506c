"""Synthetic text vectors: themes, topics and stories of Zipf sizes on a falling spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
_THEMES = 24
_CHUNK = 50_000


def vectors(n: int, d: int = 384, *, seed: int = 0, flat: bool = False) -> Vectors:
    """Return unit rows, float32 (n, d), around n / 10 stories.

    A story lies near its topic and a topic near its theme. Dimension k carries energy in proportion
    to 1 / (k + 8), so that some 38 dimensions count; `flat` gives all the same, the worst case for
    whatever looks at leading dimensions only.
    """
    rng = np.random.default_rng(seed)
    energy = np.ones(d) if flat else 1.0 / (np.arange(d) + 8.0)
    shape = np.sqrt(energy / energy.sum()).astype(np.float32)

    def noise(m: int) -> Vectors:
        return _unit(rng.standard_normal((m, d), dtype=np.float32) * shape)

    def near(centres: Vectors, closeness: NDArray[np.float32]) -> Vectors:
        spread = np.sqrt(1 - closeness**2)
        return _unit(closeness[:, None] * centres + spread[:, None] * noise(len(centres)))

    def sizes(count: int, offset: int, power: float) -> NDArray[np.float64]:
        share = 1.0 / (np.arange(count) + offset) ** power
        return share / share.sum()

    topics = max(2 * _THEMES, n // 300)
    stories = max(2 * topics, n // 10)
    theme_of = rng.choice(_THEMES, topics, p=sizes(_THEMES, 1, 0.7))
    topic_of = rng.choice(topics, stories, p=sizes(topics, 1, 0.8))
    story_of = rng.choice(stories, n, p=sizes(stories, 6, 0.9))
    themes = noise(_THEMES)
    topic = near(themes[theme_of], _uniform(rng, 0.70, 0.82, topics))
    story = near(topic[topic_of], _uniform(rng, 0.75, 0.88, stories))
    closeness = _uniform(rng, 0.86, 0.96, stories)
    out = np.empty((n, d), np.float32)
    for start in range(0, n, _CHUNK):
        own = story_of[start : start + _CHUNK]
        out[start : start + _CHUNK] = near(story[own], closeness[own])
    return out


def _uniform(rng: np.random.Generator, low: float, high: float, n: int) -> NDArray[np.float32]:
    return rng.uniform(low, high, n).astype(np.float32)


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
