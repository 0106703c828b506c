"""Fewer dimensions before clustering."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from sklearn.decomposition import PCA

from newsnest.cluster import (
    REDUCERS,
    Reduction,
    auto_levels,
    fit_frame,
    level_vectors,
    story_map,
)
from newsnest.errors import ParameterError


def reduced(reduction, rows, **fitting):
    frame = reduction.fit(rows, **fitting)
    return frame, reduction.apply(rows, frame, fitting.get("groups"))


def blobs(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = np.repeat(rng.normal(size=(8, 24)), 10, axis=0) + 0.1 * rng.normal(size=(80, 24))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_none_is_the_frame_alone():
    rows = blobs()
    frame, text = reduced(Reduction(), rows)
    assert np.array_equal(text, fit_frame(rows).apply(rows))
    assert np.array_equal(frame.rotation, fit_frame(rows).rotation)


def test_pca_keeps_the_axes_of_sklearn():
    rows = blobs()
    _, text = reduced(Reduction("pca", 5), rows)
    centred = rows - fit_frame(rows).means
    # Ours are axes through the shrunk mean; sklearn's, through the mean of what is given to it.
    theirs = PCA(5).fit(np.concatenate([centred, -centred])).transform(centred)
    signs = np.sign(np.einsum("ij,ij->j", unit(theirs), text))
    assert np.abs(unit(theirs) * signs - text).max() < 1e-4
    assert text.dtype == np.float32 and text.shape == (80, 5)


def test_pca_turns_vectors_of_encoders_that_are_not_turned_otherwise():
    rows = blobs()
    _, turned = reduced(Reduction("pca", 5), rows, rotate=False)
    assert np.array_equal(turned, reduced(Reduction("pca", 5), rows, rotate=True)[1])


def test_truncation_cuts_what_the_encoder_gives_before_it_is_centred():
    rows = blobs()
    frame, text = reduced(Reduction("truncate", 6), rows, rotate=False)
    short = unit(rows[:, :6]).astype(np.float32)
    assert np.allclose(text, fit_frame(short, rotate=False).apply(short), atol=1e-6)
    assert frame.rotation.shape == (6, 6)


@pytest.mark.parametrize("name", REDUCERS)
def test_the_same_rows_give_the_same_unit_vectors(name: str):
    if name == "umap":
        pytest.importorskip("umap")
    rows = blobs()
    reduction = Reduction(name, None if name == "none" else 4)
    one, other = (reduced(reduction, rows)[1] for _ in range(2))
    assert np.array_equal(one, other)
    assert np.allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)
    assert np.isfinite(one).all()


def test_umap_puts_rows_of_a_blob_together():
    pytest.importorskip("umap")
    _, text = reduced(Reduction("umap", 4), blobs())
    similar = text @ text.T
    own = np.repeat(np.arange(8), 10)
    same = own[:, None] == own[None, :]
    assert similar[same].min() > np.median(similar[~same])


def test_dates_stay_whole_behind_a_reduction():
    rows = blobs()
    times = np.arange(len(rows)) * 3600.0
    given = {"times": times, "time_scale": 86_400.0}
    reduction = Reduction("pca", 4)
    views = []
    for own in (Reduction(), reduction):
        _, text = reduced(own, rows)
        story = auto_levels(text, dims=own.level_dims({}), time_weight=0.2, **given)[-1]
        views.append(level_vectors(text, story, **given))
    assert views[1].shape == (80, 4 + 64)
    assert np.array_equal(views[0][:, -64:], views[1][:, -64:])


def test_levels_see_the_part_that_means_something():
    trained = {"theme": 8, "topic": 16, "story": 24}
    assert Reduction().level_dims(trained) == trained
    assert Reduction("truncate", 12).level_dims(trained) == {"theme": 8, "topic": 12, "story": 12}
    assert Reduction("pca", 12).level_dims(trained) == {}
    if importlib.util.find_spec("umap"):
        assert set(Reduction("umap", 5).level_dims({}).values()) == {5}


@pytest.mark.parametrize(
    ("name", "dims", "message"),
    [
        ("pcs", 3, "reduce must be one of none, pca, truncate, umap, got 'pcs'. Did you mean"),
        ("none", 3, "dims must be left out without a reduction, got 3"),
        ("pca", None, "dims must be at least 2 with pca, got None"),
        ("truncate", 1, "dims must be at least 2 with truncate, got 1"),
    ],
)
def test_what_does_not_go_together_is_said(name: str, dims: int | None, message: str):
    with pytest.raises(ParameterError, match=message):
        Reduction(name, dims)


def test_more_dimensions_than_there_are_is_an_error():
    with pytest.raises(ParameterError, match="dims must be at most 24, those of the encoder, got"):
        reduced(Reduction("pca", 25), blobs())


def test_umap_wants_texts_enough():
    pytest.importorskip("umap")
    with pytest.raises(ParameterError, match="texts must be at least 12 for umap with 10 dimens"):
        reduced(Reduction("umap", 10), blobs()[:11])


def test_without_umap_the_pip_line_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("newsnest.cluster.reduction.find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r'Run pip install "newsnest\[compare\]"'):
        Reduction("umap", 5)


@pytest.mark.parametrize("n", [1, 4, 5, 6])
def test_few_stories_have_a_place_too(n: int):
    places = story_map(blobs()[:n])
    assert places.shape == (n, 2) and np.isfinite(places).all()
