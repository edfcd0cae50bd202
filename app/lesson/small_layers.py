"""The lesson's small layers, worked out by multiflow_core: numbers in, every intermediate result out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

import multiflow_core as mf
from multiflow_core import Masks, Statistics
from multiflow_core.analysis.explain import mask_of
from multiflow_core.experiments.run import Run
from multiflow_core.pruning.criteria import Context, saliencies, wanda
from multiflow_core.weights.dense import weight_of

from ..engine import runs
from ..engine.store import Progress

Numbers = tuple[tuple[float, ...], ...]
Flags = tuple[tuple[bool, ...], ...]
Cell = tuple[int, int]

INPUTS, OUTPUTS = ("1", "2", "3", "4"), ("A", "B", "C")
PAIRS = 2  # the tokens are those of so many image-text pairs
SPARSITY = 0.5

# The layers beside the one that can be edited; text weights are these times the scale that the reader chooses.
BESIDE: dict[str, Numbers] = {
    "vision 2": ((1, -4, 2, 1), (6, 2, -1, 5), (-2, 4, 1, 7)),
    "text 1": ((5, -3, 1, 8), (2, 7, -6, 4), (9, 2, -1, 6)),
    "text 2": ((1, 2, -1, 4), (2, -1, 3, 1), (-2, 5, 2, -3)),
}


@dataclass(frozen=True)
class Small:
    """The 3 x 4 layer: `weights` (outputs, inputs), `tokens` (tokens, inputs), and what follows from them.

    Attributes:
        norms: a_j of every input. carried: |w_ij| a_j. s_in, s_out: its averages down and across.
        meeting: s_out(i) s_in(j). score: times |w_ij|.
        order: the place of every weight in the order in which MULTIFLOW prunes, from 1.
        kept, by_size: the masks at `SPARSITY`, of MULTIFLOW and of magnitude alone.
    """

    weights: Numbers
    tokens: Numbers
    norms: tuple[float, ...]
    carried: Numbers
    s_in: tuple[float, ...]
    s_out: tuple[float, ...]
    meeting: Numbers
    score: Numbers
    order: tuple[tuple[int, ...], ...]
    kept: Flags
    by_size: Flags

    @property
    def cells(self) -> list[Cell]:
        """All places, row by row."""
        return [(i, j) for i in range(len(OUTPUTS)) for j in range(len(INPUTS))]

    @property
    def gone(self) -> frozenset[Cell]:
        """The weights that MULTIFLOW prunes."""
        return frozenset((i, j) for i, j in self.cells if not self.kept[i][j])

    @property
    def small_stays(self) -> Cell | None:
        """The smallest weight that stays although size alone would prune it."""
        found = [(i, j) for i, j in self.cells if self.kept[i][j] and not self.by_size[i][j]]
        return min(found, key=lambda c: abs(self.weights[c[0]][c[1]]), default=None)

    @property
    def large_goes(self) -> Cell | None:
        """The largest weight that goes although size alone would keep it."""
        found = [(i, j) for i, j in self.cells if not self.kept[i][j] and self.by_size[i][j]]
        return max(found, key=lambda c: abs(self.weights[c[0]][c[1]]), default=None)


@lru_cache(maxsize=64)
def small(weights: Numbers, tokens: Numbers) -> Small:
    """The small layer, from its weights and what arrives at its inputs."""

    layer, statistics = small_layer(weights, tokens)
    weight = layer.weight.detach()
    norms = statistics.norm("weight")
    s_in, s_out = saliencies(weight, norms)
    order = mf.rank(layer, "multiflow", statistics=statistics)
    by_size = mf.rank(layer, "localmp").masks(SPARSITY)["weight"]
    return Small(
        weights,
        tokens,
        tuple(norms.tolist()),
        carried=rows(wanda(weight, Context(order.layers[0], {"statistics": norms}))),
        s_in=tuple(s_in.tolist()),
        s_out=tuple(s_out.tolist()),
        meeting=rows(torch.outer(s_out, s_in)),
        score=rows(order.score("weight")),
        order=rows((order.critical_sparsity("weight") * order.total).round().int()),
        kept=rows(order.masks(SPARSITY)["weight"]),
        by_size=rows(by_size),
    )


def small_layer(weights: Numbers, tokens: Numbers) -> tuple[nn.Module, Statistics]:
    """The small layer as a module, and its statistics."""
    layer = nn.Linear(len(INPUTS), len(OUTPUTS), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights))
    return layer, mf.calibrate(layer, [{"input": batch} for batch in pairs(tokens)])


def pairs(tokens: Numbers) -> list[Tensor]:
    """The tokens as one batch a pair, (1, tokens, inputs)."""
    return list(torch.tensor(tokens, dtype=torch.float32).reshape(PAIRS, 1, -1, len(INPUTS)))


def rows(matrix: Tensor) -> tuple:
    """A matrix, or a mask, row by row."""
    return tuple(map(tuple, matrix.tolist()))


# --- two modalities -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TowerLayer:
    """One of four layers at `SPARSITY`: kept by one global threshold on |w|, by MULTIFLOW, and by its budget on |w|."""

    name: str
    weights: Numbers
    globally: Flags
    per_modality: Flags
    multiflow: Flags

    @property
    def modality(self) -> str:
        return self.name.split()[0]

    def lost(self, flags: Flags) -> int:
        """How many of its weights a mask prunes."""
        return sum(not kept for row in flags for kept in row)


@dataclass(frozen=True)
class Towers:
    """Two vision layers, the first of them the small layer, and two text layers whose weights are `scale` times as large."""

    layers: tuple[TowerLayer, ...]
    scale: float

    def lost(self, modality: str, which: str) -> tuple[int, int]:
        """How many weights of a modality a mask ("globally", "multiflow", ...) prunes, and how many there are."""
        own = [layer for layer in self.layers if layer.modality == modality]
        return sum(layer.lost(getattr(layer, which)) for layer in own), sum(
            len(x.weights) * len(x.weights[0]) for x in own
        )


@lru_cache(maxsize=64)
def towers(weights: Numbers, tokens: Numbers, scale: float) -> Towers:
    """The four layers, pruned with one threshold and with one a modality."""
    model = four_layers(weights, scale)
    statistics = mf.calibrate(model, [{"input": batch} for batch in pairs(tokens)], forward=run)
    masks: dict[str, Masks] = {
        "globally": mf.rank(model, "omp").masks(SPARSITY),
        "per_modality": mf.rank(model, criterion="magnitude", allocation="multimodal").masks(SPARSITY),
        "multiflow": mf.rank(model, "multiflow", statistics=statistics).masks(SPARSITY),
    }
    return Towers(
        tuple(
            TowerLayer(name, rows(layer.weight), **{which: rows(m[f"{name}.weight"]) for which, m in masks.items()})
            for name, layer in model.items()
        ),
        scale,
    )


def four_layers(weights: Numbers, scale: float) -> nn.ModuleDict:
    """The small layer, another of vision, and two of text, as a module."""
    model = nn.ModuleDict()
    for name, values in ({"vision 1": weights} | BESIDE).items():
        model[name] = nn.Linear(len(INPUTS), len(OUTPUTS), bias=False)
        weight = torch.tensor(values, dtype=torch.float32) * (scale if name.startswith("text") else 1)
        model[name].weight = nn.Parameter(weight, requires_grad=False)
    return model


def run(model: nn.ModuleDict, batch: dict[str, Tensor]) -> list[Tensor]:
    """All four layers read the same inputs."""
    return [layer(batch["input"]) for layer in model.values()]


# --- a real layer ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Excerpt:
    """A few weights of a real layer: its busiest, middling and quietest neurons, and what MULTIFLOW does with them.

    Attributes:
        outputs, inputs: the neurons' numbers, from 0. weights, meeting, score, kept: (outputs, inputs).
        size: weights in the whole layer. gone: of these, pruned. otherwise: of these, kept though size alone would prune them.
    """

    layer: str
    sparsity: float
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    weights: Numbers
    s_in: tuple[float, ...]
    s_out: tuple[float, ...]
    meeting: Numbers
    score: Numbers
    kept: Flags
    size: int
    gone: int
    otherwise: int


def excerpt(model: str, name: str, sparsity: float, progress: Progress | None = None) -> Excerpt:
    """As many neurons of a real layer as the small one has, from the busiest to the quietest."""

    order = runs.order(Run(model, "multiflow"), progress)
    statistics = runs.statistics(model, "", progress)
    weight = weight_of(runs.vlm(model, progress).model, name)
    s_in, s_out = saliencies(weight, statistics.norm(name))
    inputs, outputs = _spread(s_in, len(INPUTS)), _spread(s_out, len(OUTPUTS))
    kept = mask_of(order, name, sparsity)
    gone = int((~kept).sum())
    by_size = torch.ones(kept.numel(), dtype=torch.bool)
    by_size[weight.abs().flatten().sort(stable=True).indices[:gone]] = False
    piece = torch.meshgrid(torch.tensor(outputs), torch.tensor(inputs), indexing="ij")
    return Excerpt(
        name,
        sparsity,
        outputs,
        inputs,
        rows(weight[piece]),
        tuple(s_in[list(inputs)].tolist()),
        tuple(s_out[list(outputs)].tolist()),
        rows(torch.outer(s_out, s_in)[piece]),
        rows(order.score(name)[piece]),
        rows(kept[piece]),
        kept.numel(),
        gone,
        int((kept & ~by_size.reshape(kept.shape)).sum()),
    )


def _spread(saliency: Tensor, n: int) -> tuple[int, ...]:
    """n neurons at even distances from the busiest to the quietest."""
    order = saliency.argsort(descending=True, stable=True).tolist()
    return tuple(order[round(k * (len(order) - 1) / (n - 1))] for k in range(n))


@dataclass(frozen=True)
class Lesson:
    """What the steps are about: the small layer, the four layers, and a piece of a real one where there is one."""

    small: Small
    towers: Towers
    real: Excerpt | None = None
