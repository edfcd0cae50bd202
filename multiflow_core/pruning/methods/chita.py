"""CHITA: pruning as sparse regression on gradients (Benbaki et al., ICML 2023, arXiv 2302.14623)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ...calibration.gradients import Replica, Rows, Source, gradient_rows
from ..exact_cut import magnitudes, select
from ..method import Method, Option, positive, register, whole
from ..solved_order import Request, Solution, Solved

IDEA = (
    "Few gradients tell how the loss bends: moving along none of them costs nothing. "
    "So the weights that stay are moved to make up for those that go."
)
FORMULA = "min 1/2 ||A(w-w0)||^2 + alpha (sum g)'w + n lambda/2 ||w-w0||^2, at most k weights left"
LATEX = (
    r"\min_w\ \tfrac12\lVert A(w-w_0)\rVert^2+\alpha\Big(\sum g\Big)^{\!\top} w+\tfrac{n\lambda}{2}\lVert w-w_0\rVert^2,"
    r"\quad \lVert w\rVert_0\le k"
)


def options(alpha: float | None, doc: str) -> dict[str, Option]:
    return {
        "gradients": whole(500, "n, at most so many batches give a gradient each: the rows of A"),
        "block": whole(
            10_000, "weights solved together, no cross-terms beyond (500 in the authors' scripts, with n = 500)"
        ),
        "lam": positive(1e-4, "lambda, how much moving a weight costs by itself"),
        "alpha": Option(
            alpha, doc, lambda x: x is None or positive(0, "").allows(x) or x == 0, "a number from 0 on, or None"
        ),
    }


def build(request: Request) -> Solved:
    """Memory: n numbers a weight for the gradients, in half precision beyond 1 GiB, and 24 bytes a weight for solving.

    ValueError with the figure, before the first gradient, if that much is not free.
    """
    replica = Replica.of(request)
    rows = gradient_rows(
        replica, Source(request.data.batches), request.options["gradients"], request.data.progress, "CHITA"
    )
    del replica

    def solve(count, progress):
        return improve([weight.reshape(-1) for weight in request.weights], rows, count, request, progress)

    return Solved(request, solve)


def improve(dense: Sequence[Tensor], rows: Rows, count: int, request: Request, progress: Callable) -> Solution:
    """The better of two supports, each with its best weights: the largest |w0|, and the largest after one step.

    Without the first-order term (alpha = 0) the gradient at w0 is zero, the step goes nowhere, and both are magnitude.
    """
    alpha = 1 / rows.pairs if request.options["alpha"] is None else request.options["alpha"]
    block, lam = request.options["block"], request.options["lam"]
    flat = torch.cat(list(dense))
    sizes = [weight.numel() for weight in dense]

    def solved(start: Callable[[], Tensor]) -> tuple[Solution, float]:
        keep = select(magnitudes(start().split(sizes)), count)
        new, cost = solve_blocks(flat, torch.from_numpy(np.concatenate(keep)), rows, alpha, lam, block, progress)
        return Solution(keep, new.split(sizes)), cost

    starts = [lambda: flat, lambda: step_down(flat, rows, alpha, lam, block)][: 2 if alpha else 1]
    return min(map(solved, starts), key=lambda found: found[1])[0]


def step_down(dense: Tensor, rows: Rows, alpha: float, lam: float, block: int) -> Tensor:
    """One gradient step of the objective from w0, block by block, of the length 1 / largest curvature."""
    stepped = dense.clone()
    for first in range(0, len(dense), block):
        a = rows.block(first, first + block)
        curvature = float(torch.linalg.eigvalsh(a @ a.T)[-1]) + rows.n * lam
        share = alpha * a.shape[1] / len(dense)
        stepped[first : first + block] -= (share / curvature * a.sum(0)).float()
    return stepped


def solve_blocks(
    dense: Tensor, keep: Tensor, rows: Rows, alpha: float, lam: float, block: int, progress: Callable
) -> tuple[Tensor, float]:
    """The weights on a support that minimise the objective, block by block; and the objective there.

    With d = w - w0 on the survivors S and -w0 on the pruned P, the gradient vanishes at
    d_S = -A_S' (A_S A_S' + n lambda I)^-1 (alpha 1 - A_P w0_P), by Woodbury's identity: an n x n system for a block
    of any size.

    A block knows nothing of the others. Each would go all the way down along the mean gradient, and with more weights
    than gradients each finds a way: in hundreds of blocks, hundreds of times too far, which destroys the model. So
    alpha is shared out by size, and all blocks together promise what one solution for all weights would.

    Args:
        dense: w0, float32 (N,). keep: the support, bool (N,).
    """
    new = torch.where(keep, dense, 0.0)
    damping = rows.n * lam
    cost = 0.0
    for first in range(0, len(dense), block):
        part = slice(first, first + block)
        a, w0, kept = rows.block(first, first + block), dense[part].double(), keep[part]
        share = alpha * len(w0) / len(dense)
        left, moved = a[:, kept], -(a[:, ~kept] @ w0[~kept])
        system = left @ left.T + damping * torch.eye(rows.n, dtype=torch.float64)
        factor = torch.linalg.cholesky(system)
        d = -left.T @ torch.cholesky_solve((moved + share)[:, None], factor)[:, 0]
        new[part][kept] += d.float()
        moved = moved + left @ d
        cost += float(moved.square().sum() + damping * (d.square().sum() + w0[~kept].square().sum())) / 2
        cost += share * float((a.sum(0) @ w0) + moved.sum())
        progress(min(1.0, (first + block) / len(dense)), "CHITA: solving block by block")
    return new, cost


register(
    Method(
        name="chita",
        title="CHITA",
        paper="Benbaki et al., ICML 2023, arXiv 2302.14623",
        formula=FORMULA,
        latex=LATEX,
        idea=IDEA,
        needs=frozenset({"gradients"}),
        nested=False,
        updates_weights=True,
        options=options(
            0.0, "weight of the first-order term: 0 as in the authors' scripts, or 1 / pairs per batch (None)"
        ),
        quick={"gradients": 16},
        passes=lambda settings, batches: min(batches, settings["gradients"]),
        build=build,
    )
)
