"""The recipes clusterbert and tsdae from files to a folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from clustered_rows import write_articles
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

import newsnest
from newsnest.embed import load_encoder
from newsnest.errors import InputError, ParameterError
from newsnest.progress import SILENT, Task
from newsnest.train.cluster_head import ClusterHead
from newsnest.train.recipes.clusterbert import CLUSTERBERT, ClusterbertSettings
from newsnest.train.recipes.clusterbert import train as clusterbert_train
from newsnest.train.recipes.clusterbert.targets import Teacher
from newsnest.train.recipes.clusterbert.train import prepare, train_clusterbert
from newsnest.train.recipes.tsdae import TSDAE, TsdaeSettings
from newsnest.train.recipes.tsdae import train as tsdae_train
from newsnest.train.recipes.tsdae.autoencoder import Autoencoder, Epoch, train_epoch
from newsnest.train.run import begin

TEXTS = [
    f"{text} {more}".strip()
    for more in ("", "the", "in", "after")
    for text in (
        "sea wall breached", "bank raises rates", "team wins cup", "storm hits coast",
        "rates held", "final in three", "minister resigns", "police arrest team",
    )
]  # fmt: skip


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    return write_articles(tmp_path / "articles.jsonl")


@pytest.fixture
def make(tiny_model: Path, articles: Path, tmp_path: Path) -> Callable[..., ClusterbertSettings]:
    def settings(**changes) -> ClusterbertSettings:
        usual = {
            "data": (f"{articles},gold=section",),
            "base": str(tiny_model),
            "output": tmp_path / "model",
            "device": "cpu",
            "precision": "float32",
            "learning_rate": 1e-3,
            "k": "3",
            "adaptation_epochs": 1,
            "clustering_epochs": 1,
            "hardening_epochs": 1,
        }
        return ClusterbertSettings(**{**usual, **changes})

    return settings


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors") | load_file(folder / "cluster_head.safetensors")


def moved(one: Path, other: Path) -> float:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    return max(float((ours[name] - theirs[name]).abs().max()) for name in ours)


def test_a_model_with_a_head_and_a_picture_comes_out(make, tally):
    settings = make()
    folder = CLUSTERBERT.run(settings, progress=tally)
    texts = TEXTS[:4]
    vectors = SentenceTransformer(str(folder), device="cpu").encode(
        texts, normalize_embeddings=True
    )
    shares = ClusterHead.load(folder).predict_proba(vectors)
    assert shares.shape == (4, 3) and shares.sum(axis=1) == pytest.approx(np.ones(4), rel=1e-5)

    encoder = load_encoder(str(folder))  # what `newsnest cluster --encoder` does
    encoder.prepare([])
    assert encoder.encode(texts) == pytest.approx(vectors, abs=1e-2)

    told = json.loads((folder / "newsnest.json").read_text())
    names = [stage["name"] for stage in told["stages"]]
    assert names[:2] == ["start", "adaptation"] and "clustering 1" in names
    assert all(
        stage["measures"].keys() >= {"silhouette", "dunn", "stability", "words", "reconstruction"}
        and stage["gold"].keys() == {"nmi", "accuracy", "head_nmi", "head_accuracy"}
        for stage in told["stages"]
    )
    assert told["picked"] in names and "leakage" in told["oracle"]["note"]
    assert told["chosen"]["gradient_at_vectors"] > 0 and told["k"] == 3
    drawing = ET.parse(folder / "stages.svg").getroot()
    assert drawing.tag.endswith("svg") and not drawing.findall(".//{*}script")
    assert any("oracle (leakage" in note for note in tally.notes)
    assert "sea wall" not in (folder / "README.md").read_text() + json.dumps(told)


def test_the_same_command_again_does_nothing_and_another_is_refused(make, tally):
    settings = make()
    CLUSTERBERT.run(settings, progress=SILENT)
    CLUSTERBERT.run(settings, progress=tally)
    assert tally.notes == [f"{settings.output}: this very training has ended already"]
    with pytest.raises(ParameterError, match="output must not exist"):
        CLUSTERBERT.run(replace(settings, seed=1), progress=SILENT)


def test_the_same_seed_gives_the_same_weights_and_gold_changes_nothing(make, articles, tmp_path):
    one = CLUSTERBERT.run(make(), progress=SILENT)
    other = CLUSTERBERT.run(make(data=(str(articles),), output=tmp_path / "other"), progress=SILENT)
    assert moved(one, other) == 0
    told = json.loads((other / "newsnest.json").read_text())
    assert told["oracle"] is None and all(stage["gold"] is None for stage in told["stages"])


CODE = """
import sys, torch
torch.set_num_threads(1)
from newsnest.cli.main import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def whole(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> ClusterbertSettings:
    """Settings of a training that nothing interrupted; its model is there."""
    folder = tmp_path_factory.mktemp("whole")
    settings = ClusterbertSettings(
        data=(f"{write_articles(folder / 'articles.jsonl')},gold=section",),
        base=str(tiny_model),
        output=folder / "whole",
        device="cpu",
        precision="float32",
        learning_rate=1e-3,
        k="3",
        targets="kmeans",
        clustering_epochs=1,
    )
    CLUSTERBERT.run(settings, progress=SILENT)
    return settings


@pytest.mark.parametrize("last_seen", ["start", "adaptation", "clustering 1", "hardening 1"])
def test_a_killed_training_goes_on_and_ends_as_if_nothing_had_been(
    whole, tmp_path: Path, tally, last_seen: str
):
    chosen = replace(whole, output=tmp_path / "killed")
    command = [sys.executable, "-c", CODE, "train", "clusterbert", "--base", chosen.base]
    command += ["--data", chosen.data[0], "-o", str(chosen.output), "-k", "3"]
    command += ["--targets", "kmeans"]
    for name in ("device", "precision", "learning_rate", "clustering_epochs"):
        command += ["--set", f"{name}={getattr(chosen, name)}"]
    environment = {**os.environ, "PYTHONPATH": str(Path(newsnest.__file__).parent.parent)}
    kept = tmp_path / "killed.checkpoints" / "run.json"
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    while not (kept.exists() and f'"stage": "{last_seen}"' in kept.read_text()):
        assert process.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not chosen.output.exists()

    assert CLUSTERBERT.run(chosen, progress=tally) == chosen.output
    assert not (tmp_path / "killed.checkpoints").exists()
    assert any(
        note.startswith("resuming ") or "done before the interruption" in note
        for note in tally.notes
    )
    assert moved(chosen.output, whole.output) < 1e-6
    one, other = (
        json.loads((folder / "newsnest.json").read_text())
        for folder in (chosen.output, whole.output)
    )
    assert one["picked"] == other["picked"]
    for ours, theirs in zip(one["stages"], other["stages"], strict=True):
        assert ours["measures"] == pytest.approx(theirs["measures"], abs=1e-5)
        assert ours["gold"] == theirs["gold"] and ours["kept"] == theirs["kept"]


def test_training_never_ends_below_where_it_started(make, tmp_path: Path, tally):
    # A learning rate that destroys the encoder: no stage can be better than the base.
    settings = make(learning_rate=0.5, adaptation_epochs=2)
    folder = CLUSTERBERT.run(settings, progress=tally)
    told = json.loads((folder / "newsnest.json").read_text())
    assert told["picked"] == "start"
    assert [stage["kept"] for stage in told["stages"]] == [True] + [False] * 3
    base = SentenceTransformer(settings.base, device="cpu")
    ours = SentenceTransformer(str(folder), device="cpu")
    assert (base.encode(TEXTS[:4]) == ours.encode(TEXTS[:4])).all()
    assert any("the weights before it are kept" in note for note in tally.notes)
    assert any("No stage was better than the base" in note for note in tally.notes)


def test_an_adaptation_that_leads_nowhere_is_undone_at_the_end(make, tally, monkeypatch):
    def verdict(now, before, *, adapting=False):
        return before is None or adapting, "so"

    monkeypatch.setattr(clusterbert_train.judge, "is_better", verdict)
    done = train_clusterbert(TEXTS, make(k="4"), progress=tally)
    assert [stage.kept for stage in done.stages] == [True, True, False, False]
    assert done.picked == "start"
    assert any("adaptation is not better than the start" in note for note in tally.notes)
    base = SentenceTransformer(make().base, device="cpu").encode(TEXTS, normalize_embeddings=True)
    ours = done.model.encode(TEXTS, normalize_embeddings=True)
    assert ours == pytest.approx(base, abs=1e-6)
    shares = done.head.predict_proba(done.stages[0].vectors)
    assert shares == pytest.approx(done.stages[0].probabilities, abs=1e-5)


def test_a_family_is_given_up_after_a_stage_that_is_not_better(make, monkeypatch):
    monkeypatch.setattr(
        clusterbert_train.judge, "is_better", lambda now, before, **_: (not before, "so")
    )
    done = train_clusterbert(TEXTS, make(clusterings=3, hardening_epochs=3, k="4"))
    assert [stage.name for stage in done.stages] == [
        "start", "adaptation", "clustering 1", "hardening 1",
    ]  # fmt: skip
    assert done.picked == "start" and done.oracle is None


def test_stories_of_rac_teach_their_core_alone(make):
    done = train_clusterbert(TEXTS, make(targets="rac", k="auto"), gold=TEXTS)
    assert done.targets == "rac" and done.head.weight.shape[0] <= done.k
    assert done.stages[0].gold is not None and done.oracle is not None
    assert done.stages[0].probabilities.shape == (len(TEXTS), done.head.weight.shape[0])


def test_clusters_that_cannot_teach_are_said_and_fewer_than_two_refused(make, tally, monkeypatch):
    labels = np.zeros(len(TEXTS), np.int32)
    monkeypatch.setattr(Teacher, "cluster", lambda self, vectors, *, seed: labels[: len(vectors)])
    with pytest.raises(
        InputError, match="two clusters must hold several texts, got 1 of the 3 that rac"
    ):
        train_clusterbert(TEXTS, make(targets="rac"))
    labels[:] = np.arange(len(TEXTS)) % 2
    labels[0] = 2
    done = train_clusterbert(TEXTS, make(targets="rac"), progress=tally)
    assert "2 of 3 clusters hold several texts and are learned; single texts are not" in tally.notes
    assert done.stages[0].probabilities.shape == (len(TEXTS), 2)


def test_lists_that_do_not_fit_are_refused(make):
    with pytest.raises(ParameterError, match="texts must be 20 different ones at least, got 3"):
        train_clusterbert(TEXTS[:3], make())
    message = "k must be at most the number of different texts, 32, got 40"
    with pytest.raises(InputError, match=message):
        train_clusterbert(TEXTS * 2, make(k="40"))
    with pytest.raises(ParameterError, match=r"gold must hold one label per text \(32\), got 2"):
        train_clusterbert(TEXTS, make(), gold=["a", "b"])


def test_several_processes_are_refused(make, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ParameterError, match="processes must be 1, got 2. Start it without acc"):
        CLUSTERBERT.run(make(), progress=SILENT)


def test_tsdae_restores_better_the_longer_it_trains(make, tmp_path: Path, tally):
    usual = make()
    own = {"name": "story", "dims": 32, "min_similarity": 0.5}
    base = shutil.copytree(usual.base, tmp_path / "base")
    (base / "newsnest.json").write_text(json.dumps({"levels": [own], "rotate": True}))
    settings = TsdaeSettings(
        data=usual.data, base=str(base), output=tmp_path / "adapted", device="cpu", epochs=3,
        precision="float32", learning_rate=1e-3,
    )  # fmt: skip
    folder = TSDAE.run(settings, progress=tally)
    content = json.loads((folder / "newsnest.json").read_text())
    assert content["rotate"] is True and content["levels"] == [{**own, "min_similarity": None}]
    told = content["stages"]
    losses = [epoch["held_out"] for stage in ("decoder", "adaptation") for epoch in told[stage]]
    assert len(losses) == 4 and losses[-1] < losses[0]
    assert content["gold"].keys() == {"before", "after"} and content["gold"]["after"]["k"] == 3
    assert any("k-means against gold (reported, never used)" in note for note in tally.notes)
    assert not (folder / "cluster_head.safetensors").exists()
    assert SentenceTransformer(str(folder), device="cpu").encode(TEXTS[:2]).shape == (2, 32)


@pytest.mark.parametrize("killed_at", ["adaptation", "publish"])
def test_a_killed_tsdae_goes_on_from_the_weights_it_had(
    make, tmp_path: Path, monkeypatch, killed_at: str
):
    usual = make()
    settings = TsdaeSettings(
        data=usual.data, base=usual.base, output=tmp_path / "killed", device="cpu", epochs=2,
        precision="float32", learning_rate=1e-3,
    )  # fmt: skip
    whole = TSDAE.run(replace(settings, output=tmp_path / "whole"))
    train_stage = tsdae_train.train_stage

    def killed(*_, **__):
        raise KeyboardInterrupt

    def killed_after_the_decoder(stage, *rest):
        return killed() if stage.name == "adaptation" else train_stage(stage, *rest)

    with monkeypatch.context() as patch:
        if killed_at == "publish":
            patch.setattr(tsdae_train.run, "publish_model", killed)
        else:
            patch.setattr(tsdae_train, "train_stage", killed_after_the_decoder)
        with pytest.raises(KeyboardInterrupt):
            TSDAE.run(settings)
    assert not settings.output.exists()
    folder = TSDAE.run(settings)
    ours, theirs = (load_file(one / "model.safetensors") for one in (folder, whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def build(kind: str, folder: Path, tokenizer: Path) -> Path:
    """Save a model of two tiny layers of an architecture, with the tokenizer of the tiny model."""
    import transformers as t
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    words = AutoTokenizer.from_pretrained(tokenizer)
    size = {"vocab_size": len(words), "pad_token_id": words.pad_token_id or 0}
    usual = {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 64, "max_position_embeddings": 66,
    }  # fmt: skip
    changes = {
        "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
        "albert": {**usual, "embedding_size": 16},
        "electra": {**usual, "embedding_size": 16},
        "modernbert": {**usual, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2,
                       "eos_token_id": 3, "reference_compile": False},
    }  # fmt: skip
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **size, **changes.get(kind, usual))
    AutoModel.from_config(config).save_pretrained(folder / "base")
    words.save_pretrained(folder / "base")
    t.logging.set_verbosity_error()
    modules = [Transformer(str(folder / "base")), Pooling(32, "mean")]
    model = SentenceTransformer(modules=modules, device="cpu")
    model.max_seq_length = 16
    model.save_pretrained(str(folder / "model"), create_model_card=False)
    return folder / "model"


@pytest.mark.parametrize(
    "kind",
    ["bert", "roberta", "xlm-roberta", "camembert", "electra", "mpnet", "distilbert", "albert",
     "deberta-v2", "modernbert"],
)  # fmt: skip
def test_the_reconstruction_teaches_every_architecture(make, tiny_model, tmp_path: Path, kind: str):
    settings = make(base=str(build(kind, tmp_path, tiny_model)))
    auto, train, _ = prepare(begin("clusterbert", settings), TEXTS)
    assert auto.check(train) > 0
    rebuilt, _ = auto.losses(train[:8].tolist(), np.random.default_rng(0), None)
    rebuilt.backward()
    inner = [
        p.grad
        for name, p in auto.model.named_parameters()
        if "embed" not in name and p.grad is not None
    ]
    assert inner and any(float(gradient.abs().sum()) > 0 for gradient in inner)


def test_a_base_that_gives_no_gradient_is_found_out_before_training(make, monkeypatch):
    def cut(self, rows, rng):
        vectors = noised(self, rows, rng)
        return vectors.detach().requires_grad_() * 0 + vectors.detach()

    noised = Autoencoder.noised
    monkeypatch.setattr(Autoencoder, "noised", cut)
    monkeypatch.setattr(
        "newsnest.train.losses.reconstruction.ReconstructionDecoder.forward",
        lambda self, vectors, tokens: self.bias.sum(),
    )
    with pytest.raises(ParameterError, match="the gradient of the reconstruction must reach"):
        train_clusterbert(TEXTS, make())


def test_a_base_that_is_no_transformer_is_refused(make, tmp_path: Path):
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"sea": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    static = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)])
    static.save_pretrained(str(tmp_path / "static"), create_model_card=False)
    with pytest.raises(ParameterError, match="base must be a transformer, got StaticEmbedding"):
        prepare(begin("clusterbert", make(base=str(tmp_path / "static"))), TEXTS)


@pytest.mark.parametrize("text", [" ", "🦜 🦜"])
def test_texts_without_a_known_token_are_refused(make, text: str):
    with pytest.raises(InputError, match="the texts hold no token that the base knows"):
        prepare(begin("clusterbert", make()), [text] * 20)


def test_a_loss_that_is_lost_ends_the_training(make):
    auto, train, _ = prepare(begin("clusterbert", make()), TEXTS)
    with torch.no_grad():
        auto.decoder.bias.fill_(float("nan"))
    with pytest.raises(ParameterError, match="the losses must stay finite, got nan and 0 at step"):
        train_epoch(auto, train, auto.optimizer(), Epoch((0,), 0, 0), Task())
