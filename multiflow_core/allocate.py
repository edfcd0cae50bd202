"""Allocations: how one global sparsity becomes one per layer. A new allocation is one registration.

An allocation puts the layers into groups. Inside a group, slots (one per weight) are ordered by a key that is
comparable between its layers; the groups are then merged evenly, by (rank + 1/2) / group size; and the merged
order is cut once. Nothing is rounded, so the counts are exact and never shrink as the sparsity grows.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from ._support import unknown_name
from .layers import PrunableLayer


@dataclass(frozen=True)
class Allocation:
    """A named way to share out the sparsity.

    >>> get("multimodal").group(PrunableLayer("w", (2, 2), modality="text"))
    'text'

    Attributes:
        group: layer -> its group; every group gets the global sparsity.
        key: what orders slots inside a group: "score" (the method's own criterion) or a criterion's name.
            Irrelevant where a group is a single layer.
        aliases: other names.
    """

    name: str
    title: str
    formula: str
    group: Callable[[PrunableLayer], Hashable]
    key: str = "score"
    aliases: tuple[str, ...] = ()


_REGISTRY: dict[str, Allocation] = {}


def register(allocation: Allocation) -> Allocation:
    """Make an allocation available by its name and aliases; a later one of the same name replaces it."""
    for name in (allocation.name, *allocation.aliases):
        _REGISTRY[name] = allocation
    return allocation


def get(allocation: str | Allocation) -> Allocation:
    """An allocation by name or alias (ValueError if there is none); an Allocation is returned as it is.

    >>> get("per-modality").name
    'multimodal'
    """
    if isinstance(allocation, Allocation):
        return allocation
    if allocation not in _REGISTRY:
        raise unknown_name("allocation", allocation, _REGISTRY)
    return _REGISTRY[allocation]


def allocations() -> tuple[Allocation, ...]:
    """All registered allocations, each once, by name."""
    return tuple(sorted(set(_REGISTRY.values()), key=lambda allocation: allocation.name))


register(
    Allocation(
        "global",
        "Global",
        "one cut through the scores of all layers",
        group=lambda layer: "all",
    )
)
register(
    Allocation(
        "uniform",
        "Uniform",
        "every layer at the target sparsity",
        group=lambda layer: layer.name,
        aliases=("local",),
    )
)
register(
    Allocation(
        "multimodal",
        "Per modality",
        "per modality, the share of each layer under one |w| threshold at the target sparsity",
        group=lambda layer: layer.modality,
        key="magnitude",
        aliases=("per-modality",),
    )
)
