"""SparseGPT: what is pruned is made up for by what is not, column by column (Frantar & Alistarh, 2023, arXiv 2301.00774)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..exact_cut import keep_all_but
from ..layer_by_layer import layer_by_layer
from ..method import Method, positive, register, whole
from ..solved_order import Request, Solved


def build(request: Request) -> Solved:
    damping, block = request.options["damping"], request.options["block"]

    def prune(weight: Tensor, products: Tensor, crossed: Tensor, count: int) -> tuple[Tensor, Tensor]:
        keep, new = prune_layer(weight, products, count, damping, block)
        return torch.from_numpy(keep), new

    return layer_by_layer(request, prune)


def prune_layer(weight: Tensor, products: Tensor, count: int, damping: float, block: int) -> tuple[np.ndarray, Tensor]:
    """Prune exactly `count` weights of a layer and update the others: (kept, bool (out, in); new weight, float32).

    >>> keep, new = prune_layer(torch.tensor([[2.0, 1.0]]), torch.tensor([[1.0, 0.9], [0.9, 1.0]]), 1, 1e-9, 128)
    >>> keep.tolist(), new                                    # the second takes over nine tenths of the first
    ([[False, True]], tensor([[0.0000, 2.8000]]))

    Args:
        weight: (out, in). products: X^T X of its inputs, (in, in). damping: share of the mean diagonal added to it.
    """
    if not count:
        return np.ones(weight.shape, dtype=bool), weight.clone()
    rows, columns = weight.shape
    dead = products.diagonal() == 0
    factor = _inverse_factor(products.double(), dead, damping).float()
    w = weight.float().T.clone()  # a column of the weight is a row here, in one piece
    keep = np.ones((rows, columns), dtype=bool)
    pruned = 0
    for first in range(0, columns, block):
        last = min(first + block, columns)
        target = count * last // columns  # of all columns so far: whole numbers, and exactly `count` in the end
        part, u = w[first:last], factor[first:last, first:last]
        scores = (part / u.diagonal()[:, None]).square()
        scores[dead[first:last]] = -1  # inputs that are always zero go first
        kept = keep_all_but(scores.T.reshape(-1).numpy(), target - pruned).reshape(rows, last - first)
        keep[:, first:last], pruned = kept, target
        gone = torch.from_numpy(~kept.T)
        errors = torch.zeros_like(part)
        for j in range(last - first):
            errors[j] = part[j] * gone[j] / u[j, j]
            part[j:].addr_(u[j, j:], errors[j], alpha=-1)
        part.masked_fill_(gone, 0)  # exactly
        w[last:].addmm_(factor[first:last, last:].T, errors, alpha=-1)
    return keep, w.T.contiguous()


def _inverse_factor(products: Tensor, dead: Tensor, damping: float) -> Tensor:
    """U, upper triangular, with U^T U = (H + damping)^-1."""
    h = products + torch.diag(dead.double())
    h += torch.eye(len(h), dtype=torch.float64) * damping * h.diagonal().mean()
    return torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h)), upper=True)


register(
    Method(
        name="sparsegpt",
        title="SparseGPT",
        paper="Frantar & Alistarh, ICML 2023, arXiv 2301.00774",
        formula="w_ij^2 / [H^-1]_jj, the rest moved to keep W X; every layer at the target sparsity",
        latex=r"\frac{w_{ij}^2}{[H^{-1}]_{jj}}\ \text{, the rest moved to keep } WX",
        idea=(
            "Going through the columns, the error of every pruned weight is passed on to the columns still to come. "
            "All layers see the dense model's activations, so that one calibration serves every sparsity."
        ),
        needs=frozenset({"moments"}),
        nested=False,
        updates_weights=True,
        options={
            "block": whole(128, "columns whose mask is chosen at once"),
            "damping": positive(0.01, "added to the diagonal, as a share of its mean"),
        },
        build=build,
    )
)
