"""How inputs are spread: the mean and the variance of each, over all tokens that count. What DSnoT needs to know about the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..support.threads import Progress
from ..weights.layers import PrunableLayer
from .activations import Statistics, check_complete
from .evidence import Data, Evidence, Forward, register
from .passes import ROWS, Layers, Sums, ran, stream


@dataclass(frozen=True)
class Spread(Statistics):
    """Statistics with the sums themselves beside the sums of squares.

    >>> found = spread(nn.Linear(2, 2), [{"input": torch.tensor([[3.0, 0.0], [1.0, 2.0]])}])
    >>> [part.tolist() for part in found.moments("weight")]
    [[2.0, 1.0], [1.0, 1.0]]

    Attributes:
        sums: {parameter name: float64 (in,)}. tokens: how many there were, likewise.
    """

    sums: Mapping[str, Tensor] = field(default_factory=dict)
    tokens: Mapping[str, Tensor] = field(default_factory=dict)

    def moments(self, name: str) -> tuple[Tensor, Tensor]:
        """Mean and variance of every input, float64 (in,) each."""
        tokens = self.tokens[name].clamp(min=1)
        mean = self.sums[name] / tokens
        return mean, (self.square_sums[name] / tokens - mean.square()).clamp(min=0)


def spread(
    model: nn.Module,
    batches: Iterable[Any],
    *,
    forward: Forward | None = None,
    layers: Layers | None = None,
    progress: Progress | None = None,
) -> Spread:
    """`calibrate`, but collecting sums as well as sums of squares; arguments as there."""
    sums = Sums(_reduced)
    layers, samples = stream(
        model, batches, watch=sums.watch, check=sums.check, forward=forward, layers=layers, progress=progress
    )
    parts = {x.name: sums.found[x.name].cpu().unflatten(0, (-1, 3)) for x in layers if x.name in sums.found}
    squares, totals, tokens = ({name: part[:, i].reshape(-1) for name, part in parts.items()} for i in range(3))
    return Spread(squares, samples, ran(model, layers, parts), totals, tokens)


def _reduced(x: Tensor) -> Tensor:
    """Sums of squares, sums and counts, float64 (3, in)."""
    rows = x.detach().reshape(-1, x.shape[-1])
    found = torch.zeros(3, rows.shape[1], dtype=torch.float64, device=x.device)
    for block in rows.split(ROWS):
        found[0] += block.float().square().sum(0)
        found[1] += block.float().sum(0)
    found[2] += len(rows)
    return found


def _of_layer(found: Spread, layer: PrunableLayer) -> tuple[Tensor, Tensor]:
    if layer.name not in found.sums or len(found.sums[layer.name]) != layer.inputs:
        raise ValueError(f"the spread does not fit: there is none of {layer.inputs} inputs for {layer.name}")
    return found.moments(layer.name)


def _collect(model: nn.Module, layers: Layers | None, data: Data) -> Spread:
    return spread(model, data.batches, forward=data.forward, layers=layers, progress=data.progress)


register(
    Evidence(
        "spread",
        "spread",
        "the mean and the variance of every input, from a few pairs of picture and text (spread)",
        "batches=...",
        Spread,
        _collect,
        _of_layer,
        check_complete,
    )
)
