"""Every loss on values worked out by hand, its gradient, and what it must not mind."""

from __future__ import annotations

from math import exp, log

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from newsnest.errors import ParameterError
from newsnest.train.losses import (
    CosineRankingLoss,
    InBatchContrastiveLoss,
    LevelwiseMatryoshkaLoss,
    LevelwiseTerms,
    SymmetricAngleLoss,
    TrainingLevel,
    angle_similarity,
    ranking_loss,
    read_targets,
    training_levels,
)

MODEL = nn.Identity()
LEVELS = (TrainingLevel("topic", 2, 0.375), TrainingLevel("story", 4, 0.625))


def vectors(n: int, d: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def losses() -> list[tuple[nn.Module, int]]:
    """Every loss with the number of embeddings it takes."""
    return [
        (CosineRankingLoss(MODEL), 2),
        (SymmetricAngleLoss(MODEL), 2),
        (SymmetricAngleLoss(MODEL, symmetric=False), 2),
        (InBatchContrastiveLoss(MODEL), 4),
        (InBatchContrastiveLoss(MODEL, unlike="negative"), 4),
        (InBatchContrastiveLoss(MODEL, variant="paper"), 4),
        (LevelwiseMatryoshkaLoss(MODEL, LEVELS), 4),
        (LevelwiseMatryoshkaLoss(MODEL, LEVELS, graded_story=False), 4),
        (LevelwiseMatryoshkaLoss(MODEL, LEVELS, variant="paper"), 4),
        (LevelwiseMatryoshkaLoss(MODEL, LEVELS, terms=LevelwiseTerms(dropout_views=False)), 2),
    ]


def named(case: tuple[nn.Module, int]) -> str:
    settings = [v for v in case[0].get_config_dict().values() if isinstance(v, str | bool)]
    return "-".join([type(case[0]).__name__, *map(str, settings), str(case[1])])


each_loss = pytest.mark.parametrize(("loss", "count"), losses(), ids=map(named, losses()))


def test_ranking_loss_is_that_of_its_formula():
    similarities, targets = vectors(40, 1)[:, 0], torch.randint(0, 4, (40,)) / 4
    terms = [
        exp(20 * (similarities[i] - similarities[j]).item())
        for i in range(40)
        for j in range(40)
        if targets[i] < targets[j]
    ]
    found = ranking_loss(similarities, targets, scale=20.0)
    assert found.item() == pytest.approx(log(1 + sum(terms)), rel=1e-12)


def test_ranking_loss_is_zero_with_zero_gradient_where_all_labels_are_equal():
    similarities = vectors(5, 1)[:, 0].requires_grad_()
    loss = ranking_loss(similarities, torch.full((5,), 0.5), scale=20.0)
    loss.backward()
    assert loss.item() == 0 and similarities.grad.tolist() == [0] * 5


def test_ranking_loss_of_one_pair_in_the_right_and_one_in_the_wrong_order():
    targets = torch.tensor([0.0, 1.0])
    right = ranking_loss(torch.tensor([0.1, 0.2]), targets, scale=20.0)
    wrong = ranking_loss(torch.tensor([0.2, 0.1]), targets, scale=20.0)
    assert right.item() == pytest.approx(log(1 + exp(-2)))
    assert wrong.item() == pytest.approx(log(1 + exp(2)))


def test_cosine_ranking_is_the_stock_loss_of_the_library():
    from sentence_transformers.sentence_transformer.losses import CoSENTLoss

    a, b, labels = vectors(9, 8), vectors(9, 8, 1), torch.arange(9) % 3 / 3
    stock = CoSENTLoss(MODEL).compute_loss_from_embeddings([a, b], labels)
    assert CosineRankingLoss(MODEL).compute_loss_from_embeddings([a, b], labels) == pytest.approx(
        stock.item(), rel=1e-12
    )


def test_angle_similarity_by_hand():
    # x = 0 + i, y = .6 + .8i: cosine .8, imaginary part 1 · .6 − 0 · .8 = .6.
    x, y = torch.tensor([[0.0, 3.0]]), torch.tensor([[1.2, 1.6]])
    assert angle_similarity(x, y, symmetric=False).item() == pytest.approx(1.4)
    assert angle_similarity(y, x, symmetric=False).item() == pytest.approx(0.2)
    assert angle_similarity(x, y).item() == pytest.approx(0.8)


def test_angle_similarity_is_the_division_of_complex_numbers():
    x, y = vectors(6, 10), vectors(6, 10, 1)
    zx, zy = torch.complex(*x.chunk(2, 1)), torch.complex(*y.chunk(2, 1))
    lengths = x.norm(dim=1), y.norm(dim=1)
    quotient = (zx * zy.conj()).sum(1) / lengths[1] ** 2 / (lengths[0] / lengths[1])
    expected = (quotient.real + quotient.imag).abs()
    assert torch.allclose(angle_similarity(x, y, symmetric=False), expected)


def test_symmetric_angle_similarity_does_not_mind_the_order():
    x, y = vectors(20, 8), vectors(20, 8, 1)
    assert torch.equal(angle_similarity(x, y), angle_similarity(y, x))
    assert not torch.allclose(
        angle_similarity(x, y, symmetric=False), angle_similarity(y, x, symmetric=False)
    )


def test_angle_similarity_of_opposite_vectors_is_that_of_equal_ones():
    x = vectors(4, 6)
    assert torch.allclose(angle_similarity(x, -x), angle_similarity(x, x))


def test_clean_contrastive_loss_by_hand():
    # Rows [a; b′] against columns [a′; b], orthogonal but for the two of the first pair.
    e = torch.eye(4, dtype=torch.float64)
    a, b = e[[0, 1]], torch.stack([e[0], e[2]])
    loss = InBatchContrastiveLoss(MODEL, temperature=1.0)
    found = loss.compute_loss_from_embeddings([a, a, b, b], torch.tensor([0.75, 0.0]))
    like = log(1 + 2 * exp(-1))  # own view and partner have cosine 1, two negatives have 0
    unlike = log(1 + 2 * exp(-1))  # own view 1, the partner is masked, two negatives have 0
    assert found.item() == pytest.approx((2 * like + 2 * unlike) / 4)
    hard = InBatchContrastiveLoss(MODEL, temperature=1.0, unlike="negative")
    found = hard.compute_loss_from_embeddings([a, a, b, b], torch.tensor([0.75, 0.0]))
    assert found.item() == pytest.approx((2 * like + 2 * log(1 + 3 * exp(-1))) / 4)


def test_paper_contrastive_loss_by_hand():
    e = torch.eye(4, dtype=torch.float64)
    a, b = e[[0, 1]], torch.stack([e[0], e[2]])
    loss = InBatchContrastiveLoss(MODEL, variant="paper", temperature=1.0)
    found = loss.compute_loss_from_embeddings([a, a, b, b], torch.tensor([0.75, 0.0]))
    first = log((2 * exp(1) + 2) / (2 * exp(1)))
    second = log((exp(1) + 3) / (exp(1) + 1))  # the partner counts although it is unlike
    assert found.item() == pytest.approx(2 * first + 2 * second)


def test_texts_of_one_group_are_no_negatives_and_unknown_groups_mask_nothing():
    a, b = vectors(2, 6), vectors(2, 6, 1)
    loss = InBatchContrastiveLoss(MODEL)
    alone = [
        loss.compute_loss_from_embeddings(
            [x[i : i + 1] for x in (a, a, b, b)], torch.tensor([0.75])
        )
        for i in range(2)
    ]
    joined, unknown, apart = (
        loss.compute_loss_from_embeddings(
            [a, a, b, b], torch.tensor([[0.75, *first], [0.75, *second]])
        )
        for first, second in (((3, 3), (3, 3)), ((-1, -1), (-1, -1)), ((3, 3), (4, 4)))
    )
    assert joined.item() == pytest.approx((sum(alone) / 2).item())
    assert joined < unknown and unknown == apart


def test_level_loss_is_the_sum_of_its_terms_over_the_prefixes():
    a, a2, b, b2 = (vectors(5, 4, seed) for seed in range(4))
    labels = torch.tensor([0.75, 0.5, 0.25, 0.0, 0.75])
    expected = 0.0
    for dims, cut in ((2, 0.375), (4, 0.625)):
        p = [nn.functional.normalize(x[:, :dims], dim=1) for x in (a, a2, b, b2)]
        ends = [(0, 1), (2, 3), (0, 2), (1, 3), (0, 3), (1, 2)]
        left, right = (torch.cat([p[pair[k]] for pair in ends]) for k in (0, 1))
        target = (labels >= cut).float()
        target = torch.cat([torch.ones(10), *[target] * 4])
        contrast = InBatchContrastiveLoss(MODEL, min_score=cut)
        expected += (
            ranking_loss((left * right).sum(1), target, scale=20.0)
            + ranking_loss(angle_similarity(left, right), target, scale=1.0)
            + contrast.compute_loss_from_embeddings(p, labels)
        )
    loss = LevelwiseMatryoshkaLoss(MODEL, LEVELS, graded_story=False)
    found = loss.compute_loss_from_embeddings([a, a2, b, b2], labels)
    assert found.item() == pytest.approx(float(expected), rel=1e-12)


def test_each_level_has_labels_of_its_own():
    # Somewhat similar: alike at the topic, not at the story.
    labels = torch.tensor([0.5, 0.0])
    a = torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 1.0]])
    b = torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]])
    terms = LevelwiseTerms(angle=0, contrastive=0, dropout_views=False)
    topic, story = (
        LevelwiseMatryoshkaLoss(MODEL, [level], graded_story=False, terms=terms) for level in LEVELS
    )
    assert topic.compute_loss_from_embeddings([a, b], labels).item() == pytest.approx(0, abs=1e-6)
    assert story.compute_loss_from_embeddings([a, b], labels).item() == 0  # nothing to rank
    graded = LevelwiseMatryoshkaLoss(MODEL, [LEVELS[1]], graded_story=True, terms=terms)
    assert graded.compute_loss_from_embeddings([b, a], labels).item() == pytest.approx(0, abs=1e-6)
    swapped = labels.flip(0)
    assert graded.compute_loss_from_embeddings([a, b], swapped).item() == pytest.approx(
        20, rel=1e-3
    )


def test_the_grade_of_a_level_is_the_one_next_to_the_score():
    theme, topic, story = training_levels(32)
    assert [level.dims for level in (theme, topic, story)] == [8, 16, 32]
    for grade, like in ((0.75, 3), (0.5, 2), (0.25, 1), (0.0, 0)):
        for score in (grade - 0.1, grade, grade + 0.1):
            assert sum(score >= level.min_score for level in (theme, topic, story)) == like


@each_loss
def test_gradient_is_that_of_finite_differences(loss: nn.Module, count: int):
    labels = torch.tensor([0.75, 0.5, 0.25, 0.0], dtype=torch.float64)
    inputs = tuple(vectors(4, 4, seed).requires_grad_() for seed in range(count))

    def value(*embeddings: torch.Tensor) -> torch.Tensor:
        return loss.compute_loss_from_embeddings(embeddings, labels)

    assert gradcheck(value, inputs, atol=1e-4)


@each_loss
def test_a_batch_of_one_pair_has_a_finite_loss_and_gradient(loss: nn.Module, count: int):
    for score in (0.75, 0.0):
        inputs = [vectors(1, 4, seed).requires_grad_() for seed in range(count)]
        value = loss.compute_loss_from_embeddings(inputs, torch.tensor([score]))
        value.backward()
        assert value.isfinite() and all(x.grad.isfinite().all() for x in inputs)


@each_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(loss: nn.Module, count: int, dtype: torch.dtype):
    labels = torch.tensor([0.75, 0.5, 0.25, 0.0] * 4)
    halves = [vectors(16, 4, seed).to(dtype) for seed in range(count)]
    inputs = [x.clone().requires_grad_() for x in halves]
    found = loss.compute_loss_from_embeddings(inputs, labels.to(dtype))
    exact = loss.compute_loss_from_embeddings([x.float() for x in halves], labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = loss.compute_loss_from_embeddings([x.float() for x in halves], labels)
    found.backward()
    assert found.dtype == torch.float32 and found.item() == pytest.approx(exact.item(), rel=1e-6)
    assert cast.item() == pytest.approx(exact.item(), rel=1e-6)
    assert all(x.grad.dtype == dtype and x.grad.isfinite().all() for x in inputs)


@each_loss
def test_every_loss_says_its_settings_and_its_source(loss: nn.Module, count: int):
    assert loss.get_config_dict() and "title={" in loss.citation


def test_targets_are_scores_or_rows_of_scores_and_groups():
    targets = read_targets(torch.tensor([[0.5, 7, 8, 1, -1]]), 1)
    assert targets.groups.tolist() == [[[7, 8], [1, -1]]]
    assert targets.group(0).tolist() == [[[7, 8], [1, -1]]]
    assert targets.group(5).tolist() == [[[1, -1]]]
    plain = read_targets(torch.tensor([1, 0]), 2)
    assert plain.scores.tolist() == [1.0, 0.0] and plain.group(0) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: read_targets(torch.ones(2, 2), 2),
            "read_targets: labels must be a score for each",
        ),
        (lambda: read_targets(torch.ones(3), 2), r"of 2 pairs.*got shape \(3,\)"),
        (
            lambda: angle_similarity(vectors(1, 3), vectors(1, 3)),
            "x must have an even number of dimensions, got 3",
        ),
        (lambda: training_levels(12), "dimensions must be a multiple of 8, got 12"),
        (lambda: LevelwiseMatryoshkaLoss(MODEL, []), "levels must hold one at least, got none"),
        (
            lambda: LevelwiseMatryoshkaLoss(MODEL, [TrainingLevel("x", 3, 0.5)]),
            "levels must have even prefixes of 2 dimensions or more, got 3 for x",
        ),
        (
            lambda: LevelwiseMatryoshkaLoss(MODEL, LEVELS[::-1]),
            r"levels must go from coarse to fine.*got \[4, 2\]",
        ),
        (
            lambda: LevelwiseMatryoshkaLoss(MODEL, LEVELS).compute_loss_from_embeddings(
                [vectors(1, 2)] * 4, torch.ones(1)
            ),
            "levels must fit into the embedding of 2 dimensions, got 4 for story",
        ),
        (
            lambda: LevelwiseMatryoshkaLoss(MODEL, LEVELS, variant="new"),
            "LevelwiseMatryoshkaLoss: variant must be one of clean, paper, got 'new'",
        ),
        (
            lambda: LevelwiseMatryoshkaLoss(MODEL, LEVELS, terms=LevelwiseTerms(0, 0, 0)),
            "terms must hold one of positive weight, got none",
        ),
        (
            lambda: InBatchContrastiveLoss(MODEL, unlike="hard"),
            "unlike must be one of masked, negative, got 'hard'",
        ),
        (
            lambda: InBatchContrastiveLoss(MODEL, temperature=0),
            "temperature must be positive, got 0",
        ),
        (
            lambda: CosineRankingLoss(MODEL, mini_batch_size=0),
            "mini_batch_size must be at least 1 or None, got 0",
        ),
        (
            lambda: CosineRankingLoss(MODEL)([{}] * 3, torch.ones(1)),
            "columns must be two texts and a label, got 3 columns",
        ),
    ],
)
def test_what_cannot_be_is_said(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
