"""What a pruning order says at one sparsity, as the frozen data that charts and findings are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..charts.curves import Ability, AbilityCurves
from ..charts.heatmap import SparsityGrid
from ..charts.modalities import ModalityShares
from . import runs
from .results import HEADLINE, Results
from .runs import RunKey
from .store import Progress

if TYPE_CHECKING:
    from multiflow_core import PrunableLayer


@dataclass(frozen=True)
class LayerFact:
    """One layer at one sparsity."""

    layer: PrunableLayer
    pruned: int

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


def of(key: RunKey, progress: Progress | None = None) -> Facts:
    """The facts of a run. Where masks nest this is a look-up: no mask is made."""
    counts = runs.layer_counts(key, progress).tolist()
    return Facts(runs.title(key), key.sparsity, tuple(map(LayerFact, runs.order(key.order).layers, counts)))


def grids(facts: Facts) -> tuple[SparsityGrid, ...]:
    """One heatmap a modality, blocks and roles in the order of the layout."""
    return tuple(_grid(facts, modality) for modality in facts.modalities)


def _grid(facts: Facts, modality: str) -> SparsityGrid:
    own = [fact for fact in facts.layers if fact.layer.modality == modality]
    blocks = tuple(dict.fromkeys(fact.layer.block for fact in own))
    roles = tuple(dict.fromkeys(fact.layer.role for fact in own))
    size: dict[tuple[str, str], int] = {}
    gone: dict[tuple[str, str], int] = {}
    for fact in own:
        cell = fact.layer.role, fact.layer.block
        size[cell] = size.get(cell, 0) + fact.layer.size
        gone[cell] = gone.get(cell, 0) + fact.pruned
    return SparsityGrid(
        modality,
        blocks,
        roles,
        tuple(tuple(size.get((role, block)) for block in blocks) for role in roles),
        tuple(tuple(gone.get((role, block)) for block in blocks) for role in roles),
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
    for task, (title, _, unit) in HEADLINE.items():
        if task in results.dense:
            series = tuple(
                (titles[m], tasks[task]) for m, tasks in results.runs.items() if m in titles and task in tasks
            )
            found.append(Ability(title, unit, results.dense[task], series))
    return AbilityCurves(tuple(found), titles[chosen], sparsity)
