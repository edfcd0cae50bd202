"""IterSNIP: SNIP in many small steps (de Jorge et al., ICLR 2021, arXiv 2006.09081)."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from ...calibration.gradients import Replica, Source
from ..exact_cut import select
from ..method import Method, register, whole
from ..solved_order import Request, Solution, Solved


def schedule(count: int, total: int, steps: int) -> list[int]:
    """How many weights are pruned after each step: the density falls as density^(t / steps), the last step hits exactly.

    >>> schedule(75, 100, 2)
    [50, 75]
    """
    density = 1 - count / total
    return [min(count, int((1 - density ** (t / steps)) * total)) for t in range(1, steps)] + [count]


def build(request: Request) -> Solved:
    source = Source(request.data.batches)
    steps, per_step = request.options["steps"], request.options["batches_per_step"]

    def solve(count, progress):
        replica = Replica.of(request, own=True)
        stream = source.endless()
        keep = [np.ones(layer.size, dtype=bool) for layer in request.layers]
        for step, pruned in enumerate(schedule(count, request.total, steps), start=1):
            mean = replica.mean(itertools.islice(stream, per_step)).mean
            keep = select([_score(replica, mean, x.name, k) for x, k in zip(request.layers, keep, strict=True)], pruned)
            with torch.no_grad():
                for layer, kept in zip(request.layers, keep, strict=True):
                    weight = replica.weights[layer.name]
                    weight.masked_fill_(~torch.from_numpy(kept).to(weight.device).view(layer.shape), 0)
            progress(step / steps, f"IterSNIP: step {step} of {steps}, sparsity {pruned / request.total:.3f}")
        return Solution(keep)

    return Solved(request, solve)


def _score(replica: Replica, mean, name: str, keep: np.ndarray) -> np.ndarray:
    score = (mean[name] * replica.weights[name].detach().cpu()).abs().reshape(-1).numpy()
    return np.where(keep, score, np.float32(-1))  # what is pruned stays pruned, also among scores of 0


register(
    Method(
        name="itersnip",
        title="IterSNIP",
        paper="de Jorge et al., ICLR 2021, arXiv 2006.09081",
        formula="|mean g_ij * w_ij| again after every step, density kappa^(t/T)",
        latex=r"\left|\,\overline{g_{ij}}\;w_{ij}\right|\ \text{ anew after every step, density } \kappa^{t/T}",
        idea=(
            "Sensitivities change as weights go, so SNIP is repeated on what is left, a little at a time. "
            "What is pruned stays pruned within one run, but the runs for two sparsities take different paths."
        ),
        needs=frozenset({"gradients"}),
        nested=False,
        options={
            "steps": whole(60, "T, the number of pruning steps; 1 is SNIP"),
            "batches_per_step": whole(
                1, "fresh batches for every step (1 to 40 in the paper), from the start when short"
            ),
        },
        quick={"steps": 20},
        passes=lambda settings, batches: settings["steps"] * settings["batches_per_step"],
        build=build,
    )
)
