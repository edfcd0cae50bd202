"""ADMM: the survivors are solved for while the mask is still being chosen (Boza, TMLR 2024, arXiv 2401.02938)."""

from __future__ import annotations

from torch import Tensor

from ..layer_by_layer import layer_by_layer
from ..least_squares import LeastSquares
from ..method import Method, positive, register, whole
from ..solved_order import Request, Solved


def build(request: Request) -> Solved:
    options = request.options

    def prune(weight: Tensor, products: Tensor, crossed: Tensor, count: int) -> tuple[Tensor, Tensor]:
        problem = LeastSquares.of(weight, products, damping=options["damping"])
        keep, new = problem.admm(count, options["steps"], options["rising"])
        return keep, problem.weights(new) if count else weight

    return layer_by_layer(request, prune)


register(
    Method(
        name="admm",
        title="ADMM",
        paper="Boza, TMLR 2024, arXiv 2401.02938",
        formula="min ||W X - W0 X||^2, the share of zeros rising over the steps; every layer at the target sparsity",
        latex=r"\min_W\ \lVert WX-W_0X\rVert^2\ \text{, the share of zeros rises over the steps}",
        idea=(
            "All weights of a layer are moved at once to keep what it writes, while more and more of them have to be zero. "
            "When the mask stands, a few more steps settle the values of what is left."
        ),
        needs=frozenset({"moments"}),
        nested=False,
        updates_weights=True,
        options={
            "damping": positive(0.1, "added to the diagonal, as a share of its mean"),
            "steps": whole(20, "steps of ADMM"),
            "rising": whole(15, "of them those in which the share of pruned weights rises; then the mask stays"),
        },
        build=build,
    )
)
