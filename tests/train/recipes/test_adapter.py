"""The recipe `adapter`: maps, their fitting, and the stock model that comes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from newsnest import load_encoder
from newsnest.embed import MemoryCache, ModelRecord
from newsnest.errors import InputError, ParameterError
from newsnest.labelled import Pair
from newsnest.progress import SILENT
from newsnest.train.losses import TrainingLevel, training_levels
from newsnest.train.recipes import RECIPES
from newsnest.train.recipes.adapter import ADAPTER, AdapterSettings
from newsnest.train.recipes.adapter.fit import PairVectors, fit_adapter, level_pearson
from newsnest.train.recipes.adapter.maps import (
    LinearMap,
    make_map,
    principal_axes,
    whitened_axes,
)
from newsnest.train.recipes.adapter.train import run_adapter
from newsnest.train.run import begin

KINDS = ("full", "low_rank", "diagonal", "orthogonal")
D = 16
LEVELS = training_levels(D)
TEXTS = ["sea wall breached", "rates held", "team wins cup", ""]


@pytest.fixture
def chosen(tiny_model: Path, pair_file: Path, tmp_path: Path) -> Callable[..., AdapterSettings]:
    def make(**changes) -> AdapterSettings:
        usual = {
            "data": (f"{pair_file},scale=4:1",),
            "base": str(tiny_model),
            "output": tmp_path / "model",
            "validation": 0.3,
            "backend": "torch",
            "epochs": 4,
        }
        return AdapterSettings(**{**usual, **changes})

    return make


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def noisy_pairs(seed: int, *, stories: int = 200, telling: bool = True) -> PairVectors:
    """Pairs whose stories differ in 4 of 16 dimensions; louder noise fills the other ones."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(stories, D)) * (np.arange(D) >= D - 4)
    noise = 1.3 * (np.arange(D) < D - 4) + 0.1
    pairs, left, right = [], [], []
    for story in range(stories):
        for score, other in ((0.75, story), (0.0, (story + 1) % stories)):
            first, second = (own[s] + rng.normal(size=D) * noise for s in (story, other))
            name = f"{seed} {story} {score}"
            told = score if telling else float(rng.choice([0.0, 0.75]))
            pairs.append(Pair(f"{name} a", f"{name} b", told))
            left.append(first)
            right.append(second)
    return PairVectors(tuple(pairs), unit(np.array(left)), unit(np.array(right)))


def fit_settings(**changes) -> AdapterSettings:
    usual = {"data": ("a.csv",), "base": "b", "output": Path("m"), "learning_rate": 0.02}
    return AdapterSettings(**{**usual, "anchor": 0.01, "batch_size": 32, **changes})


def test_principal_axes_keep_all_dot_products_and_most_of_a_prefix():
    rows = unit(np.random.default_rng(0).normal(size=(50, D)) * np.linspace(0.2, 2, D))
    axes = principal_axes(rows)
    turned = rows @ axes
    assert np.allclose(axes.T @ axes, np.eye(D), atol=1e-5)
    assert np.allclose(turned @ turned.T, rows @ rows.T, atol=1e-5)
    lost = np.linalg.norm(rows @ rows.T - turned[:, :4] @ turned[:, :4].T)
    values = np.linalg.svd(rows, compute_uv=False)
    assert np.isclose(lost, np.linalg.norm(values[4:] ** 2), rtol=1e-4)  # Eckart and Young


def test_whitening_makes_the_scatter_of_a_story_round():
    rng = np.random.default_rng(1)
    left = rng.normal(size=(4000, 8)).astype(np.float32)
    right = left + (rng.normal(size=(4000, 8)) * np.linspace(0.1, 3, 8)).astype(np.float32)
    weight = whitened_axes(left, right, left, shrinkage=1e-6)
    apart = (left - right) @ weight
    scatter = apart.T @ apart / len(apart)
    assert np.allclose(scatter, np.eye(8) * scatter[0, 0], atol=0.01 * scatter[0, 0])
    same = whitened_axes(left, right, left, shrinkage=1.0)
    assert np.allclose(same, principal_axes(left), atol=1e-4)


def test_whitening_without_a_pair_says_what_to_do():
    nothing = np.zeros((0, 8), np.float32)
    with pytest.raises(ParameterError, match="left must hold pairs of one story, got none. Use "):
        whitened_axes(nothing, nothing, np.eye(8, dtype=np.float32), shrinkage=0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_map_begins_as_its_start_and_can_move(kind: str):
    start = principal_axes(np.random.default_rng(2).normal(size=(40, D)).astype(np.float32))
    made = make_map(kind, start, rank=2)
    assert np.allclose(made.weight().detach(), start, atol=1e-6)
    (made.weight() * torch.randn(D, D)).sum().backward()
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in made.parameters())


def test_each_kind_of_map_changes_only_what_it_may():
    start = np.eye(D, dtype=np.float32)
    weight = {}
    for kind in KINDS:
        made = make_map(kind, start, rank=2)
        with torch.no_grad():
            for parameter in made.parameters():
                parameter += torch.randn(parameter.shape)
        weight[kind] = made.weight().detach().numpy()
    turn = weight["orthogonal"]
    assert np.allclose(turn @ turn.T, np.eye(D), atol=1e-4)
    assert np.linalg.matrix_rank(weight["low_rank"] - start, tol=1e-4) == 2
    assert np.count_nonzero(weight["diagonal"]) == D and (np.diag(weight["diagonal"]) > 0).all()


def test_maps_out_of_their_domain_are_refused():
    start = np.eye(D, dtype=np.float32)
    with pytest.raises(ParameterError, match="rank must be at most 16, .* got 17. Lower it"):
        make_map("low_rank", start, rank=17)
    with pytest.raises(ParameterError, match="kind must be one of low_rank, full, .*got 'cubic'"):
        make_map("cubic", start)
    with pytest.raises(NotImplementedError):
        LinearMap(torch.eye(2)).weight()


@pytest.mark.parametrize("kind", ["full", "orthogonal", "low_rank"])
def test_training_finds_the_dimensions_that_tell_stories_apart(kind: str):
    train, held, test = (noisy_pairs(seed) for seed in (0, 1, 2))
    settings = fit_settings(map=kind, rank=8, anchor=0.0, patience=6)
    fitted = fit_adapter(train, held, LEVELS, settings)
    assert fitted.saved == "trained map" and fitted.best_epoch > 0 and fitted.sure >= 0.9
    assert fitted.gain[1] < fitted.gain[0] < fitted.gain[2]
    dims = [level.dims for level in LEVELS]
    before = level_pearson(test, principal_axes(np.concatenate([train.left, train.right])), dims)
    after = level_pearson(test, fitted.weight, dims)
    assert np.mean(after) > np.mean(before) + 0.1


def test_stretching_axes_alone_helps_where_their_length_misleads():
    story = (TrainingLevel("story", D, 0.625),)
    settings = fit_settings(map="diagonal", anchor=0.0, learning_rate=0.05)
    fitted = fit_adapter(noisy_pairs(0), noisy_pairs(1), story, settings)
    assert fitted.saved == "trained map" and fitted.gain[0] > 0.1


def test_what_is_saved_is_never_worse_than_the_axes_at_any_level():
    for seed in range(3):
        train, held = noisy_pairs(seed, telling=False), noisy_pairs(seed + 10, telling=False)
        fitted = fit_adapter(train, held, LEVELS, fit_settings(epochs=5))
        pairs = zip(fitted.scores["after"], fitted.scores["before"], strict=True)
        if fitted.saved != "base":
            assert all(after >= before - 1e-5 for after, before in pairs)
        assert np.mean(fitted.scores["after"]) >= np.mean(fitted.scores["base"]) - 1e-5
        if fitted.saved == "principal axes":
            axes = principal_axes(np.stack([train.left, train.right], axis=1).reshape(-1, D))
            assert np.array_equal(fitted.weight, axes)
            assert fitted.scores["after"] == fitted.scores["before"]


def test_a_gain_that_is_not_sure_is_not_saved():
    train, held = noisy_pairs(0), noisy_pairs(1)
    joined = replace(held, pairs=tuple(replace(p, id1="one") for p in held.pairs))
    fitted = fit_adapter(train, joined, LEVELS, fit_settings())  # a single component: no interval
    assert fitted.saved != "trained map" and fitted.sure == 0.0
    untrained = "base" if fitted.saved == "base" else "before"
    assert fitted.scores["after"] == fitted.scores[untrained]


def test_a_base_with_good_prefixes_of_its_own_is_left_as_it_is():
    def turned(seed: int) -> PairVectors:  # what tells stories apart stands first
        pairs = noisy_pairs(seed)
        order = np.r_[D - 4 : D, : D - 4]
        return replace(pairs, left=pairs.left[:, order], right=pairs.right[:, order])

    fitted = fit_adapter(turned(0), turned(1), LEVELS, fit_settings(confidence=1.0, epochs=1))
    assert np.mean(fitted.scores["base"]) > np.mean(fitted.scores["before"])
    assert fitted.saved == "base" and np.array_equal(fitted.weight, np.eye(D))
    assert fitted.scores["after"] == fitted.scores["base"]


def test_the_anchor_holds_the_similarities_of_the_base():
    train, held = noisy_pairs(0), noisy_pairs(1)

    def moved(anchor: float) -> float:
        fitted = fit_adapter(train, held, LEVELS, fit_settings(anchor=anchor, patience=9))
        mapped = unit(held.left @ fitted.weight)
        return float(np.abs(mapped @ mapped.T - held.left @ held.left.T).mean())

    assert moved(1.0) < moved(0.0) / 2


def test_a_whitened_start_may_be_what_is_saved():
    fitted = fit_adapter(
        noisy_pairs(0), noisy_pairs(1), LEVELS, fit_settings(init="whitened", shrinkage=0.05)
    )
    assert fitted.saved == "trained map"


def test_fitting_is_the_same_twice():
    one, two = (
        fit_adapter(noisy_pairs(0), noisy_pairs(1), LEVELS, fit_settings(epochs=3))
        for _ in range(2)
    )
    assert np.array_equal(one.weight, two.weight) and one.scores == two.scores


def test_validation_pairs_of_one_grade_are_refused():
    held = noisy_pairs(1)
    alike = replace(held, pairs=tuple(replace(pair, score=0.75) for pair in held.pairs))
    with pytest.raises(InputError, match="a.csv: validation pairs must have at least two grades"):
        fit_adapter(noisy_pairs(0), alike, LEVELS, fit_settings())


@pytest.mark.parametrize("confidence", [0.5, 1.0])
def test_the_model_is_a_stock_one_that_gives_the_mapped_vectors(
    chosen, tiny_model: Path, tally, confidence: float
):
    folder = ADAPTER.run(chosen(confidence=confidence, learning_rate=0.01), progress=tally)
    modules = json.loads((folder / "modules.json").read_text())
    assert [m["type"].rpartition(".")[2] for m in modules[-2:]] == ["Dense", "Normalize"]
    assert all(m["type"].startswith("sentence_transformers.") for m in modules)
    model = SentenceTransformer(str(folder), device="cpu")
    dense = model[len(model) - 2]
    base = SentenceTransformer(str(tiny_model), device="cpu").encode(TEXTS)
    weight = dense.linear.weight.detach().numpy().T
    assert dense.linear.bias is None
    assert np.allclose(model.encode(TEXTS), unit(base @ weight), atol=1e-5)
    encoder = load_encoder(str(folder))
    encoder.prepare(TEXTS)
    assert np.allclose(encoder.encode(TEXTS), model.encode(TEXTS), atol=0.03)

    kept = ModelRecord.read(folder).as_dict()
    assert [level["name"] for level in kept["levels"]] == ["theme", "topic", "story"]
    assert kept["levels"][0] == {"name": "theme", "dims": 8, "min_similarity": None}
    scores = kept["validation"]
    saved = kept["chosen"]["saved"]
    of = {"trained map": "trained", "principal axes": "before", "base": "base"}
    assert scores["after"] == scores[of[saved]]
    note = tally.notes[-1]
    assert ("Saved: the trained map." in note) == (saved == "trained map")
    assert ("no epoch better" in note) == (scores["gain"]["mean"] == 0)
    if saved == "principal axes":
        turned = base @ weight
        assert np.allclose(turned @ turned.T, base @ base.T, atol=1e-4)
        assert "the principal axes, untrained" in tally.notes[-1]
    assert kept["data"][0]["digest"] and kept["base"]["files"] and kept["settings"]["epochs"] == 4
    assert "| theme | 8 |" in (folder / "README.md").read_text()


def test_a_training_that_has_ended_is_not_done_again(chosen, tally):
    folder = ADAPTER.run(chosen(), progress=SILENT)
    assert ADAPTER.run(chosen(), progress=tally) == folder
    assert "has ended already" in tally.notes[-1] and not tally.tasks
    with pytest.raises(ParameterError, match="output must not exist, got .*model"):
        ADAPTER.run(chosen(epochs=1), progress=SILENT)


def test_several_processes_are_refused(chosen, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ParameterError, match="train adapter: processes must be 1, got 2"):
        ADAPTER.run(chosen())


def test_rows_of_other_splits_are_not_trained_on(chosen, write_rows, tally):
    rows = [
        {"text1": f"{a} {i}", "text2": f"{b} {i}", "score": s, "split": split}
        for split in ("train", "eval")
        for i in range(20)
        for a, b, s in ((f"rates held {split}", f"bank {split}", 1), (split, f"cup {split}", 0))
    ]
    cache = MemoryCache()
    path = write_rows("pairs.jsonl", rows)
    settings = chosen(data=(str(path),))
    run_adapter(begin("adapter", settings, tally).with_files(), cache=cache)
    source = ModelRecord.read(settings.output).as_dict()["data"][0]
    assert source["held_out"] == 40 and source["train_pairs"] + source["validation_pairs"] == 40
    assert len(cache) == len(
        {r[k] for r in rows if r["split"] == "train" for k in ("text1", "text2")}
    )


def test_gold_labels_train_an_adapter_too(chosen, gold_file: Path):
    folder = ADAPTER.run(chosen(data=(str(gold_file),)), progress=SILENT)
    assert ModelRecord.read(folder).as_dict()["data"][0]["kind"] == "gold"


def test_the_recipe_is_known_by_its_name():
    assert RECIPES["adapter"].settings is AdapterSettings and RECIPES["adapter"] is ADAPTER


def test_a_base_without_a_transformer_is_refused(chosen):
    with pytest.raises(ParameterError, match="base must be a transformer, got 'tfidf'"):
        ADAPTER.run(chosen(base="tfidf"), progress=SILENT)
