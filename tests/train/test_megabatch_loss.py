"""The megabatch loss: values by hand, and gradients for every text of the batch."""

from __future__ import annotations

import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MegaBatchMarginLoss

from newsnest.errors import ParameterError
from newsnest.train.losses import MegaBatchLoss, cosines

TEXTS = (
    ["sea wall", "rates held", "storm hits coast", "cup final", "police raid", "vote", "team wins"],
    ["wall breached", "bank holds", "coast town", "final ends", "arrest in raid", "after", "cup"],
)


@pytest.fixture
def model(tiny_model):
    return SentenceTransformer(str(tiny_model), device="cpu").eval()  # no dropout


def features(model: SentenceTransformer) -> list[dict[str, torch.Tensor]]:
    return [dict(model.preprocess(list(texts))) for texts in TEXTS]


def gradients(loss, model: SentenceTransformer) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    with torch.enable_grad():
        value = loss(features(model), torch.ones(len(TEXTS[0])))
    value.backward()
    found = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return value.item(), found


def test_the_value_is_that_of_the_formula():
    a = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 0.0]])
    p = torch.tensor([[0.6, 0.8], [0.0, 1.0], [1.0, 0.0]])
    # cosines: .6 0 1 / .8 1 0 / .6 0 1; hardest others 1, .8, .6
    hand = ((0.8 - 0.6) + (1 - 0.3) + 0 + (0.8 - 0.3) + 0 + (0.6 - 0.3)) / 3
    loss = MegaBatchLoss(torch.nn.Identity())
    found = loss.compute_loss_from_embeddings([a, p], torch.ones(3))
    assert found.item() == pytest.approx(hand)
    alone = loss.compute_loss_from_embeddings([a[:1], p[:1]], torch.ones(1))
    assert alone.item() == pytest.approx(0.2)


def test_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    a, p = (torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    loss = MegaBatchLoss(torch.nn.Identity())
    assert torch.autograd.gradcheck(
        lambda x, y: loss.compute_loss_from_embeddings([x, y], torch.ones(4)), (a, p)
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_whole_batch_gets_gradients_whatever_the_mini_batch(model, size):
    whole, expected = gradients(MegaBatchLoss(model), model)
    value, found = gradients(MegaBatchLoss(model, mini_batch_size=size), model)
    assert value == pytest.approx(whole, abs=1e-6)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)


def test_it_is_the_loss_of_sentence_transformers_in_one_batch(model):
    theirs = MegaBatchMarginLoss(model, use_mini_batched_version=False)
    value, expected = gradients(theirs, model)
    ours, found = gradients(MegaBatchLoss(model), model)
    assert ours == pytest.approx(value, abs=1e-6)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)


def test_every_anchor_and_positive_is_moved():
    torch.manual_seed(1)
    a, p = (torch.randn(9, 16, requires_grad=True) for _ in range(2))
    MegaBatchLoss(torch.nn.Identity()).compute_loss_from_embeddings(
        [a, p], torch.ones(9)
    ).backward()
    assert (a.grad.norm(dim=1) > 0).all() and (p.grad.norm(dim=1) > 0).all()


def test_cosines_are_computed_in_full_precision_under_autocast():
    x = torch.randn(4, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found = cosines(x, x)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.diagonal(), torch.ones(4))


def test_settings_are_said_and_bad_margins_refused(model):
    loss = MegaBatchLoss(model, mini_batch_size=4)
    assert loss.get_config_dict() == {
        "positive_margin": 0.8, "negative_margin": 0.3, "mini_batch_size": 4
    }  # fmt: skip
    assert "wieting" in loss.citation
    with pytest.raises(ParameterError, match=r"margins must be cosines.* got 0.9 and 0.8"):
        MegaBatchLoss(model, negative_margin=0.9)
