"""Soft clusters around centres, and their own sharper version as a target: DEC's two formulas."""

import torch
from torch import Tensor

from newsnest.train.losses.pair_loss import full_precision

_TINY = 1e-12


def student_assignment(vectors: Tensor, centres: Tensor, *, alpha: float = 1.0) -> Tensor:
    """Return how far each row belongs to each centre, by Student's t.

    Parameters
    ----------
    vectors
        (n, d).
    centres
        (k, d).
    alpha
        Degrees of freedom.

    Returns
    -------
    (n, k), rows sum to 1: (1 + ‖z − μ‖² / α)^(−(α + 1)/2), over its row's sum.

    Notes
    -----
    In float32 at least. Source: van der Maaten (2009); Xie et al., DEC (2016), equation 1.

    Example
    -------
    >>> student_assignment(torch.zeros(1, 1), torch.tensor([[0.0], [1.0]])).tolist()[0][0]
    0.6666666865348816
    """
    vectors, centres = full_precision(vectors), full_precision(centres)
    with torch.autocast(vectors.device.type, enabled=False):
        # Not by a matrix product, whose rounding can make small distances negative.
        squares = torch.cdist(
            vectors, centres, compute_mode="donot_use_mm_for_euclid_dist"
        ).square()  # (n, k)
        weights = (1 + squares / alpha).pow(-(alpha + 1) / 2)
        return weights / weights.sum(dim=1, keepdim=True)


def sharpened(assignment: Tensor) -> Tensor:
    """Return a soft assignment's own target: squares over the size of each cluster.

    Parameters
    ----------
    assignment
        (n, k), rows sum to 1.

    Returns
    -------
    (n, k), rows sum to 1: q²/f over its row's sum, where f is the sum of q over the rows. Constant:
    no gradient flows through a target.

    Notes
    -----
    Sizes are those of the rows given: a batch, or all rows. Source: DEC (2016), equation 3.

    Example
    -------
    >>> sharpened(torch.tensor([[0.75, 0.25], [0.25, 0.75]])).tolist()[0]
    [0.8999999761581421, 0.10000000149011612]
    """
    q = assignment.detach()
    weight = q.square() / q.sum(dim=0).clamp_min(_TINY)
    return weight / weight.sum(dim=1, keepdim=True).clamp_min(_TINY)


def target_divergence(assignment: Tensor, target: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of an assignment from its target, mean over the rows.

    Parameters
    ----------
    assignment, target
        (n, k) each, rows sum to 1.

    Example
    -------
    >>> half = torch.tensor([[0.5, 0.5]])
    >>> target_divergence(half, half).item()
    0.0
    """
    logs = target.clamp_min(_TINY).log() - assignment.clamp_min(_TINY).log()
    return (target * logs).sum(dim=1).mean()
