"""The recipes sccl and vascl, on a model of two layers and on texts of six stories."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from sklearn.cluster import KMeans

from newsnest import load_encoder
from newsnest.embed import EncoderConfig
from newsnest.errors import InputError, ParameterError
from newsnest.evaluate import cluster_scores
from newsnest.train.recipes.contrast import SCCL, VASCL, ScclSettings, VasclSettings
from newsnest.train.recipes.contrast.train import train_contrast, view_dataset
from newsnest.train.run import begin
from newsnest.train.unlabelled import AgainstGold
from recipe_rows import STORIES

TEXTS = [f"{text} {more}".strip() for more in ("", "the", "in", "after") for _, *told in STORIES
         for text in told]  # fmt: skip


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "texts.jsonl"
    rows = [{"id": str(i), "text": text} for i, text in enumerate(TEXTS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def make(tiny_model, file, tmp_path):
    def made(kind, **changes):
        usual = {
            "data": (str(file),), "base": str(tiny_model), "output": tmp_path / "model",
            "device": "cpu", "precision": "float32", "steps": 6, "batch_size": 16,
            "mini_batch_size": 8, "learning_rate": 1e-3, "checkpoints": 3,
        }  # fmt: skip
        if kind is ScclSettings:
            usual["k"] = 6
        return kind(**{**usual, **changes})

    return made


@pytest.mark.parametrize("kind", [ScclSettings, VasclSettings])
def test_training_moves_the_vectors_the_same_way_every_time(make, kind):
    one, again = (train_contrast(TEXTS, make(kind)) for _ in range(2))
    other = train_contrast(TEXTS, make(kind, seed=1))
    still = train_contrast(TEXTS, make(kind, learning_rate=1e-12))
    assert (one.vectors == again.vectors).all()
    assert (one.vectors != other.vectors).any()
    assert np.abs(one.vectors - still.vectors).max() > 1e-3
    assert np.linalg.norm(one.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    if kind is ScclSettings:
        assert one.labels.shape == (len(TEXTS),) and one.labels.max() < 6
    else:
        assert one.labels is None


@pytest.mark.parametrize("kind", [ScclSettings, VasclSettings])
def test_bfloat16_on_the_device_that_is_there_gives_finite_vectors(make, kind):
    settings = make(kind, device="auto", precision="bfloat16", steps=2)
    context = begin("contrast", settings)
    found = train_contrast(TEXTS, settings, context=context)
    assert context.bfloat16 and np.isfinite(found.vectors).all()


def test_centres_and_projection_learn_faster_than_the_encoder(make):
    def centres(factor):
        settings = make(ScclSettings, steps=1, head_lr_factor=factor, learning_rate=1e-5)
        return train_contrast(TEXTS, settings).loss.centres.detach().numpy()

    slow, fast = centres(1e-6), centres(1e4)
    # The first step of Adam is as long as the rate.
    assert np.abs(fast - slow).max() == pytest.approx(0.1, rel=0.05)


def test_no_text_is_twice_in_a_batch_and_views_depend_on_their_number_alone(make):
    settings = make(ScclSettings, steps=9, noise=0.5)
    data = view_dataset(TEXTS, settings, 16)
    assert len(data) == 9 * 16
    for start in range(0, len(data), 16):
        texts = data[start : start + 16]["text"]
        assert len(set(texts)) == 16
    late = data[90]
    assert late == data[90] == view_dataset(TEXTS, settings, 16)[90]
    words = late["text"].split()
    assert len(late["view"].split()) == len(words) - round(0.5 * len(words))
    alike = view_dataset(TEXTS, make(ScclSettings, views="dropout"), 16)[90]
    assert alike["text"] == alike["view"] == alike["other_view"]
    assert view_dataset(TEXTS, make(VasclSettings), 16)[5] == {"text": data[5]["text"]}


@pytest.mark.parametrize(("run", "kind"), [(SCCL.run, ScclSettings), (VASCL.run, VasclSettings)])
def test_a_model_is_written_whole_and_can_be_used(make, run, kind, tmp_path):
    settings = make(kind)
    own = {"name": "story", "dims": 32, "min_similarity": 0.5}
    calibrated = shutil.copytree(settings.base, tmp_path / "base")
    (calibrated / "newsnest.json").write_text(json.dumps({"levels": [own], "rotate": True}))
    settings = make(kind, base=str(calibrated))
    folder = run(settings)
    said = json.loads((folder / "newsnest.json").read_text())
    assert said["recipe"] == run.__self__.name
    assert said["rotate"] is True and said["levels"] == [{**own, "min_similarity": None}]
    assert said["settings"]["steps"] == 6 and said["data"][0]["articles"] == len(TEXTS)
    page = (folder / "README.md").read_text()
    assert "arxiv" in page.lower() and not any(text in page for text in TEXTS if " " in text)
    encoder = load_encoder(str(folder), config=EncoderConfig(backend="torch", device="cpu"))
    expected = train_contrast(TEXTS, settings).vectors
    assert encoder.encode(TEXTS) == pytest.approx(expected, abs=1e-5)
    assert not folder.with_name("model.checkpoints").exists()
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert run(settings) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize("kind", [ScclSettings, VasclSettings])
def test_gold_is_reported_before_and_after_and_changes_nothing(
    make, kind, tally, tmp_path, monkeypatch
):
    gold = [("sea", "land", None)[row % 3] for row in range(len(TEXTS))]
    one = train_contrast(TEXTS, make(kind), gold=gold, progress=tally)
    assert one.gold.keys() == {"before", "after"} and one.gold["before"]["k"] == 2
    frozen = train_contrast(TEXTS, make(kind, learning_rate=1e-12)).vectors
    labels = KMeans(2, n_init=5, random_state=0).fit_predict(frozen)
    expected = cluster_scores(labels, gold)
    assert one.gold["before"]["nmi"] == pytest.approx(expected.nmi, abs=1e-5)
    assert one.gold["before"]["accuracy"] == pytest.approx(expected.accuracy, abs=1e-5)
    assert any("k-means against gold (reported, never used): before NMI" in n for n in tally.notes)
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    without = train_contrast(TEXTS, make(kind))
    assert set(tmp_path.iterdir()) == before  # no folder of the trainer's
    assert (one.vectors == without.vectors).all() and not without.gold
    unlabelled = AgainstGold([None, ""], seed=0)
    unlabelled.look("before", lambda: pytest.fail("there is nothing to score"))
    assert not unlabelled.scores


@pytest.mark.parametrize(("run", "kind"), [(SCCL.run, ScclSettings), (VASCL.run, VasclSettings)])
def test_an_interrupted_training_ends_with_the_weights_it_would_have_had(
    make, run, kind, tmp_path, monkeypatch
):
    from newsnest.train.recipes.contrast import train

    whole = run(make(kind, output=tmp_path / "whole"))
    settings = make(kind)

    class Killed(train.run.Reporter):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == 5:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(train.run, "Reporter", Killed)
        with pytest.raises(KeyboardInterrupt):
            run(settings)
    assert not settings.output.exists()
    assert (tmp_path / "model.checkpoints" / "checkpoint-4").is_dir()
    folder = run(settings)
    one, other = (load_encoder(str(f)).encode(TEXTS) for f in (whole, folder))
    assert (one == other).all()


@pytest.mark.parametrize(("run", "kind"), [(SCCL.run, ScclSettings), (VASCL.run, VasclSettings)])
def test_several_processes_are_refused(make, run, kind, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ParameterError, match="cl: processes must be 1, got 2. Start"):
        run(make(kind))


def test_settings_and_texts_that_cannot_be_used_are_refused(make, file):
    with pytest.raises(
        ParameterError, match="k must be the number of clusters, at least 2, got no"
    ):
        make(ScclSettings, k=None)
    with pytest.raises(ParameterError, match="texts must be at least 6 different ones, .* got 5"):
        train_contrast(TEXTS[:5] * 2, make(ScclSettings))
    with pytest.raises(ParameterError, match="texts must be at least 2 different ones, .* got 1"):
        train_contrast(TEXTS[:1], make(VasclSettings))
    file.write_text("\n".join(file.read_text().splitlines()[:5]))
    with pytest.raises(InputError, match="at least 20 different articles are needed"):
        VASCL.run(make(VasclSettings))
