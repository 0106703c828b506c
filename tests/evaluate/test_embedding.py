"""An embedding by itself: titles and texts, and what its clusters follow."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score, roc_auc_score

from newsnest.errors import ParameterError
from newsnest.evaluate import (
    Labelling,
    cluster_index,
    cluster_samples,
    silhouette,
    stability,
    title_scores,
)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def embedded(n: int = 60, noise: float = 0.6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    titles = unit(rng.normal(size=(n, 8)))
    return titles, unit(titles + noise * rng.normal(size=(n, 8)))


def test_the_areas_are_those_of_sklearn():
    titles, texts = embedded()
    stories = np.arange(60) // 3
    stories[:10] = -1
    found = title_scores(titles, texts, stories, resamples=0)
    similar = titles @ texts.T
    i, j = np.indices(similar.shape)
    same = (stories[i] == stories[j]) & (stories[i] >= 0)
    looked = (i == j) | ~same
    area = roc_auc_score((i == j)[looked], similar[looked])
    assert found.article.auroc.value == pytest.approx(area, abs=1e-9)
    assert (found.article.together, found.article.apart) == (60, int((looked & (i != j)).sum()))
    assert found.story is not None
    looked = (i != j) & (stories[i] >= 0) & (stories[j] >= 0)
    area = roc_auc_score(same[looked], similar[looked])
    assert found.story.auroc.value == pytest.approx(area, abs=1e-9)
    assert found.story.together == int(same[looked].sum())


def test_ties_count_half():
    rows = np.repeat(np.eye(2, dtype=np.float32)[:1], 4, axis=0)
    assert title_scores(rows, rows, resamples=0).article.auroc.value == 0.5


def test_blocks_do_not_matter(monkeypatch):
    from newsnest.evaluate import embedding

    titles, texts = embedded(50)
    stories = np.arange(50) // 2
    whole = title_scores(titles, texts, stories, resamples=50)
    monkeypatch.setattr(embedding, "_BLOCK", 7)
    parts = title_scores(titles, texts, stories, resamples=50)
    assert parts.article.auroc.value == pytest.approx(whole.article.auroc.value, abs=1e-12)
    assert parts.article.auroc.low == pytest.approx(whole.article.auroc.low, abs=1e-9)


def test_intervals_hold_the_area_of_many_articles():
    true = title_scores(*embedded(2000, 0.9, seed=99), resamples=0).article.auroc.value
    held = 0
    for seed in range(40):
        found = title_scores(*embedded(60, 0.9, seed), resamples=200, seed=seed).article.auroc
        assert found.low < found.value < found.high
        held += found.low <= true <= found.high
    assert held >= 34


def test_titles_are_ranked_among_all_texts():
    titles = np.eye(4, dtype=np.float32)
    texts = titles[[1, 0, 2, 3]]
    found = title_scores(titles, texts, resamples=0)
    assert found.retrieval.recall[1].value == 0.5 and found.story is None
    assert found.as_dict()["retrieval"]["queries"] == 4


def test_the_same_seed_gives_the_same_interval():
    rows = embedded()
    assert title_scores(*rows, seed=3) == title_scores(*rows, seed=3) != title_scores(*rows, seed=4)


def test_clusters_that_sort_by_language_are_found_out():
    rng = np.random.default_rng(0)
    languages = ["fr", "en"] * 30
    centre = {"fr": [1.0, 0.0, 0.0], "en": [0.0, 1.0, 0.0]}
    rows = unit(np.array([centre[x] for x in languages]) + 0.1 * rng.normal(size=(60, 3)))
    labels = np.array([x == "fr" for x in languages]).astype(int)
    labellings = cluster_samples(lambda chosen: labels[chosen], 60)
    outlets = ["a", "b", "", "c"] * 15
    kinds = {"language": languages, "source": outlets, "none": [""] * 60}
    found = cluster_index(rows, labels, kinds, labellings=labellings, resamples=100)
    # The best there is by both internal indices, and worthless.
    assert found.silhouette == silhouette(rows, labels, resamples=100)
    assert found.silhouette.value > 0.8
    assert found.stability == stability(labellings) == 1.0
    assert found.nmi["language"] == pytest.approx(1.0)
    known = [row for row, outlet in enumerate(outlets) if outlet]
    expected = normalized_mutual_info_score(
        [outlets[r] for r in known], labels[known], average_method="geometric"
    )
    assert found.nmi["source"] == pytest.approx(expected)
    assert found.nmi["none"] is None and found.clusters == 2
    assert found.as_dict()["stability"] == 1.0


def test_noise_rows_are_clusters_of_their_own_and_are_not_counted():
    rows = np.eye(4, dtype=np.float32)
    found = cluster_index(rows, np.array([0, 0, -1, -1]), {"language": ["a", "a", "b", "c"]})
    assert found.clusters == 1 and found.silhouette is None and found.stability is None
    assert found.nmi["language"] == pytest.approx(1.0)


def test_what_cannot_be_compared_is_refused():
    rows = np.eye(3, dtype=np.float32)
    for titles, texts, stories in ((rows[:1], rows[:1], None), (rows, rows[:2], None),
                                   (rows, rows, np.zeros(2, np.int64))):  # fmt: skip
        with pytest.raises(ParameterError, match="must be those of at least two articles"):
            title_scores(titles, texts, stories)
    with pytest.raises(ParameterError, match="articles must be of at least two stories, got one"):
        title_scores(rows, rows, np.zeros(3, np.int64))
    with pytest.raises(ParameterError, match=r"a value of every row \(3\), got 2 of 'language'"):
        cluster_index(rows, np.arange(3), {"language": ["a", "b"]})
    with pytest.raises(ParameterError, match="at least two, got 1"):
        one = Labelling(np.arange(3), np.arange(3))
        cluster_index(rows, np.arange(3), {}, labellings=[one])
