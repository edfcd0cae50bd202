"""What a pruning order says at one sparsity, as the frozen data that charts and findings are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from multiflow_core.experiments.run import Run

from ..charts.heatmap import SparsityGrid
from ..charts.modalities import ModalityShares
from ..charts.model_map import Block, Matrix, ModelMap, Tower
from ..engine import runs, slider
from ..engine.store import Progress

if TYPE_CHECKING:
    from multiflow_core import PrunableLayer

T = TypeVar("T")


@dataclass(frozen=True)
class LayerFact:
    """One layer at one sparsity."""

    layer: PrunableLayer
    pruned: int

    @property
    def name(self) -> str:
        """For people."""
        return self.layer.title

    @property
    def sparsity(self) -> float:
        return self.pruned / self.layer.size


@dataclass(frozen=True)
class Facts:
    """All layers of a model at one sparsity under one method."""

    method: str
    target: float
    layers: tuple[LayerFact, ...]
    fixed: frozenset[str] = frozenset()  # names of the layers that do not go by the slider

    @property
    def total(self) -> int:
        return sum(fact.layer.size for fact in self.layers)

    @property
    def free(self) -> int:
        """Of how many weights the target is a share."""
        return sum(fact.layer.size for fact in self.layers if fact.layer.name not in self.fixed)

    @property
    def pruned(self) -> int:
        return sum(fact.pruned for fact in self.layers)

    @property
    def modalities(self) -> dict[str, float]:
        """Sparsity per modality, in the order of the layout."""
        found: dict[str, list[int]] = {}
        for fact in self.layers:
            part = found.setdefault(fact.layer.modality, [0, 0])
            part[0] += fact.pruned
            part[1] += fact.layer.size
        return {modality: gone / size for modality, (gone, size) in found.items()}


class Cells:
    """Layers by block (across) and role (down), in the order of the layout; a cell may hold several of them, or none."""

    def __init__(self, facts: Sequence[LayerFact]):
        self.blocks = tuple(dict.fromkeys(fact.layer.block for fact in facts))
        self.roles = tuple(dict.fromkeys(fact.layer.role for fact in facts))
        self._held: dict[tuple[str, str], list[LayerFact]] = {}
        for fact in facts:
            self._held.setdefault((fact.layer.role, fact.layer.block), []).append(fact)

    def table(self, value: Callable[[list[LayerFact]], T]) -> tuple[tuple[T | None, ...], ...]:
        """A value for every cell, row by row; None where it holds no layer."""
        held = self._held
        return tuple(tuple(value(held[r, b]) if (r, b) in held else None for b in self.blocks) for r in self.roles)


@dataclass(frozen=True)
class DeadNeurons:
    """Outputs (rows) and inputs (columns) of layers that have no weight left, of so many in all layers."""

    outputs: int
    inputs: int
    neurons: int

    @property
    def dead(self) -> int:
        return self.outputs + self.inputs


def dead_neurons(key: Run, progress: Progress | None = None) -> DeadNeurons:
    """The dead neurons of a run; the first time it looks through the whole order."""
    outputs, inputs = slider.dead_neurons(key, progress).sum(axis=0).tolist()
    return DeadNeurons(outputs, inputs, sum(layer.matrix[0] + layer.inputs for layer in runs.order(key).layers))


def of(key: Run, progress: Progress | None = None) -> Facts:
    """The facts of a run. Where masks nest this is a look-up: no mask is made."""
    counts = slider.layer_counts(key, progress).tolist()
    known = runs.order(key)
    return Facts(runs.title(key), key.sparsity, tuple(map(LayerFact, known.layers, counts)), frozenset(known.fixed))


def grids(facts: Facts, selected: str | None = None) -> tuple[SparsityGrid, ...]:
    """One heatmap a modality, blocks and roles in the order of the layout; the selected layer has a frame."""
    found = []
    for modality in facts.modalities:
        cells = Cells([fact for fact in facts.layers if fact.layer.modality == modality])
        sizes = cells.table(lambda cell: sum(fact.layer.size for fact in cell))
        pruned = cells.table(lambda cell: sum(fact.pruned for fact in cell))
        names = cells.table(lambda cell: cell[0].layer.name)
        found.append(SparsityGrid(modality, cells.blocks, cells.roles, sizes, pruned, names, selected))
    return tuple(found)


def model_map(facts: Facts, selected: str | None = None) -> ModelMap:
    """The whole model as towers of blocks: those that see the picture first, then in the order of the layout."""
    towers: dict[tuple[str, str], dict[str, list[LayerFact]]] = {}
    for fact in facts.layers:
        tower = towers.setdefault((_tower(fact.layer.block), fact.layer.modality), {})
        tower.setdefault(fact.layer.block, []).append(fact)
    found = [
        Tower(name, modality, tuple(_block(title, held) for title, held in blocks.items()))
        for (name, modality), blocks in towers.items()
    ]
    return ModelMap(facts.method, tuple(sorted(found, key=lambda tower: tower.modality != "vision")), selected)


def _tower(block: str) -> str:
    """What a block's tower is called: its name without its number.

    >>> _tower("vision 3"), _tower("bridge")
    ('vision', 'bridge')
    """
    name, _, number = block.rpartition(" ")
    return name if number.isdigit() and name else block


def _block(name: str, held: Sequence[LayerFact]) -> Block:
    matrices = tuple(Matrix(fact.layer.role, fact.layer.size, fact.pruned, fact.layer.name) for fact in held)
    return Block(name, matrices, any(fact.layer.role.startswith("cross") for fact in held))


def shares(facts: Facts, rival: Facts | None) -> ModalityShares:
    """What each modality loses, beside a rival method."""
    own = facts.modalities
    return ModalityShares(
        tuple(own),
        tuple(own.values()),
        facts.target,
        facts.method,
        rival.method if rival else None,
        tuple(rival.modalities.values()) if rival else (),
    )
