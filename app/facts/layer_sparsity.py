"""What a pruning order says at one sparsity, as the frozen data that charts and findings are made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from multiflow_core.experiments.results import Results
from multiflow_core.experiments.run import Run
from multiflow_core.tasks.task import tasks

from ..charts.curves import Ability, AbilityCurves
from ..charts.heatmap import SparsityGrid
from ..charts.modalities import ModalityShares
from ..engine import runs
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
        return f"{self.layer.block} {self.layer.role}"

    @property
    def sparsity(self) -> float:
        return self.pruned / self.layer.size


@dataclass(frozen=True)
class Facts:
    """All layers of a model at one sparsity under one method."""

    method: str
    target: float
    layers: tuple[LayerFact, ...]

    @property
    def total(self) -> int:
        return sum(fact.layer.size for fact in self.layers)

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


@dataclass(frozen=True)
class DeadNeurons:
    """Outputs (rows) and inputs (columns) of layers that have no weight left, of so many in all layers."""

    outputs: int
    inputs: int
    neurons: int

    @property
    def dead(self) -> int:
        return self.outputs + self.inputs


@dataclass(frozen=True)
class Loss:
    """A task's figure of the dense and of the pruned model, measured at a sparsity; of a rival None where it was not."""

    title: str
    at: float
    dense: float
    kept: float
    kept_by_rival: float | None = None

    @property
    def share(self) -> float:
        """How much of the dense figure is lost."""
        return 1 - self.kept / self.dense


def dead_neurons(key: Run, progress: Progress | None = None) -> DeadNeurons:
    """The dead neurons of a run; the first time it looks through the whole order."""
    outputs, inputs = runs.dead_neurons(key, progress).sum(axis=0).tolist()
    return DeadNeurons(outputs, inputs, sum(sum(layer.shape) for layer in runs.order(key.order).layers))


def losses(results: Results | None, key: Run, rival: Run | None) -> tuple[Loss, ...]:
    """What pruning cost every task, measured next to a run's sparsity; nothing where that is the dense model."""
    name = runs.measured_as(key)
    at = results.nearest(name, key.sparsity) if results else None
    if not at:
        return ()
    found = []
    for task in tasks():
        kept, dense = results.figure(name, task.name, at), results.dense_figure(task.name)
        if kept is not None and dense:
            other = results.figure(runs.measured_as(rival), task.name, at) if rival else None
            found.append(Loss(task.title, at, dense, kept, other))
    return tuple(found)


def of(key: Run, progress: Progress | None = None) -> Facts:
    """The facts of a run. Where masks nest this is a look-up: no mask is made."""
    counts = runs.layer_counts(key, progress).tolist()
    return Facts(runs.title(key), key.sparsity, tuple(map(LayerFact, runs.order(key.order).layers, counts)))


def grids(facts: Facts, selected: str | None = None) -> tuple[SparsityGrid, ...]:
    """One heatmap a modality, blocks and roles in the order of the layout; the selected layer has a frame."""
    return tuple(_grid(facts, modality, selected) for modality in facts.modalities)


def _grid(facts: Facts, modality: str, selected: str | None) -> SparsityGrid:
    own = [fact for fact in facts.layers if fact.layer.modality == modality]
    blocks = tuple(dict.fromkeys(fact.layer.block for fact in own))
    roles = tuple(dict.fromkeys(fact.layer.role for fact in own))
    cells: dict[tuple[str, str], list[LayerFact]] = {}
    for fact in own:
        cells.setdefault((fact.layer.role, fact.layer.block), []).append(fact)

    def table(value: Callable[[list[LayerFact]], T]) -> tuple[tuple[T | None, ...], ...]:
        return tuple(
            tuple(value(cells[role, block]) if (role, block) in cells else None for block in blocks) for role in roles
        )

    return SparsityGrid(
        modality,
        blocks,
        roles,
        table(lambda cell: sum(fact.layer.size for fact in cell)),
        table(lambda cell: sum(fact.pruned for fact in cell)),
        table(lambda cell: cell[0].layer.name),
        selected,
    )


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


def abilities(results: Results, titles: dict[str, str], chosen: str, sparsity: float) -> AbilityCurves:
    """The measured curves of all methods that have a title, task by task."""
    found = []
    for task in tasks():
        dense = results.dense_figure(task.name)
        curves = {titles[name]: results.curve(name, task.name) for name in results.names if name in titles}
        if dense is not None:
            series = tuple((title, points) for title, points in curves.items() if points)
            found.append(Ability(task.title, task.unit, dense, series))
    return AbilityCurves(tuple(found), titles[chosen], sparsity)
