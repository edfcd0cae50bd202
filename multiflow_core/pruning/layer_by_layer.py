"""Methods that solve one layer after the other: each of a layer's matrices by itself, and the walk on the dense model's inputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..calibration.side_by_side import Sums
from ..weights.layers import PrunableLayer
from .exact_cut import shares
from .solved_order import Request, Solution, Solved

# of one matrix: (weights (out, in), x x^T, d x^T, how many go) -> (kept, bool (out, in); new weights)
Prune = Callable[[Tensor, Tensor, Tensor, int], tuple[Tensor, Tensor]]
Pruned = tuple[np.ndarray, Tensor]


def prune_matrices(layer: PrunableLayer, weight: Tensor, sums: Sums, count: int, prune: Prune) -> Pruned:
    """A layer, each of its matrices by itself: (kept, bool (size,); new weights in the layer's shape, on the processor)."""
    matrices = layer.matrices(weight)
    parts = shares(count, [matrix.numel() for matrix in matrices])
    found = [prune(*part) for part in zip(matrices, sums.products, sums.crossed, parts, strict=True)]
    keep = layer.stored_like(torch.cat([kept for kept, _ in found])).cpu()
    return keep.reshape(-1).numpy(), layer.stored_like(torch.cat([new for _, new in found])).cpu()


def layer_by_layer(request: Request, prune: Prune) -> Solved:
    """Every layer at the target sparsity, on what the dense model gives it: one calibration serves every sparsity."""
    sizes, title = [layer.size for layer in request.layers], request.method.title
    moments = request.known("moments")

    def solve(count: int, progress: Callable[[float, str], None]) -> Solution:
        found = []
        for i, (layer, k) in enumerate(zip(request.layers, shares(count, sizes), strict=True)):
            products = moments.matrices[layer.name].unflatten(0, (layer.experts, -1))
            found.append(prune_matrices(layer, request.weights[i], Sums(products, products), k, prune))
            progress((i + 1) / len(sizes), f"{title}: layer by layer")
        return Solution([keep for keep, _ in found], [new for _, new in found])

    return Solved(request, solve)
