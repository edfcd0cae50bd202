"""The strongest paths through the selected part of a block, dense and pruned."""

from __future__ import annotations

import numpy as np
import torch

from multiflow_core import PrunableLayer
from multiflow_core.analysis import flow_paths
from multiflow_core.analysis.flow_paths import Chain, Paths
from multiflow_core.experiments.run import Run
from multiflow_core.weights.dense import matrix_of

from ..charts.flow import BlockFlow
from ..charts.retained import Retained
from ..engine import runs, slider
from ..engine.store import STORE, Progress
from ..look.words import percent

PATHS = STORE.room(16)
COUNTS = {str(n): f"{n} neurons" for n in (4, 6, 8, 12)}


def chain(key: Run, layer: PrunableLayer) -> Chain | None:
    """The two layers that the selected one belongs to; None where it has no partner."""
    return flow_paths.chain(runs.order(key).layers, layer)


def paths(key: Run, part: Chain, count: int, progress: Progress | None = None) -> Paths:
    """The strongest paths of the dense model, and what every step of a run cuts of them."""
    place = slider.place(key, progress), part.first.name, part.second.name, count
    return PATHS.get(place, lambda report: _paths(key, part, count, report), progress)


def _paths(key: Run, part: Chain, count: int, report: Progress) -> Paths:
    statistics = runs.statistics(key.model, key.data)
    model = runs.vlm(key.model).model
    layers, rows = (part.first, part.second), (part.rows, slice(None))
    if never := [layer.role for layer in layers if layer.name not in statistics.square_sums]:
        raise ValueError(f"{never[0]} of {part.first.block} never ran during calibration, so its flow is not known")
    many = slider.count(key)
    lives = slider.lifetimes(key, layers, many, report)
    flows = [
        flow_paths.link_flow(matrix_of(model, x)[r], statistics.norm(x.name)) for x, r in zip(layers, rows, strict=True)
    ]
    own = tuple(_rows(x, life)[r] for life, x, r in zip(lives, layers, rows, strict=True))
    return flow_paths.paths(*flows, own, count, many)


def _rows(layer: PrunableLayer, flat: np.ndarray) -> np.ndarray:
    return layer.rows(torch.from_numpy(flat).reshape(layer.shape)).numpy()


def pictures(key: Run, part: Chain, found: Paths) -> tuple[BlockFlow, BlockFlow]:
    """The dense and the pruned flow: the same links in the same places."""
    flow, cut = ((found.first[:, :, k], found.second[:, :, k]) for k in (-1, slider.number(key)))
    neurons = found.inputs, found.hidden, found.outputs
    return tuple(
        BlockFlow(who, pruned, (_first(part), part.second.role), *neurons, flow, cut)
        for who, pruned in (("Dense", False), (f"{runs.title(key)} at {percent(key.sparsity)}", True))
    )


def _first(part: Chain) -> str:
    """What the first matrix is called; of a fused one, the part of it that the second reads."""
    return part.first.role if part.rows.start == 0 else f"values in {part.first.role}"


def finding(key: Run, part: Chain, found: Paths, beside: tuple[Run, Paths] | None) -> str:
    """What the two pictures show, in one sentence."""
    where = f"{part.first.block} ({_first(part)} to {part.second.role})"
    if key.sparsity == 0:
        return f"Nothing is pruned yet: all paths through {where} are open"
    strong, _ = found.left(slider.number(key))
    text = f"At {percent(key.sparsity)} {runs.title(key)} keeps {percent(strong)} of the flow along the strongest links of {where}"
    if beside is None:
        return text
    rival, others = beside
    return f"{text}; {runs.title(rival)} keeps {percent(others.left(slider.number(rival))[0])}"


def retained(key: Run, found: Paths, beside: tuple[Run, Paths] | None) -> Retained | None:
    """What is left over all sparsities; None where only one sparsity is solved."""
    many = slider.count(key)
    if many == 1:
        return None

    def lines(paths: Paths) -> tuple[tuple[float, ...], ...]:
        return tuple(zip(*(paths.left(k) for k in range(many)), strict=True))

    rival = (runs.title(beside[0]), *lines(beside[1])) if beside else None
    return Retained(runs.title(key), *lines(found), key.sparsity, rival)
