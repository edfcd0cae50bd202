"""Criteria: how important is each weight of one layer. A new criterion is one function and one registration."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ._support import unknown_name
from .layers import PrunableLayer

# Products beyond these have lost precision, or will, in float32 (normal numbers: 2^-126 .. 2^128).
_SMALLEST, _LARGEST = 2.0**-100, 2.0**120


@dataclass(frozen=True)
class Context:
    """What a criterion may know about a layer besides its weight.

    Attributes:
        layer: the PrunableLayer.
        norms: a_j, float32 (in,), or None when the criterion does not need statistics.
        seed: for criteria that draw random numbers.
        options: the method's options.
        extras: room for what later criteria need, such as gradients.
    """

    layer: PrunableLayer
    norms: Tensor | None = None
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Criterion:
    """A named score: `function(weight, context)` takes float32 (out, in) and returns scores of that shape.

    Low scores are pruned first. `needs` may hold "statistics" and "gradients".
    """

    name: str
    title: str
    formula: str
    function: Callable[[Tensor, Context], Tensor]
    needs: frozenset[str] = frozenset()


_REGISTRY: dict[str, Criterion] = {}


def register(criterion: Criterion) -> Criterion:
    """Make a criterion available by name; a later one of the same name replaces it."""
    _REGISTRY[criterion.name] = criterion
    return criterion


def get(criterion: str | Criterion) -> Criterion:
    """A criterion by name (ValueError if there is none); a Criterion is returned as it is.

    >>> get("flow").needs
    frozenset({'statistics'})
    """
    if isinstance(criterion, Criterion):
        return criterion
    if criterion not in _REGISTRY:
        raise unknown_name("criterion", criterion, _REGISTRY)
    return _REGISTRY[criterion]


def criteria() -> tuple[Criterion, ...]:
    """All registered criteria, by name."""
    return tuple(_REGISTRY[name] for name in sorted(_REGISTRY))


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
    >>> flow(torch.tensor([[1.0, -2.0], [3.0, 0.0]]), Context(layer, norms=torch.tensor([1.0, 2.0])))
    tensor([[ 5., 10.],
            [ 9.,  0.]])

    Float32; but when a product of non-zero factors leaves float32's range, tiny scores would be falsely
    tied (weights near 1e-20 are enough), so the whole layer is scored in float64 then.
    """
    magnitudes, norms = weight.abs(), context.norms.float()
    score = _flow(magnitudes, norms)
    if float(score.min()) >= _SMALLEST and float(score.max()) < _LARGEST:
        return score
    lost = (score < _SMALLEST) & (magnitudes > 0) & (norms > 0)
    if bool(lost.any()) or not float(score.max()) < _LARGEST:
        return _flow(magnitudes.double(), norms.double())
    return score


def _flow(magnitudes: Tensor, norms: Tensor) -> Tensor:
    s_in, s_out = _saliencies(magnitudes, norms)
    return (magnitudes * s_out[:, None]).mul_(s_in)


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


register(Criterion("magnitude", "Magnitude", "|w_ij|", magnitude))
register(
    Criterion("flow", "Information flow", "s_out(i) |w_ij| s_in(j)", flow, needs=frozenset({"statistics"}))
)
register(Criterion("random", "Random", "u_ij ~ U(0, 1)", random))
