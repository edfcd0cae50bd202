"""Allocations: how one global sparsity becomes one per layer. A new allocation is one registration.

An allocation puts the layers into groups. Inside a group, slots (one per weight) are ordered by a key that is
comparable between its layers; the groups are then merged evenly, by (rank + 1/2) / group size; and the merged
order is cut once. Nothing is rounded, so the counts are exact and never shrink as the sparsity grows.

Any of them combines with any criterion, and a dictionary {parameter name: sparsity} does as well (see `given`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..support.registry import Registry, unknown_name
from ..weights.layers import PrunableLayer
from .criteria import Context, Criterion
from .exact_cut import pruned_count
from .merging import ordered_bits

_PART = 1 << 20  # weights put in order at a time


Known = Callable[[], Iterable[tuple[Tensor, Context]]]


class Pace(NamedTuple):
    """How fast a layer is pruned: at level t (all of one pace 1: the sparsity) it has lost factor * t + lead of its weights.

    That is held to 0..1; t is where all layers together have lost what they should, so that counts stay exact and masks nest.

    >>> Pace(2.0, 0.25).times(4).tolist()                                 # a quarter is gone before anything else is
    [-0.0625, 0.0625, 0.1875, 0.3125]
    """

    factor: float = 1.0
    lead: float = 0.0

    def times(self, size: int) -> Tensor:
        """The levels at which a layer loses its weights: float32 (size,)."""
        lost = (torch.arange(size, dtype=torch.float64) + 0.5) / max(1, size)
        return ((lost - self.lead) / self.factor).float()


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
        places: scores of one layer, (out, in) -> the places at which its weights go, 0..size-1, int (size,);
            default: the lowest score goes first.
        keeps: with `places`: scores of one layer, and how many of its weights go -> which stay, bool (size,); a shorter way.
        among: the weights that a weight's score is compared with: those of its "layer", or of its "row".
        paces: in place of `key`, at which pace each layer loses its weights: of a function that goes through all layers, their
            weights as (experts, out, in) and what is known of them. needs: names of the evidence for that.
        targets: of a `given` allocation, {parameter name: weights pruned at the sparsity it implies}.
    """

    name: str
    title: str
    formula: str
    group: Callable[[PrunableLayer], Hashable]
    key: str = "score"
    aliases: tuple[str, ...] = ()
    places: Callable[[np.ndarray], np.ndarray] | None = None
    keeps: Callable[[np.ndarray, int], np.ndarray] | None = None
    among: str = "layer"
    paces: Callable[[Known], Sequence[Pace]] | None = None
    needs: frozenset[str] = frozenset()
    targets: Mapping[str, int] | None = field(default=None, hash=False)

    def pacemaker(self, layers: Sequence[PrunableLayer], known: Known) -> Criterion:
        """A key that orders slots by the paces of their layers."""
        paces = dict(zip((layer.name for layer in layers), self.paces(known), strict=True))

        def key(weight: Tensor, context: Context) -> Tensor:
            name = context.layer.name  # or that of one expert
            return (paces.get(name) or paces[name.rpartition(".")[0]]).times(weight.numel()).view(weight.shape)

        return Criterion("pace", "Pace", "when a layer has lost as much", key)

    def places_in(self, layer: PrunableLayer, scores: Tensor) -> np.ndarray:
        """The places of a layer's weights as they lie in memory, (size,), by scores of the layer's shape."""
        places = self.places(layer.rows(scores).contiguous().numpy())
        return layer.stored_like(torch.from_numpy(places).view(-1, layer.inputs // layer.experts)).reshape(-1).numpy()


ALLOCATIONS: Registry[Allocation] = Registry("allocation", f"{__package__}.methods")
register, get = ALLOCATIONS.register, ALLOCATIONS.get


def allocations() -> tuple[Allocation, ...]:
    """All registered allocations, each once, by name."""
    return ALLOCATIONS.all()


def by_block(figures: Iterable[tuple[PrunableLayer, float]], weigh: Callable[[PrunableLayer], float]) -> list[float]:
    """For each layer the mean figure of its block, layers weighed as told.

    >>> layers = [PrunableLayer(name, (1, n), block=name[0]) for name, n in (("a1", 1), ("a2", 3), ("b1", 5))]
    >>> by_block(zip(layers, (4.0, 8.0, 1.0)), lambda layer: layer.size)
    [7.0, 7.0, 1.0]
    """
    figures = list(figures)
    sums: dict[str, list[float]] = {}
    for layer, figure in figures:
        total = sums.setdefault(layer.part, [0.0, 0.0])
        total[0] += figure * weigh(layer)
        total[1] += weigh(layer)
    means = {block: found / max(weight, 1e-30) for block, (found, weight) in sums.items()}
    return [means[layer.part] for layer, _ in figures]


def between(values: Sequence[float]) -> list[float]:
    """Where each value lies between the lowest, 0, and the highest, 1; all alike: in the middle.

    >>> between([3.0, 1.0, 2.0]), between([1.0, 1.0])
    ([1.0, 0.0, 0.5], [0.5, 0.5])
    """
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.5 for value in values]


def given(sparsities: Mapping[str, float], layers: Sequence[PrunableLayer]) -> Allocation:
    """The user's own sparsity for every layer; a layer that is not named stays dense.

    >>> layers = [PrunableLayer("a", (2, 4)), PrunableLayer("b", (2, 2))]
    >>> dict(given({"a": 0.5}, layers).targets)
    {'a': 4, 'b': 0}

    Together they imply one global sparsity, the order's `implied_sparsity`: there every layer has exactly
    floor(its sparsity * its size) weights pruned. Below it the layers keep these proportions; beyond it what is
    left of them shrinks evenly. So the order stays nested, and a slider still works.

    Raises:
        ValueError: a name that is no layer's, or a sparsity that is no number from 0 to 1.
    """
    names = [layer.name for layer in layers]
    for name, sparsity in sparsities.items():
        if name not in names:
            raise unknown_name("layer", name, names)
        try:
            pruned_count(sparsity, 1)
        except ValueError as error:
            raise ValueError(f"allocation of {name}: {error}") from None
    return Allocation(
        "given",
        "As given",
        "every layer at the sparsity given for it",
        group=lambda layer: layer.name,
        targets={layer.name: pruned_count(sparsities.get(layer.name, 0.0), layer.size) for layer in layers},
    )


def row_places(scores: np.ndarray) -> np.ndarray:
    """Weights compared with those of their own row only: every row loses its lowest, then its second lowest, ...

    >>> row_places(np.array([[5, 6, 4], [0, 2, 1]], dtype=np.float32)).tolist()
    [2, 4, 0, 1, 5, 3]

    That is the order of (rank in the row + 1/2) / row length, equal keys by row: at any count no two rows differ by
    more than one weight.
    """
    rows, columns = scores.shape
    places = np.empty(scores.shape, dtype=np.min_scalar_type(-max(1, scores.size)))
    few = max(1, _PART // max(1, columns))
    for i in range(0, rows, few):
        order = _row_order(scores[i : i + few])
        then = np.arange(columns) * rows + np.arange(i, i + len(order))[:, None]
        np.put_along_axis(places[i : i + few], order, then.astype(places.dtype), axis=1)
    return places.reshape(-1)


def row_keeps(scores: np.ndarray, count: int) -> np.ndarray:
    """What stays when so many weights go row by row: `row_places(scores) >= count`, without putting the rows in order.

    >>> row_keeps(np.array([[5, 6, 4], [0, 2, 1]], dtype=np.float32), 3).tolist()
    [False, True, False, False, True, True]
    """
    rows, columns = scores.shape
    keep = np.ones(scores.shape, dtype=bool)
    few = max(1, _PART // max(1, columns))
    least, more = divmod(count, max(1, rows))  # of each row, and how many rows lose one more
    for i in range(0, rows, few):
        part = scores[i : i + few]
        gone = np.full(len(part), least) + (np.arange(i, i + len(part)) < more)
        for number in np.unique(gone[gone > 0]):
            chosen = gone == number
            keys = (
                _keys(part[chosen])
                if part.dtype == np.float32
                else np.argsort(np.argsort(part[chosen], 1, "stable"), 1)
            )
            last = np.partition(keys, number - 1, axis=1)[:, number - 1]
            keep[i : i + few][chosen] = keys > last[:, None]
    return keep.reshape(-1)


def _row_order(scores: np.ndarray) -> np.ndarray:
    """The columns of every row from its lowest score on, equal ones in order: int64 (rows, columns)."""
    if scores.dtype != np.float32:
        return np.argsort(scores, axis=1, kind="stable")
    keys = _keys(scores)
    keys.sort(axis=1)
    return keys.astype(np.uint32).astype(np.int64)


def _keys(scores: np.ndarray) -> np.ndarray:
    """Value and column in one integer, which no two have in common: faster to sort than a stable argsort is."""
    return ordered_bits(scores).astype(np.uint64) << np.uint64(32) | np.arange(scores.shape[1], dtype=np.uint64)


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
register(
    Allocation(
        "row",
        "Per row",
        "every output row of every layer at the target sparsity",
        group=lambda layer: layer.name,
        places=row_places,
        keeps=row_keeps,
        among="row",
    )
)
