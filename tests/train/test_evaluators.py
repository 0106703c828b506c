"""The evaluators give the trainer what the functions under them say."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from newsnest.errors import ParameterError
from newsnest.evaluate import alignment_scores, pair_scores
from newsnest.labelled import Pair, ParallelTexts

PAIRS = [
    Pair("sea wall breached", "storm hits coast", 2 / 3, lang1="en", lang2="en"),
    Pair("rates held", "bank holds rates", 1.0, lang1="en", lang2="fr"),
    Pair("team wins cup final", "minister resigns", 0.0, lang1="en", lang2="en"),
    Pair("rates held", "strike ends", 1 / 3, lang1="en", lang2="fr"),
]
FRENCH = ParallelTexts(
    "fr", "en", ("the sea", "bank", "strike ends"), ("sea", "the bank", "strike query")
)


@pytest.fixture(scope="module")
def model(tiny_model):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(tiny_model), device="cpu")


def encoded(model, texts):
    return np.asarray(model.encode(texts), np.float32)


def test_graded_pairs_are_scored_at_every_prefix_level_and_language_pair(model):
    from newsnest.train.evaluators import GradedPairEvaluator

    evaluator = GradedPairEvaluator(PAIRS, name="news")
    metrics = evaluator(model)
    left = encoded(model, [p.text1 for p in PAIRS])
    right = encoded(model, [p.text2 for p in PAIRS])
    scores = pair_scores(PAIRS, left, right, resamples=0)
    whole = [s for s in scores if s.languages == "all"]
    assert metrics["news_pearson_8"] == pytest.approx(whole[0].pearson.value, abs=1e-5)
    assert metrics["news_auroc_story_32"] == pytest.approx(whole[2].auroc["story"].value)
    assert "news_spearman_en-fr_16" in metrics
    mean = np.mean([s.pearson.value for s in whole])
    assert metrics[evaluator.primary_metric] == pytest.approx(mean, abs=1e-5)
    assert evaluator.greater_is_better
    assert all(isinstance(value, float) for value in metrics.values())


def test_alignment_is_scored_by_prefix_and_language(model):
    from newsnest.train.evaluators import AlignmentEvaluator

    evaluator = AlignmentEvaluator([FRENCH, FRENCH], dims=[8, 32])
    metrics = evaluator(model)
    scores = alignment_scores(
        FRENCH,
        encoded(model, list(FRENCH.texts)),
        encoded(model, list(FRENCH.pivot_texts)),
        dims=[8, 32],
        resamples=0,
    )
    assert metrics["relational_8"] == pytest.approx(scores[0].relational.value, abs=1e-4)
    assert metrics["relational_fr_32"] == pytest.approx(scores[1].relational.value, abs=1e-4)
    assert metrics[evaluator.primary_metric] == metrics["relational_32"]
    assert metrics["found"] == pytest.approx(scores[1].found.value)
    assert evaluator.get_config_dict() == {"dims": [8, 32]}


def test_a_file_gets_a_line_a_score_each_time_and_the_model_card_the_scores(model, tmp_path):
    from newsnest.train.evaluators import GradedPairEvaluator

    evaluator = GradedPairEvaluator(PAIRS, dims=[32], name="news")
    evaluator(model, str(tmp_path / "eval"), epoch=1, steps=10)
    metrics = evaluator(model, str(tmp_path / "eval"), epoch=2, steps=20)
    with (tmp_path / "eval" / "GradedPairEvaluator_news_results.csv").open() as file:
        rows = list(csv.DictReader(file))
    last = [row for row in rows if row["epoch"] == "2" and row["score"] == "pearson_32"]
    assert [float(row["value"]) for row in last] == [metrics["news_pearson_32"]]
    assert len(rows) == 2 * len(metrics)
    assert evaluator in model.model_card_data.eval_results_dict
    quiet = GradedPairEvaluator(PAIRS, write_csv=False)
    quiet(model, str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_both_run_in_a_sequence_of_evaluators(model):
    from sentence_transformers.sentence_transformer.evaluation import SequentialEvaluator

    from newsnest.train.evaluators import AlignmentEvaluator, GradedPairEvaluator

    both = SequentialEvaluator([GradedPairEvaluator(PAIRS), AlignmentEvaluator([FRENCH])])
    metrics = both(model)
    assert {"pearson", "relational"} <= set(metrics)


def test_a_model_whose_vectors_are_all_alike_scores_nothing(model, monkeypatch):
    from newsnest.train.evaluators import AlignmentEvaluator, GradedPairEvaluator

    monkeypatch.setattr(model, "encode", lambda texts, **_: np.ones((len(texts), 4), np.float32))
    metrics = GradedPairEvaluator(PAIRS)(model)
    assert metrics["pearson"] == 0.0
    assert "pearson_4" not in metrics
    assert AlignmentEvaluator([FRENCH])(model)["relational"] == 0.0


def test_nothing_to_evaluate_is_refused_before_training():
    from newsnest.train.evaluators import AlignmentEvaluator, GradedPairEvaluator

    with pytest.raises(ParameterError, match="at least two different similarities, got 0 pairs"):
        GradedPairEvaluator([])
    with pytest.raises(ParameterError, match="languages must hold at least one language, got none"):
        AlignmentEvaluator([])


def test_transfer_is_measured_against_the_teachers_originals(model, make_tiny_model):
    import torch
    from sentence_transformers import SentenceTransformer

    from newsnest.evaluate import relational_similarity
    from newsnest.train.pairs import Pair
    from newsnest.train.recipes.align.train import TransferEvaluator

    originals = ["sea wall", "bank raises rates", "vote ends", "team wins"]
    translations = ["the storm", "police raid", "cup final", "minister resigns"]
    pairs = [
        Pair(translation, original, 1.0, lang1=language, lang2="en")
        for translation, original, language in zip(
            translations, originals, ["fr", "fr", "fr", "de"], strict=True
        )
    ]
    evaluator = TransferEvaluator(pairs, teacher=model, name="held")
    metrics = evaluator(model)
    found = relational_similarity(encoded(model, translations), encoded(model, originals))
    assert metrics["held_relational"] == pytest.approx(found, abs=1e-5)
    assert metrics["held_kept"] == pytest.approx(1.0)
    assert metrics[evaluator.primary_metric] == pytest.approx((1 + found) / 2, abs=1e-5)
    assert "held_relational_fr" in metrics and "held_relational_de" not in metrics

    other = SentenceTransformer(str(make_tiny_model()), device="cpu")
    with torch.no_grad():
        for weight in other.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    assert evaluator(other)["held_kept"] < 0.999
    with pytest.raises(ParameterError, match="TransferEvaluator: pairs must hold at least 3"):
        TransferEvaluator(pairs[:1], teacher=model)
