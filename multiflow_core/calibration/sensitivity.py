"""How much the loss depends on each block, from forward passes alone: what ECoFLaP needs to know about the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..models.layout import prunable_layers
from ..support.threads import Progress
from ..weights.layers import PrunableLayer
from .evidence import Data, Evidence, Objective, register
from .gradients import Replica, Source
from .passes import count_pairs

PAIRS = 128  # that are enough, at most
STEP = 1e-3


@dataclass(frozen=True)
class Sensitivity:
    """{parameter name: the length of the loss's gradient along a chance direction of its whole block}, and {name: shape}."""

    blocks: Mapping[str, float]
    shapes: Mapping[str, tuple[int, ...]]


def sensitivity(
    model: nn.Module,
    batches: Any,
    objective: Objective | None = None,
    *,
    layers: Sequence[PrunableLayer] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Sensitivity:
    """The mean over batches of |L(W + e z) - L(W - e z)| / 2e, z drawn anew for every batch and block, one block at a time.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> found = sensitivity(model, [torch.ones(1, 1)], lambda model, batch: 3 * model(batch).sum())
    >>> z = torch.randn(1, generator=torch.Generator().manual_seed(0))
    >>> round(found.blocks["weight"] / float(3 * z.abs()), 3)
    1.0

    The same arguments as `mean_gradients`. Works on a stand-in that has its own copy of the prunable weights.
    """
    layers = tuple(layers) if layers is not None else prunable_layers(model)
    replica, source = Replica(model, layers, objective, seed=seed, own=True), Source(batches)
    generator = torch.Generator().manual_seed(seed)
    blocks: dict[str, list[PrunableLayer]] = {}
    for layer in layers:
        blocks.setdefault(layer.part, []).append(layer)
    sums, done, seen = dict.fromkeys(blocks, 0.0), 0, 0
    total = source.count or 0
    for batch in source:
        for block, own in blocks.items():
            sums[block] += _slope(replica, own, batch, generator)
        done, seen = done + 1, seen + count_pairs(batch)
        if progress is not None:
            enough = seen >= PAIRS or done == total
            progress(1.0 if enough else min(1.0, done / total) if total else 0.0, f"shaking every block: {seen} pairs")
        if seen >= PAIRS:
            break
    if not done:
        raise ValueError("sensitivity needs at least one batch of image-text pairs")
    found = {layer.name: sums[block] / done for block, own in blocks.items() for layer in own}
    return Sensitivity(found, {layer.name: tuple(layer.shape) for layer in layers})


def _slope(replica: Replica, layers: Sequence[PrunableLayer], batch: Any, generator: torch.Generator) -> float:
    """How steep the loss is along one direction, drawn by chance."""
    before = {layer.name: replica.weights[layer.name].detach().clone() for layer in layers}
    ways = {name: torch.randn(w.shape, generator=generator).to(w) for name, w in before.items()}

    def loss(step: float) -> Tensor:
        replica.assign({name: weight + step * ways[name] for name, weight in before.items()})
        return replica.loss(batch).double()

    slope = abs(float(loss(STEP) - loss(-STEP))) / (2 * STEP)
    replica.assign(before)
    return slope


def _of_layer(found: Sensitivity, layer: PrunableLayer) -> float:
    if found.shapes.get(layer.name) != tuple(layer.shape):
        raise ValueError(f"the sensitivity does not fit: there is none of shape {layer.shape} for {layer.name}")
    return found.blocks[layer.name]


def _collect(model: nn.Module, layers: tuple[PrunableLayer, ...] | None, data: Data) -> Sensitivity:
    return sensitivity(model, data.batches, data.objective, layers=layers, seed=data.seed, progress=data.progress)


register(
    Evidence(
        "sensitivity",
        "sensitivity",
        "how the loss reacts when a block is shaken, from forward passes alone (sensitivity)",
        "batches=..., and objective=fn(model, batch) -> loss if you like",
        Sensitivity,
        _collect,
        _of_layer,
        passes=30,
    )
)
