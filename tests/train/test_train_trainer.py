"""The trainer of sentence-transformers trains with our losses, pairs and sampler."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from datasets import DatasetDict
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
from sentence_transformers.sentence_transformer.training_args import (
    SentenceTransformerTrainingArguments,
)

from newsnest.errors import ParameterError
from newsnest.labelled import GRADES, Pair
from newsnest.train.losses import (
    CosineRankingLoss,
    InBatchContrastiveLoss,
    LevelwiseMatryoshkaLoss,
    LevelwiseTerms,
    SymmetricAngleLoss,
    training_levels,
)
from newsnest.train.pairs import pair_dataset
from newsnest.train.samplers import ComponentBatchSampler

STORIES = (
    ("weather", "sea wall breached", "storm hits the coast", "town storm breached the wall"),
    ("money", "bank raises rates", "rates held", "the bank holds rates"),
    ("sport", "team wins cup", "cup final ends", "team wins final"),
    ("police", "three in raid", "police arrest three", "arrest after police raid"),
)


def invented_pairs() -> list[Pair]:
    pairs = []
    for i, (theme, *texts) in enumerate(STORIES):
        gold = (theme, "", theme)
        for a, b in ((0, 1), (0, 2), (1, 2)):
            pairs.append(Pair(texts[a], texts[b], GRADES["VS"], gold1=gold, gold2=gold))
        other, *strangers = STORIES[(i + 1) % len(STORIES)]
        away = (other, "", other)
        pairs += [Pair(texts[k], strangers[k], 0.0, gold1=gold, gold2=away) for k in range(3)]
    return pairs


def arguments(folder: Path, **changes) -> SentenceTransformerTrainingArguments:
    settings = {
        "output_dir": str(folder),
        "per_device_train_batch_size": 8,
        "num_train_epochs": 2,
        "learning_rate": 1e-3,
        "batch_sampler": ComponentBatchSampler,
        "report_to": "none",
        "use_cpu": True,
        "save_strategy": "no",
        "disable_tqdm": True,
        "logging_steps": 1,
    }
    return SentenceTransformerTrainingArguments(**{**settings, **changes})


def loaded(folder: Path) -> SentenceTransformer:
    torch.manual_seed(0)
    return SentenceTransformer(str(folder), device="cpu")


def features_of(model: SentenceTransformer, pairs: list[Pair]) -> list[dict[str, torch.Tensor]]:
    return [
        {k: v for k, v in model.preprocess(texts).items() if isinstance(v, torch.Tensor)}
        for texts in ([p.text1 for p in pairs], [p.text2 for p in pairs])
    ]


def test_a_few_epochs_lower_the_loss_and_see_every_pair(tiny_model: Path, tmp_path: Path):
    pairs = invented_pairs()
    seen: list[int] = []

    class Counting(LevelwiseMatryoshkaLoss):
        def compute_loss_from_embeddings(self, embeddings, labels):
            if torch.is_grad_enabled():
                seen.append(len(labels))
            return super().compute_loss_from_embeddings(embeddings, labels)

    model = loaded(tiny_model)
    dataset = pair_dataset(pairs)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments(tmp_path, num_train_epochs=5),
        train_dataset=dataset,
        eval_dataset=dataset,
        loss=Counting(model, training_levels(32)),
    )
    before = trainer.evaluate()["eval_loss"], gap(model, pairs)
    trainer.train()
    after = trainer.evaluate()["eval_loss"], gap(model, pairs)
    assert sum(seen) == 5 * len(pairs)
    assert len(seen) == 5 * len(ComponentBatchSampler(dataset, 8, seed=42))
    assert after[0] < 0.7 * before[0] and after[1] > before[1] + 0.2


def gap(model: SentenceTransformer, pairs: list[Pair]) -> float:
    """How much nearer pairs of a story are than pairs of two, by mean cosine."""
    first, second = (
        model.encode([getattr(p, t) for p in pairs], convert_to_tensor=True)
        for t in ("text1", "text2")
    )
    cosines = torch.nn.functional.cosine_similarity(first, second)
    like = torch.tensor([p.score > 0 for p in pairs])
    return (cosines[like].mean() - cosines[~like].mean()).item()


@pytest.mark.parametrize("kind", [CosineRankingLoss, SymmetricAngleLoss, InBatchContrastiveLoss])
def test_every_loss_trains_alone(tiny_model: Path, tmp_path: Path, kind: type):
    model = loaded(tiny_model)
    before = model.encode("rates held")
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments(tmp_path, max_steps=2),
        train_dataset=pair_dataset(invented_pairs()),
        loss=kind(model),
    )
    trainer.train()
    assert all(log.get("loss", 0) >= 0 for log in trainer.state.log_history)
    assert abs(model.encode("rates held") - before).max() > 1e-4


def test_several_data_sets_each_with_its_loss_and_its_sampler(tiny_model: Path, tmp_path: Path):
    model = loaded(tiny_model)
    pairs = invented_pairs()
    scores = [Pair(p.text1, p.text2, p.score) for p in pairs[:10]]
    data = DatasetDict(gold=pair_dataset(pairs), graded=pair_dataset(scores))
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments(tmp_path, batch_sampler=partial(ComponentBatchSampler, min_score=0.75)),
        train_dataset=data,
        loss={
            "gold": LevelwiseMatryoshkaLoss(model, training_levels(32)),
            "graded": CosineRankingLoss(model),
        },
    )
    loader = trainer.get_train_dataloader()
    sampler = partial(ComponentBatchSampler, min_score=0.75)
    lengths = [len(sampler(part, 8, seed=42)) for part in data.values()]
    assert len(loader) == sum(lengths)
    assert sum(len(batch["label"]) for batch in loader) == len(pairs) + len(scores)
    trainer.train()
    assert trainer.state.global_step == 2 * sum(lengths)


def test_what_was_trained_is_saved_with_its_settings_and_sources(tiny_model: Path, tmp_path: Path):
    model = loaded(tiny_model)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments(tmp_path, max_steps=1, bf16=True),
        train_dataset=pair_dataset(invented_pairs()),
        loss=LevelwiseMatryoshkaLoss(model, training_levels(32), variant="paper"),
    )
    trainer.train()
    model.save_pretrained(str(tmp_path / "model"))
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "hanley2025hierarchical" in card and '"variant": "paper"' in card
    again = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    # What was trained still runs in bfloat16, what was loaded in float32.
    assert abs(again.encode("rates held") - model.encode("rates held")).max() < 0.01


@pytest.mark.parametrize("views", [True, False])
def test_gradient_caching_changes_neither_loss_nor_gradient(tiny_model: Path, views: bool):
    pairs = invented_pairs()
    labels = torch.tensor(pair_dataset(pairs)["label"][:])
    found = []
    for size in (None, 5):
        model = loaded(tiny_model).eval()  # without dropout, which depends on the batch
        loss = LevelwiseMatryoshkaLoss(
            model,
            training_levels(32),
            terms=LevelwiseTerms(dropout_views=views),
            mini_batch_size=size,
        )
        value = loss(features_of(model, pairs), labels)
        value.backward()
        found.append((value.item(), torch.cat([p.grad.flatten() for p in used(model)])))
        with torch.no_grad():
            assert loss(features_of(model, pairs), labels).item() == pytest.approx(value.item())
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-5)
    assert torch.allclose(found[1][1], found[0][1], rtol=1e-3, atol=1e-5)


def used(model: SentenceTransformer) -> list[torch.nn.Parameter]:
    return [p for p in model.parameters() if p.grad is not None]


def test_gradient_caching_trains_with_dropout(tiny_model: Path, tmp_path: Path):
    model = loaded(tiny_model)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments(tmp_path, max_steps=2),
        train_dataset=pair_dataset(invented_pairs()),
        loss=LevelwiseMatryoshkaLoss(model, training_levels(32), mini_batch_size=3),
    )
    trainer.train()
    assert trainer.state.global_step == 2


def test_two_views_of_a_text_differ_by_dropout_and_leave_the_features_as_they_were(
    tiny_model: Path,
):
    model = loaded(tiny_model).train()
    views: list[torch.Tensor] = []

    class Watching(InBatchContrastiveLoss):
        def compute_loss_from_embeddings(self, embeddings, labels):
            views.extend(embeddings)
            return super().compute_loss_from_embeddings(embeddings, labels)

    features = features_of(model, invented_pairs()[:4])
    names = [set(column) for column in features]
    Watching(model)(features, torch.ones(4))
    assert [set(column) for column in features] == names
    assert not torch.allclose(views[0], views[1]) and not torch.allclose(views[2], views[3])


def test_static_vectors_are_not_cached():
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)], device="cpu")
    with pytest.raises(ParameterError, match="mini_batch_size must be None for static vectors"):
        CosineRankingLoss(model, mini_batch_size=4)


def test_levels_must_fit_into_the_model(tiny_model: Path):
    with pytest.raises(ParameterError, match="fit into the embedding of 32 dimensions, got 64"):
        LevelwiseMatryoshkaLoss(loaded(tiny_model), training_levels(64))


def test_pairs_are_read_without_loading_torch():
    code = "import sys, newsnest.train.pairs, newsnest.train; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "sentence_transformers", "datasets", "numba"} & set(out.stdout.split())
