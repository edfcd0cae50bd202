"""DSnoT: weights of a mask change places until the mean output is right again (Zhang et al., ICLR 2024, arXiv 2310.08915)."""

from __future__ import annotations

import torch
from torch import Tensor

from ..method import Method, choice, register, whole
from ..rank import rank
from ..solved_order import Request, Solution, Solved


def build(request: Request) -> Solved:
    spread, options = request.known("spread"), request.options
    criterion, allocation = {"wanda": ("wanda", "row"), "magnitude": ("magnitude", "uniform")}[options["start"]]
    start = rank(request.model, criterion=criterion, allocation=allocation, statistics=spread, layers=request.layers)

    def solve(count, progress):
        masks, found = start.masks(count / request.total), []
        for i, layer in enumerate(request.layers):
            mean, variance = (part.view(layer.experts, -1) for part in spread.moments(layer.name))
            norms = spread.norm(layer.name).double().view(layer.experts, -1)
            keep, weights = layer.matrices(masks[layer.name]), layer.matrices(request.weights[i])
            parts = [moved(*part, options["cycles"]) for part in zip(weights, keep, mean, variance, norms, strict=True)]
            found.append(layer.stored_like(torch.cat(parts)).reshape(-1).numpy())
            progress((i + 1) / len(request.layers), "DSnoT: layer by layer")
        return Solution(found)

    return Solved(request, solve)


def moved(weight: Tensor, keep: Tensor, mean: Tensor, variance: Tensor, norms: Tensor, cycles: int) -> Tensor:
    """A mask after its weights have changed places, row by row: bool (out, in), with as many kept in each row as before.

    In every cycle one weight comes back, that of the error's sign with the largest w_j E[x_j] / Var[x_j], and one goes: the least
    |w_j| a_j of those whose going takes from the error, too (section 3.2). A row stops when that would not make its error smaller;
    no weight moves twice.

    >>> w, keep = torch.tensor([[3.0, 2.0, 2.0]]), torch.tensor([[True, True, False]])
    >>> moved(w, keep, torch.tensor([1.0, -0.1, 1.0]), torch.ones(3), torch.ones(3), 1)      # 2 was missing; now -0.2 is
    tensor([[ True, False,  True]])
    """
    told = weight.double() * mean  # what each weight adds to the row's output, on average
    variance = variance.clamp(min=float(variance.mean()) * 1e-6 or 1.0)
    worth, keep, rows = weight.abs().double() * norms, keep.clone(), torch.arange(len(weight))
    fresh = torch.ones_like(keep)
    error = (told * ~keep).sum(1)  # what the pruned weights would have added
    active = torch.ones(len(weight), dtype=torch.bool)
    for _ in range(cycles):
        towards = told * error.sign()[:, None]
        back = torch.where(~keep & fresh & (towards > 0), towards / variance, -torch.inf).max(1)
        gone = torch.where(keep & fresh & (towards < 0), worth, torch.inf).min(1)
        after = error - told[rows, back.indices] + told[rows, gone.indices]
        active &= torch.isfinite(back.values) & torch.isfinite(gone.values) & (after.abs() < error.abs())
        if not bool(active.any()):
            break
        for places, kept in ((back.indices, True), (gone.indices, False)):
            keep[rows[active], places[active]] = kept
            fresh[rows[active], places[active]] = False
        error = torch.where(active, after, error)
    return keep


register(
    Method(
        name="dsnot",
        title="DSnoT",
        paper="Zhang et al., ICLR 2024, arXiv 2310.08915",
        formula="from Wanda's mask: back by w_ij E[x_j] / Var[x_j], away by |w_ij| a_j, while the row's mean error falls",
        latex=r"\text{back by }\frac{w_{ij}E[x_j]}{\mathrm{Var}[x_j]}\text{, away by } |w_{ij}|\,a_j\ \text{, from Wanda's mask}",
        idea=(
            "A mask shifts the mean of what each neuron writes. "
            "One weight comes back for another that goes, again and again, until the mean is right; no weight gets a new value."
        ),
        needs=frozenset({"spread"}),
        nested=False,
        options={
            "cycles": whole(50, "exchanges in each row, at most"),
            "start": choice("wanda", "whose mask it begins with", "magnitude"),
        },
        build=build,
    )
)
