"""Restoring texts from their vectors, and the check that it teaches the encoder."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from newsnest.errors import ParameterError
from newsnest.train.losses import ReconstructionDecoder, check_reconstruction
from newsnest.train.recipes.tsdae.autoencoder import cluster_loss


def decoder(dimensions: int = 6, *, table: torch.Tensor | None = None) -> ReconstructionDecoder:
    torch.manual_seed(0)
    embeddings = None if table is None else nn.Parameter(table)
    return ReconstructionDecoder(dimensions, [4, 2, 9], embeddings=embeddings).eval()


def test_knowing_nothing_costs_the_log_of_the_vocabulary():
    made = decoder()
    nn.init.zeros_(made.leave.weight)  # every token is as likely as any other
    tokens = torch.tensor([[0, 1, 2], [2, -100, -100]])
    assert made(torch.ones(2, 6), tokens).item() == pytest.approx(math.log(3))


def test_the_bias_alone_gives_a_loss_by_hand():
    made = decoder()
    nn.init.zeros_(made.leave.weight)
    with torch.no_grad():
        made.bias.copy_(torch.log(torch.tensor([2.0, 1.0, 1.0])))
    # −log ½ once and −log ¼ once, over two tokens.
    loss = made(torch.ones(1, 6), torch.tensor([[0, 2]])).item()
    assert loss == pytest.approx((math.log(2) + math.log(4)) / 2)


@pytest.mark.parametrize("tied", [False, True])
def test_its_gradient_at_the_vectors_is_the_one_of_differences(tied: bool):
    made = decoder(table=torch.randn(12, 6) if tied else None).double()
    if tied:
        made._encoder_table[0] = nn.Parameter(made._encoder_table[0].double())
    vectors = torch.randn(2, 6, dtype=torch.float64, requires_grad=True)
    tokens = torch.tensor([[0, 1, 2], [1, -100, -100]])
    assert torch.autograd.gradcheck(lambda v: made(v, tokens), (vectors,), atol=1e-6)


def test_the_probabilities_of_all_texts_of_a_length_sum_to_one():
    # Only so if no token sees itself or those after it.
    made = decoder()
    texts = [list(text) for text in itertools.product(range(3), repeat=3)]
    with torch.no_grad():
        losses = [3 * made(torch.ones(1, 6), torch.tensor([text])).item() for text in texts]
    assert sum(math.exp(-loss) for loss in losses) == pytest.approx(1, rel=1e-5)


def test_the_vector_decides_what_is_restored():
    torch.manual_seed(1)
    made = ReconstructionDecoder(8, range(5), dropout=0.0)
    vectors = torch.eye(8)[:4]
    tokens = torch.tensor([[0, 1, 2], [3, 4, 0], [1, 1, 1], [2, 0, 4]])
    optimizer = torch.optim.Adam(made.parameters(), 1e-2)
    for _ in range(150):
        loss = made(vectors, tokens)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    assert made(vectors.roll(1, 0), tokens).item() > 1


def test_the_encoders_table_is_trained_and_not_kept_twice():
    table = nn.Parameter(torch.randn(12, 6))
    made = ReconstructionDecoder(6, [1, 2], embeddings=table)
    assert table not in set(made.parameters())
    made(torch.ones(1, 6), torch.tensor([[0, 1]])).backward()
    assert table.grad is not None and table.grad[[1, 2]].abs().sum() > 0
    assert table.grad[5].abs().sum() == 0


def test_a_table_of_another_width_fits():
    made = ReconstructionDecoder(6, [0, 3], embeddings=nn.Parameter(torch.randn(5, 10)))
    assert torch.isfinite(made(torch.randn(2, 6), torch.tensor([[0, 1], [1, 0]])))


def test_texts_without_tokens_cost_nothing():
    assert decoder()(torch.ones(1, 6), torch.full((1, 2), -100)).item() == 0


def test_an_empty_vocabulary_is_refused():
    with pytest.raises(ParameterError, match="vocabulary must not be empty, got no token"):
        ReconstructionDecoder(6, [])


def test_a_loss_that_does_not_read_the_vectors_is_found_out():
    vectors = torch.ones(2, 3, requires_grad=True)
    other = torch.ones(2, requires_grad=True)
    for loss in (other.sum(), torch.tensor(1.0), (vectors * 0).sum()):
        with pytest.raises(ParameterError, match=r"must reach the vectors of the texts, got lengt"):
            check_reconstruction(loss, vectors)
    assert check_reconstruction((vectors**2).sum(), vectors) == pytest.approx(math.sqrt(24))


def test_the_cluster_loss_by_hand():
    logits = torch.log(torch.tensor([[0.5, 0.5], [0.25, 0.75]]))
    shares = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    rows = [math.log(2), (math.log(4) + math.log(4 / 3)) / 2]
    sure = cluster_loss(logits, shares, torch.ones(2)).item()
    assert sure == pytest.approx(sum(rows) / 2)
    half = cluster_loss(logits, shares, torch.tensor([1.0, 0.0])).item()
    assert half == pytest.approx(rows[0] / 2)
    assert cluster_loss(logits, shares, torch.zeros(2)).item() == 0


def test_the_cluster_loss_has_the_gradient_of_differences():
    logits = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    shares = torch.rand(3, 4, dtype=torch.float64).softmax(1)
    confidence = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: cluster_loss(x, shares, confidence), (logits,))
