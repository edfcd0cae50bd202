"""CHITA++: CHITA in stages, where what was pruned may come back (Benbaki et al., ICML 2023, arXiv 2302.14623).

A weight comes back if one step along the first-order term makes it larger than another that is kept. In models of millions
of weights, whose single gradients are small, that is rare; there the stages help by their fresh gradients.
"""

from __future__ import annotations

import numpy as np

from ...calibration.gradients import Replica, Source, gradient_rows
from ..method import Method, fraction, register, whole
from ..solved_order import Request, Solution, Solved
from .chita import FORMULA, LATEX, improve, options


def schedule(count: int, total: int, stages: int, start: float) -> list[int]:
    """How many weights are pruned after each stage: a cubic from `start` (or the target, if lower) that ends exactly.

    >>> schedule(80, 100, 3, 0.4), schedule(20, 100, 2, 0.4)
    ([40, 75, 80], [20, 20])
    """
    target = count / total
    first = min(start, target)
    sparsities = (target + (first - target) * (1 - t / (stages - 1)) ** 3 for t in range(stages - 1))
    return [min(count, round(sparsity * total)) for sparsity in sparsities] + [count]


def build(request: Request) -> Solved:
    source = Source(request.data.batches)
    stages, start = request.options["stages"], request.options["start"]

    def solve(count, progress):
        replica = Replica.of(request, own=True)
        solution = Solution(
            [np.ones(layer.size, dtype=bool) for layer in request.layers], [w.reshape(-1) for w in request.weights]
        )
        for stage, pruned in enumerate(schedule(count, request.total, stages, start)):

            def report(fraction, message, stage=stage):
                progress((stage + fraction / 2) / stages, f"CHITA++: stage {stage + 1} of {stages}, {message}")

            # the gradient reaches pruned weights too: that is what may bring them back
            rows = gradient_rows(replica, source, request.options["gradients"], report, "CHITA++")
            solution = improve(solution.weights, rows, pruned, request, lambda f, m: report(1 + f, m))
            del rows
            replica.assign({x.name: w for x, w in zip(request.layers, solution.weights, strict=True)})
        return solution

    return Solved(request, solve)


register(
    Method(
        name="chita++",
        title="CHITA++",
        paper="Benbaki et al., ICML 2023, arXiv 2302.14623",
        formula=FORMULA + ", again after every stage",
        latex=LATEX,
        idea=(
            "The bend of the loss changes as weights go, so CHITA is repeated in stages on the updated model. "
            "Gradients reach the pruned weights too, and one that has become worth its place comes back."
        ),
        needs=frozenset({"gradients"}),
        nested=False,
        updates_weights=True,
        options={
            "stages": whole(16, "number of stages; every one collects its gradients anew"),
            "start": fraction(0.3, "sparsity after the first stage"),
            **options(None, "weight of the first-order term; None: 1 / pairs per batch, 0: nothing ever comes back"),
        },
        quick={"gradients": 16, "stages": 4},
        passes=lambda settings, batches: min(batches, settings["gradients"]) * settings["stages"],
        build=build,
    )
)
