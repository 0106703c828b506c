"""Whether a stage is better, without labels."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from newsnest.train.recipes.clusterbert.judge import Judge, adapts, is_better
from newsnest.train.recipes.clusterbert.save import Panel, draw_stages
from newsnest.train.recipes.clusterbert.targets import Teacher, kmeans

N = 120
KIND = np.arange(N) % 4
RNG = np.random.default_rng(0)
TOKENS = [RNG.choice(np.arange(10) + 10 * kind, 6) for kind in KIND]
HELD, TRAIN = np.arange(0, N, 6), np.setdiff1d(np.arange(N), np.arange(0, N, 6))


def vectors(spread: float, *, kinds: np.ndarray = KIND, seed: int = 0) -> np.ndarray:
    rows = np.eye(8)[kinds] + spread * np.random.default_rng(seed).normal(size=(N, 8))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def measured(found: np.ndarray) -> dict[str, float]:
    judge = Judge(TOKENS, TRAIN, HELD, seed=0)
    teacher = Teacher("kmeans", 4, N, {})
    return judge.measure(found, kmeans(found, 4, seed=0), teacher, vectors(0.4))


def test_vectors_that_tell_the_words_tell_more_of_them():
    judge = Judge(TOKENS, TRAIN, HELD, seed=0)
    told = judge.words_explained(vectors(0.1))
    assert 0.2 < told < 1
    assert judge.words_explained(vectors(0.1, kinds=RNG.permutation(KIND))) < 0.05
    assert judge.words_explained(vectors(0.1)) == told


def test_tighter_and_surer_clusters_are_better_and_worse_ones_are_not():
    loose, tight = measured(vectors(0.4)), measured(vectors(0.1))
    assert tight["silhouette"] > loose["silhouette"] and tight["stability"] >= loose["stability"]
    assert is_better(tight, loose)[0] and not is_better(loose, tight)[0]
    assert not is_better(loose, loose)[0]


def test_clusters_that_have_nothing_to_do_with_the_texts_are_not_better():
    honest = measured(vectors(0.1))
    # As tight and as sure, and deaf to the words.
    deaf = measured(vectors(0.1, kinds=RNG.permutation(KIND)))
    better, why = is_better(deaf, honest)
    assert not better and "the weights before it are kept" in why


def test_a_collapse_is_never_better():
    collapsed = measured(np.tile(np.eye(8, dtype=np.float32)[0], (N, 1)))
    assert collapsed["silhouette"] == -1 and not is_better(collapsed, measured(vectors(0.4)))[0]


def test_the_words_of_clusters_by_hand():
    judge = Judge(TOKENS, TRAIN, HELD, seed=0)
    judge.words = np.array([[0.0], [2.0], [4.0], [6.0]])
    # Between the means 1 and 5 lie 16 of the 20 squares.
    assert judge.words_by_cluster(np.array([0, 0, 1, 1], np.int32)) == pytest.approx(0.8)
    assert judge.words_by_cluster(np.array([0, 0, 0, 0], np.int32)) == 0
    assert judge.words_by_cluster(np.arange(4, dtype=np.int32)) == pytest.approx(1)
    judge.words = np.ones((4, 1))
    assert judge.words_by_cluster(np.arange(4, dtype=np.int32)) == 0


BEFORE = {
    "silhouette": 0.2, "stability": 0.9, "words": 0.1, "words_by_cluster": 0.2,
    "silhouette_at_start": 0.1,
}  # fmt: skip


def test_what_was_trained_proves_nothing_about_the_clusters():
    assert not is_better({**BEFORE, "silhouette": 0.9, "words": 0.9}, BEFORE)[0]
    assert is_better({**BEFORE, "stability": 0.91}, BEFORE)[0]
    assert is_better({**BEFORE, "silhouette": 0.1, "words_by_cluster": 0.201}, BEFORE)[0]
    assert is_better({**BEFORE, "silhouette_at_start": 0.101}, BEFORE)[0]
    worse = {"words_by_cluster": 0.22, "silhouette_at_start": 0.08, "stability": 0.95}
    better, why = is_better({**BEFORE, **worse}, BEFORE)
    assert not better and "(-0.050: words by cluster +0.100, silhouette at the start -0.2" in why


def test_adaptation_is_for_words_and_must_leave_what_was_stable():
    assert not adapts({**BEFORE, "agreement": 0.9}, BEFORE)[0]
    better, why = adapts({**BEFORE, "words": 0.12, "silhouette": 0.1, "agreement": 0.61}, BEFORE)
    assert better and "(+0.100: silhouette -0.100, stability +0.000, words +0.200)" in why
    better, why = adapts({**BEFORE, "words": 0.9, "agreement": 0.45}, BEFORE)
    assert not better and "only 50% of the stable clusters are left" in why


def test_the_picture_is_one_svg_that_loads_nothing():
    panels = [
        Panel("start <1>", "silhouette 0.1, kept", vectors(0.4), KIND.astype(np.int32)),
        Panel("end", "", vectors(0.1), np.where(KIND == 0, -1, KIND).astype(np.int32)),
    ]
    told = draw_stages(panels)
    assert told == draw_stages(panels) and "http://www.w3.org/2000/svg" in told
    assert told.count("http") == 1
    root = ET.fromstring(told)
    dots = "".join(path.get("d", "") for path in root.findall(".//{*}path"))
    assert dots.count("M") == 2 * N
    words = [text.text for text in root.findall(".//{*}text")]
    assert "start <1>" in words and any(f"{N} texts along" in w for w in words if w)


def test_a_picture_of_many_texts_says_how_many_it_shows():
    many = np.tile(vectors(0.4), (20, 1))
    panel = Panel("x", "", many, np.zeros(len(many), np.int32))
    told = draw_stages([panel], seed=1)
    assert told.count("M") >= 2000 and "2,000 of 2,400 texts" in told


@pytest.mark.parametrize("sizes", [(3, 1)])
def test_few_words_are_no_obstacle(sizes):
    tokens = [np.zeros(size, np.int64) for size in sizes] * 10
    judge = Judge(tokens, np.arange(16), np.arange(16, 20), seed=0)
    assert judge.words_explained(vectors(0.4)[:20]) == 0
