"""TAMT: task-agnostic mask training (Liu et al., NAACL 2022, arXiv 2204.11218)."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

from ...calibration.gradients import Replica, Source
from ...support.memory import check_memory
from ..exact_cut import keep_all_but, magnitudes, select, shares
from ..method import Method, choice, positive, register, whole
from ..solved_order import Request, Solution, Solved

START = 0.01  # scores begin at 2 * START where magnitude keeps the weight, and at 0 where it does not


def build(request: Request) -> Solved:
    source, options = Source(request.data.batches), request.options
    sizes = [layer.size for layer in request.layers]
    check_memory(
        7 * 4 * request.total, f"training masks for {request.total:,} weights", "choose a method with fewer needs"
    )

    def cut(scores: list[np.ndarray], count: int) -> list[np.ndarray]:
        if options["scope"] == "global":
            return select(scores, count)
        return [keep_all_but(score, k) for score, k in zip(scores, shares(count, sizes), strict=True)]

    def solve(count, progress):
        replica = Replica.of(request, own=True)
        dense = [weight.to(replica.weights[x.name].device) for x, weight in zip(request.layers, request.weights)]
        keep = cut(magnitudes(dense), count)
        scores = [_start(k, w) for k, w in zip(keep, dense, strict=True)]
        adam = Adam(scores, options["rate"], options["clip"])
        replica.assign(_masked(request, keep, dense))
        for step, batch in enumerate(itertools.islice(source.endless(), options["steps"]), start=1):
            gradients = replica.gradients(batch)
            # Straight through: the weight in use is mask * w, so d loss / d mask = gradient * w, for pruned weights as
            # well, and the score takes it as its own. (Through |score| it would be 0 wherever the score is 0.)
            adam.step([gradients[x.name].mul_(weight) for x, weight in zip(request.layers, dense, strict=True)])
            if step % options["refresh"] == 0 or step == options["steps"]:
                keep = cut([score.cpu().reshape(-1).numpy() for score in scores], count)
                replica.assign(_masked(request, keep, dense))
            progress(step / options["steps"], f"TAMT: step {step} of {options['steps']}")
        return Solution(keep)

    return Solved(request, solve)


class Adam:
    """Adam without weight decay, after clipping the gradient's norm. (The first use of torch's own loads its compiler.)

    >>> x = torch.tensor([1.0, 1.0])
    >>> Adam([x], rate=0.1, clip=1.0).step([torch.tensor([5.0, 0.0])])
    >>> x
    tensor([0.9000, 1.0000])
    """

    def __init__(self, values: list[Tensor], rate: float, clip: float, betas: tuple[float, float] = (0.9, 0.999)):
        self._values, self._rate, self._clip, self._betas = values, rate, clip, betas
        self._means = [torch.zeros_like(value) for value in values]
        self._squares = [torch.zeros_like(value) for value in values]
        self._steps = 0

    @torch.no_grad()
    def step(self, gradients: list[Tensor]) -> None:
        self._steps += 1
        norm = sum(float(gradient.square().sum()) for gradient in gradients) ** 0.5
        scale = min(1.0, self._clip / (norm + 1e-6))
        first, second = self._betas
        for value, gradient, mean, square in zip(self._values, gradients, self._means, self._squares, strict=True):
            gradient = gradient * scale
            mean.mul_(first).add_(gradient, alpha=1 - first)
            square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
            spread = (square / (1 - second**self._steps)).sqrt_().add_(1e-8)
            value.addcdiv_(mean, spread, value=-self._rate / (1 - first**self._steps))


def _start(keep: np.ndarray, weight: Tensor) -> Tensor:
    return (torch.from_numpy(keep).to(weight.device).view(weight.shape) * (2 * START)).float()


def _masked(request: Request, keep: list[np.ndarray], dense: list[Tensor]) -> dict[str, Tensor]:
    return {
        layer.name: weight.masked_fill(~torch.from_numpy(kept).to(weight.device).view(weight.shape), 0)
        for layer, kept, weight in zip(request.layers, keep, dense, strict=True)
    }


register(
    Method(
        name="tamt",
        title="TAMT",
        paper="Liu et al., NAACL 2022, arXiv 2204.11218",
        formula="m = [score among the highest of its layer], d loss / d score = g_ij * w_ij",
        latex=r"\frac{\partial\,\text{loss}}{\partial\,\text{score}_{ij}}=g_{ij}w_{ij}\ \text{, the highest of each layer stay}",
        idea=(
            "The mask itself is trained, on the pre-training losses, with the weights frozen. "
            "It starts from magnitude; a pruned weight whose return would lower the loss climbs until it comes back."
        ),
        needs=frozenset({"gradients"}),
        nested=False,
        options={
            "steps": whole(1000, "training steps, one batch each, from the start when short (two epochs in the paper)"),
            "rate": positive(5e-5, "learning rate of AdamW, without weight decay"),
            "refresh": whole(
                1, "the mask follows the scores every so many steps; where it waits, many cross at once and too many go"
            ),
            "clip": positive(1.0, "largest norm of the gradient"),
            "scope": choice("layer", "whether the target holds in every layer, or across all", "global"),
        },
        quick={"steps": 100, "rate": 3e-4},
        passes=lambda settings, batches: settings["steps"],
        build=build,
    )
)
