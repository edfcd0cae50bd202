"""ALPS: a penalty that grows until the mask stands, then the best values on it (Meng et al., NeurIPS 2024, arXiv 2406.07831)."""

from __future__ import annotations

import torch
from torch import Tensor

from ..layer_by_layer import layer_by_layer
from ..least_squares import LeastSquares, largest
from ..method import Method, positive, register, whole
from ..solved_order import Request, Solved

EVERY = 3  # steps between two looks at the mask
RISES = ((0.1, 1.3), (0.005, 1.2), (0.0, 1.1))  # beyond this share of kept weights that were exchanged, rho grows so


def build(request: Request) -> Solved:
    options = request.options

    def prune(weight: Tensor, products: Tensor, crossed: Tensor, count: int) -> tuple[Tensor, Tensor]:
        if not count:
            return torch.ones(weight.shape, dtype=torch.bool), weight
        problem = LeastSquares.of(weight, products, damping=options["damping"])
        keep, values = support(problem, count, options["steps"], options["rho"])
        return keep, problem.weights(problem.fitted(values, keep, options["refit"]))

    return layer_by_layer(request, prune)


def support(problem: LeastSquares, count: int, steps: int, rho: float) -> tuple[Tensor, Tensor]:
    """Which weights stay, and values for them: the updates and the rule for rho of section 3.1, until three steps exchange none.

    One decomposition of H gives (H + rho I)^-1 for every rho.
    """
    lengths, ways = torch.linalg.eigh(problem.products.double())
    lengths, ways = lengths.float(), ways.float()
    keep = largest(problem.start.abs() * problem.worth, count)
    d, v, before = problem.start * keep, torch.zeros_like(problem.start), keep
    kept = max(1, problem.start.numel() - count)
    for step in range(1, steps + 1):
        w = ((problem.wanted - v + rho * d) @ ways / (lengths + rho)) @ ways.T
        moved = w + v / rho
        keep = largest(moved.abs() * problem.worth, count)
        d = moved * keep
        v = v + rho * (w - d)
        if step % EVERY == 0:
            exchanged = int((keep != before).count_nonzero())
            if not exchanged:
                break
            rho *= next(rise for share, rise in RISES if exchanged >= share * kept)
            before = keep
    return keep, d


register(
    Method(
        name="alps",
        title="ALPS",
        paper="Meng et al., NeurIPS 2024, arXiv 2406.07831",
        formula="min ||W X - W0 X||^2, at most k weights left, rho growing while the mask changes; then exact on the mask",
        latex=r"\min_W\ \lVert WX-W_0X\rVert^2,\ \lVert W\rVert_0\le k\ \text{, then exact on the mask}",
        idea=(
            "The weights and a copy with zeros are pulled towards each other, harder and harder, until they agree on a mask. "
            "On that mask the values are then found by conjugate gradients, as good as they can be."
        ),
        needs=frozenset({"moments"}),
        nested=False,
        updates_weights=True,
        options={
            "damping": positive(0.01, "added to the diagonal, as a share of its mean"),
            "rho": positive(0.1, "how hard the two are pulled in the beginning"),
            "steps": whole(300, "steps at most"),
            "refit": whole(10, "steps of conjugate gradients on the mask", least=0),
        },
        build=build,
    )
)
