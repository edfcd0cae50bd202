"""Criteria: how important is each weight of one layer. A new criterion is one function and one registration."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..support.registry import Registry
from ..weights.layers import PrunableLayer
from .exact_cut import ascending_ranks

# Products beyond these have lost precision, or will, in float32 (normal numbers: 2^-126 .. 2^128).
_SMALLEST, _LARGEST = 2.0**-100, 2.0**120
_PART = 1 << 20  # weights scored in float64 at a time


@dataclass(frozen=True)
class Context:
    """What a criterion may know about a layer besides its weight.

    Attributes:
        layer: the PrunableLayer.
        evidence: {name: what it says of this layer} for all that the criterion needs (`Evidence.of_layer`).
        seed: for criteria that draw random numbers.
        options: the method's options.
    """

    layer: PrunableLayer
    evidence: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def norms(self) -> Tensor:
        """a_j, float32 (in,)."""
        return self.evidence["statistics"]

    @property
    def gradient(self) -> Tensor:
        """The mean gradient of the objective, float32 (out, in)."""
        return self.evidence["gradients"]


@dataclass(frozen=True)
class Criterion:
    """A named score: `function(weight, context)` takes float32 (out, in) and returns scores of that shape.

    Low scores are pruned first. `needs`: names of evidence. `factors` are what a score grows with, for
    those who explain it: "magnitude", "norm" (of the input), "input" and "output" (their saliencies). `elementwise`:
    a score depends on its own weight alone, so that a few can be computed by themselves.
    """

    name: str
    title: str
    formula: str
    function: Callable[[Tensor, Context], Tensor]
    needs: frozenset[str] = frozenset()
    factors: tuple[str, ...] = ()
    elementwise: bool = False


CRITERIA: Registry[Criterion] = Registry("criterion", f"{__package__}.methods")
register, get = CRITERIA.register, CRITERIA.get


def criteria() -> tuple[Criterion, ...]:
    """All registered criteria, by name."""
    return CRITERIA.all()


def magnitude(weight: Tensor, context: Context | None = None) -> Tensor:
    """|w|.

    >>> magnitude(torch.tensor([[-2.0, 1.0]]))
    tensor([[2., 1.]])
    """
    return weight.abs()


def saliencies(weight: Tensor, norms: Tensor) -> tuple[Tensor, Tensor]:
    """The two saliency vectors of MULTIFLOW (arXiv 2404.05621, section 4).

    >>> s_in, s_out = saliencies(torch.tensor([[1.0, -2.0], [3.0, 0.0]]), torch.tensor([1.0, 2.0]))
    >>> s_in, s_out
    (tensor([2., 2.]), tensor([2.5000, 1.5000]))

    Args:
        weight: (out, in), any dtype.
        norms: a_j, (in,).

    Returns:
        s_in, float32 (in,): mean over i of |w_ij| a_j; and s_out, float32 (out,): mean over j of |w_ij| a_j.
    """
    return _saliencies(weight.detach().float().abs(), norms.float())


def _saliencies(magnitudes: Tensor, norms: Tensor) -> tuple[Tensor, Tensor]:
    return magnitudes.mean(0) * norms, magnitudes @ norms / norms.numel()


def flow(weight: Tensor, context: Context) -> Tensor:
    """The MULTIFLOW score S_ij = s_out(i) * |w_ij| * s_in(j) (arXiv 2404.05621, section 4).

    >>> layer = PrunableLayer("w", (2, 2))
    >>> flow(torch.tensor([[1.0, -2.0], [3.0, 0.0]]), Context(layer, {"statistics": torch.tensor([1.0, 2.0])}))
    tensor([[ 5., 10.],
            [ 9.,  0.]])

    Float32; but when a product of non-zero factors leaves float32's range, tiny scores would be falsely
    tied (weights near 1e-20 are enough), so the whole layer is scored in float64 then.
    """
    norms = context.norms.float()
    score = _flow(weight.abs(), norms)
    low, high = map(float, torch.aminmax(score))
    if high < _LARGEST and (low >= _SMALLEST or not _lost(score, weight, norms)):
        return score
    return _flow(weight.abs().double(), norms.double())


def _flow(magnitudes: Tensor, norms: Tensor) -> Tensor:
    """The scores, in place of the magnitudes."""
    s_in, s_out = _saliencies(magnitudes, norms)
    return magnitudes.mul_(s_out[:, None]).mul_(s_in)


def _lost(score: Tensor, weight: Tensor, norms: Tensor) -> bool:
    """Whether a score is too small although no factor of it is zero; few are small, mostly those of zero weights."""
    small = torch.from_numpy(np.flatnonzero(score.reshape(-1).numpy() < _SMALLEST))
    return bool(((weight.reshape(-1)[small] != 0) & (norms[small % norms.numel()] > 0)).any())


def narrowed(score: Callable[[slice], Tensor], weight: Tensor) -> Tensor:
    """Scores of (out, in) in float32, unless that would tie or drop what differs; `score(rows)`: those of some rows in float64.

    A few rows at a time: float64 of a whole layer is more than all else that is held of it.
    """
    few = max(1, _PART // max(1, weight.shape[1:].numel()))
    parts = [slice(i, i + few) for i in range(0, len(weight), few)]
    found, low, high = torch.empty(weight.shape), math.inf, 0.0
    for rows in parts:
        part = score(rows)
        high = max(high, float(part.max()) if part.numel() else 0.0)
        low = min(low, float(part.where(part > 0, torch.inf).min()) if part.numel() else math.inf)
        found[rows] = part
    return found if low >= _SMALLEST and high < _LARGEST else torch.cat([score(rows) for rows in parts])


def l2(weight: Tensor, context: Context | None = None) -> Tensor:
    """|w| / ||W||_F: magnitudes in units of their layer, comparable between layers of different scale.

    >>> l2(torch.tensor([[3.0, -4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    norm = weight.double().norm()
    unit = norm if norm > 0 else 1.0
    return narrowed(lambda rows: weight[rows].double().abs() / unit, weight)


def lamp(weight: Tensor, context: Context | None = None) -> Tensor:
    """LAMP: w_u^2 / (sum over v with w_v^2 >= w_u^2 of w_v^2); never above 1 (Lee et al., 2021, arXiv 2010.07611).

    >>> lamp(torch.tensor([[1.0, 2.0], [-2.0, 4.0]]))
    tensor([[0.0400, 0.1667],
            [0.1667, 1.0000]])

    The sum runs from the largest down, in float64: `total - cumsum` would lose the small tail and exceed 1.
    """
    magnitudes = weight.abs().flatten().numpy()
    ranks = ascending_ranks(magnitudes)
    ascending = np.empty_like(magnitudes)
    ascending[ranks] = magnitudes
    squares = np.square(ascending, dtype=np.float64)
    tail = np.cumsum(squares[::-1])[::-1]
    # equal weights share a denominator: the tail that begins at the first of them
    new = np.r_[True, ascending[1:] != ascending[:-1]][: len(ascending)]
    first_equal = np.maximum.accumulate(np.where(new, np.arange(len(ascending)), 0))
    ranked = squares / np.maximum(tail[first_equal], np.finfo(np.float64).tiny)
    scores = torch.from_numpy(ranked[ranks]).view(weight.shape)
    return narrowed(scores.__getitem__, weight)


def wanda(weight: Tensor, context: Context) -> Tensor:
    """Wanda: |w_ij| a_j (Sun et al., 2024, arXiv 2306.11695).

    >>> wanda(torch.tensor([[3.0, -1.0]]), Context(PrunableLayer("w", (1, 2)), {"statistics": torch.tensor([1.0, 4.0])}))
    tensor([[3., 4.]])
    """
    return narrowed(lambda rows: weight[rows].abs().double() * context.norms, weight)


def snip(weight: Tensor, context: Context) -> Tensor:
    """SNIP: |g w|, g the mean gradient; the absolute value comes after averaging (Lee et al., 2019, arXiv 1810.02340).

    >>> snip(torch.tensor([[3.0, -1.0]]), Context(PrunableLayer("w", (1, 2)), {"gradients": torch.tensor([[-2.0, 4.0]])}))
    tensor([[6., 4.]])
    """
    return narrowed(lambda rows: (weight[rows].double() * context.gradient[rows]).abs(), weight)


def random(weight: Tensor, context: Context) -> Tensor:
    """Uniform noise that depends on the seed and the layer's name only, not on the order of the layers.

    >>> layer = PrunableLayer("w", (2, 2))
    >>> a, b = (random(torch.zeros(2, 2), Context(layer, seed=seed)) for seed in (7, 7))
    >>> torch.equal(a, b)
    True
    """
    digest = hashlib.sha256(f"{context.seed}:{context.layer.name}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
    return torch.rand(weight.shape, generator=generator)


_SIZE = ("magnitude",)
_STATISTICS, _GRADIENTS = frozenset({"statistics"}), frozenset({"gradients"})

register(Criterion("magnitude", "Magnitude", "|w_ij|", magnitude, factors=_SIZE, elementwise=True))
register(
    Criterion(
        "flow", "Information flow", "s_out(i) |w_ij| s_in(j)", flow, _STATISTICS, ("output", "magnitude", "input")
    )
)
register(Criterion("l2", "Layer-normalised magnitude", "|w_ij| / ||W||_F", l2, factors=_SIZE))
register(Criterion("lamp", "LAMP", "w_u^2 / sum of w_v^2 >= w_u^2", lamp, factors=_SIZE))
register(Criterion("wanda", "Wanda", "|w_ij| a_j", wanda, _STATISTICS, ("magnitude", "norm")))
register(Criterion("snip", "SNIP", "|mean g_ij * w_ij|", snip, _GRADIENTS))
register(Criterion("random", "Random", "u_ij ~ U(0, 1)", random))
