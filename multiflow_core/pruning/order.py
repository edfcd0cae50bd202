"""The order: what `rank` returns. What all orders answer, and what only those answer whose masks nest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..calibration.activations import Statistics
from ..support.tables import Share, table
from ..support.threads import Progress
from ..weights.layers import PrunableLayer
from ..weights.masks import Masks
from .allocations import Allocation
from .criteria import Criterion
from .method import Method


class Order(ABC):
    """Masks and budgets at every sparsity, for one (model, method, evidence).

    At sparsity s over N weights exactly floor(s * N) are pruned (see `exact_cut.pruned_count`).

    Where `nested`, a weight that is pruned at some sparsity is pruned at every higher one: then each weight has a score and a
    place, and everything over all sparsities is a look-up. Where not, `curve`, `count_table`, `cuts`, `score`, `threshold`,
    `thresholds`, `critical_sparsity`, `survived`, `masks_nm` and `masks_neurons` raise ValueError with the reason.

    Attributes:
        layers: the layout. total: N, the weights that may go. method: that ordered it. statistics: what it was ordered with, or
            None.
        fixed: {parameter name: sparsity} of the layers that have a sparsity of their own, whose weights N does not count.
        criterion, allocation: how it was ordered; None where it is not by one of each.
        implied_sparsity: of an allocation that was given as a dictionary, where every layer has its sparsity.
        updates_weights: whether the survivors get new values (`weights`).
    """

    nested: bool
    layers: tuple[PrunableLayer, ...]
    total: int
    method: Method
    statistics: Statistics | None
    criterion: Criterion | None = None
    allocation: Allocation | None = None
    implied_sparsity: float | None = None
    fixed: Mapping[str, float] = MappingProxyType({})
    updates_weights: bool = False

    @abstractmethod
    def masks(self, sparsity: float | None = None, *, progress: Progress | None = None) -> Masks:
        """The masks at a sparsity: exactly floor(sparsity * total) weights are False. ValueError outside 0..1.

        Without a sparsity: at the one that the given sparsities of the layers imply.
        """

    @abstractmethod
    def masks_at(self, sparsities: Sequence[float], *, progress: Progress | None = None) -> list[Masks]:
        """The masks at several sparsities."""

    @abstractmethod
    def layer_counts(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        """How many weights of every layer are pruned: int64 (layers,), summing to floor(sparsity * total)."""

    @abstractmethod
    def dead_neurons(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        """How many outputs (rows) and inputs (columns) of every layer have lost all weights: int64 (layers, 2)."""

    def weights(self, sparsity: float | None = None, *, progress: Progress | None = None) -> dict[str, Tensor] | None:
        """{parameter name: new weight, zero where pruned}; None where the survivors keep their values.

        So `masks.apply(model, order.weights(sparsity))` works for every order.
        """
        return None

    def _repr_html_(self) -> str:
        """In a notebook: what each modality gives at some sparsities; of a method that solves each anew, what it is."""
        title = f"{self.method.title}, {len(self.layers)} layers, {self.total:,} weights that may go"
        if not self.nested:
            return table(title, ("masks", ""), [("solved anew at every sparsity", "order.masks(sparsity)")])
        rows = [(Share(at), *map(Share, self.modality_sparsity(at).values())) for at in (0.3, 0.5, 0.63, 0.75, 0.9)]
        return table(title, ("sparsity", *self.modality_sparsity(0.5)), rows)

    def layer_sparsity(self, sparsity: float) -> dict[str, float]:
        """The sparsity of every layer at a global sparsity."""
        counts = self.layer_counts(sparsity).tolist()
        return {layer.name: count / layer.size for layer, count in zip(self.layers, counts, strict=True)}

    def modality_sparsity(self, sparsity: float) -> dict[str, float]:
        """The sparsity of every modality at a global sparsity.

        >>> from torch import nn
        >>> import multiflow_core as mf
        >>> mf.rank(nn.ModuleDict({"text": nn.Linear(4, 4), "vision": nn.Linear(4, 4)}),
        ...         criterion="magnitude", allocation="multimodal").modality_sparsity(0.75)
        {'text': 0.75, 'vision': 0.75}
        """
        pruned: dict[str, int] = {}
        size: dict[str, int] = {}
        for layer, count in zip(self.layers, self.layer_counts(sparsity).tolist(), strict=True):
            pruned[layer.modality] = pruned.get(layer.modality, 0) + count
            size[layer.modality] = size.get(layer.modality, 0) + layer.size
        return {modality: pruned[modality] / size[modality] for modality in size}


def _only_nested(name: str, lacks: str):
    """A method that says why it has no answer."""

    def method(self: Order, *args, **kwargs):
        raise ValueError(f"{self.method.title} solves every sparsity anew and its masks do not nest: it has {lacks}")

    method.__name__, method.__doc__ = name, f"Only where masks nest; otherwise there is {lacks}."
    return method


if not TYPE_CHECKING:
    for _name, _lacks in {
        "curve": "no curve over all sparsities",
        "count_table": "no curve over all sparsities",
        "cuts": "no thresholds",
        "score": "no score that holds at every sparsity",
        "threshold": "no threshold",
        "thresholds": "no thresholds",
        "critical_sparsity": "no critical sparsities",
        "survived": "no critical sparsities",
        "masks_nm": "no scores to apply an N:M pattern to",
        "masks_neurons": "no scores to sum over hidden units",
    }.items():
        setattr(Order, _name, _only_nested(_name, _lacks))
