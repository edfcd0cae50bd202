"""Why a weight is kept or pruned: every number behind the verdict, and the weights that are worth a look."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..calibration.activations import Statistics
from ..pruning.criteria import saliencies
from ..pruning.exact_cut import keep_all_but
from ..pruning.nested_order import PruningOrder
from ..weights.dense import matrix_of
from ..weights.layers import PrunableLayer
from ..weights.masks import Masks


class Place(NamedTuple):
    """Where a value stands among others: `before` of the `of` come first in ascending order, ties by position.

    >>> place = Place.of_value(torch.tensor([3.0, 1.0, 1.0, 7.0]), 2)
    >>> place.before, place.rank, place.share                    # one comes before it; it is the 3rd highest of 4
    (1, 3, 0.25)
    """

    value: float
    before: int
    of: int

    @classmethod
    def of_value(cls, values: Tensor, index: int) -> Place:
        """The place of `values[index]` among all values (any shape, read row by row)."""
        flat = values.reshape(-1)
        value = flat[index]
        before = int((flat < value).sum()) + int((flat[:index] == value).sum())
        return cls(float(value), before, flat.numel())

    @property
    def rank(self) -> int:
        """1 is the highest."""
        return self.of - self.before

    @property
    def share(self) -> float:
        """The share of all values that come before it, 0..1."""
        return self.before / self.of


@dataclass(frozen=True)
class Explanation:
    """One weight at one sparsity. What `explain` returns.

    Attributes:
        layer, row, column: which weight; `row` is its output neuron, `column` its input neuron, from 0.
        sparsity: the global sparsity. weight: the value itself.
        among: whom it competes with: "layer", or "row" where only weights of one output are compared.
        magnitude, score: |w| and the method's score among these rivals.
        cut: how many of the rivals are pruned, the lowest scores first; so it is kept iff score.before >= cut.
        threshold: the highest score of a pruned rival; -inf when there is none.
        layer_pruned: how many weights of the layer are pruned.
        critical: the sparsity from which on the weight is pruned.
        norm, s_in, s_out: a_j and MULTIFLOW's two saliencies, among all inputs or outputs of the layer; None where
            the layer has no statistics.
    """

    layer: PrunableLayer
    row: int
    column: int
    sparsity: float
    weight: float
    among: str
    magnitude: Place
    score: Place
    cut: int
    threshold: float
    layer_pruned: int
    critical: float
    norm: Place | None = None
    s_in: Place | None = None
    s_out: Place | None = None

    @property
    def kept(self) -> bool:
        """The verdict: what the mask says."""
        return self.score.before >= self.cut

    @property
    def kept_by_size(self) -> bool:
        """What the verdict would be if |w| were the score, with the same budget."""
        return self.magnitude.before >= self.cut

    @property
    def layer_sparsity(self) -> float:
        """The layer's budget: the share of its weights that is pruned, 0..1."""
        return self.layer_pruned / self.layer.size

    @property
    def margin(self) -> float:
        """How far the score lies above the threshold; never negative where the weight is kept."""
        return self.score.value - self.threshold


def explain(
    order: PruningOrder,
    model: nn.Module,
    name: str,
    row: int,
    column: int,
    sparsity: float,
    *,
    statistics: Statistics | None = None,
    critical: float | None = None,
) -> Explanation:
    """Every number behind the verdict on one weight; exact: `kept` is what `order.masks(sparsity)` says.

    >>> from multiflow_core import calibrate, rank
    >>> model = nn.Linear(2, 2, bias=False)
    >>> with torch.no_grad():
    ...     _ = model.weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 4.0]]))
    >>> statistics = calibrate(model, [{"input": torch.tensor([[5.0, 1.0]])}])
    >>> why = explain(rank(model, "multiflow", statistics=statistics), model, "weight", 0, 0, 0.25)
    >>> why.score, why.threshold                              # 3.5 * |1| * 10 beats 3.5 * |-2| * 3
    (Place(value=35.0, before=1, of=4), 21.0)
    >>> why.kept, why.critical, why.kept_by_size
    (True, 0.5, False)

    Args:
        order: of a method whose masks nest. model: the dense model that was ordered; it is only read.
        name, row, column: the layer, the output neuron and the input neuron, both from 0.
        sparsity: global, 0..1.
        statistics: for the saliencies; default: those that the order was made with, if any.
        critical: what `critical_sparsity` says of this weight, if it was asked before: it is the slowest part.

    Takes a few passes over the one layer and no sort of it, so it is quick at any size.

    Raises:
        ValueError: a method that is not nested, a layer, row or column that does not exist, a bad sparsity.
    """
    layer, score, goes = _layer(order, name, row, column)
    weight = matrix_of(model, layer)
    pruned = int(order.layer_counts(sparsity)[order.layers.index(layer)])
    among_row = order.allocation.among == "row"
    index = column if among_row else layer.place(row, column)

    def compared(matrix: Tensor) -> Tensor:
        """What the weight competes with, in the order in which ties are broken."""
        return matrix[row] if among_row else layer.stored_like(matrix).reshape(-1)

    cut = pruned if goes is None else int((compared(goes) < pruned).sum())
    rivals = compared(score)
    if critical is None:
        critical = critical_sparsity(order, name, row, column)
    norm = s_in = s_out = None
    statistics = statistics or order.statistics
    if statistics is not None and name in statistics.square_sums:
        expert, out = divmod(row, layer.matrix[0] // layer.experts)
        norms = statistics.norm(name).view(layer.experts, -1)[expert]
        inputs, outputs = saliencies(weight.unflatten(0, (layer.experts, -1))[expert], norms)
        norm, s_in = Place.of_value(norms, column), Place.of_value(inputs, column)
        s_out = Place.of_value(outputs, out)
    return Explanation(
        layer,
        row,
        column,
        float(sparsity),
        float(weight[row, column]),
        order.allocation.among,
        magnitude=Place.of_value(compared(weight).abs(), index),
        score=Place.of_value(rivals, index),
        cut=cut,
        threshold=float(np.partition(rivals.numpy(), cut - 1)[cut - 1]) if cut else -math.inf,
        layer_pruned=pruned,
        critical=critical,
        norm=norm,
        s_in=s_in,
        s_out=s_out,
    )


def mask_of(order: PruningOrder, name: str, sparsity: float) -> Tensor:
    """`order.masks(sparsity)[name]` without the other layers: bool (out, in).

    >>> from multiflow_core import rank
    >>> order = rank(nn.Linear(3, 3), "omp")
    >>> torch.equal(mask_of(order, "weight", 0.5), order.masks(0.5)["weight"])
    True
    """
    layer, score, _ = _layer(order, name, 0, 0)
    return layer.stored_like(_keep(order, layer, score, int(order.layer_counts(sparsity)[order.layers.index(layer)])))


def _keep(order: PruningOrder, layer: PrunableLayer, score: Tensor, pruned: int) -> Tensor:
    """The mask of one layer with these scores, (out, in)."""
    stored = layer.stored_like(score)
    if order.allocation.places is not None:
        kept = order.allocation.places_in(layer, stored) >= pruned
    else:
        kept = keep_all_but(stored.reshape(-1).numpy(), pruned)
    return layer.rows(torch.from_numpy(kept).reshape(layer.shape))


@dataclass(frozen=True)
class Neighbourhood:
    """The weights around one weight. What `around` returns.

    Attributes:
        rows, columns: which of the layer, in order.
        weights, kept: (rows, columns), the values and the mask there.
        kept_by_size: the mask there if |w| were the score, with the same budget.
    """

    rows: range
    columns: range
    weights: np.ndarray
    kept: np.ndarray
    kept_by_size: np.ndarray


def around(
    order: PruningOrder, model: nn.Module, name: str, row: int, column: int, sparsity: float, reach: int = 7
) -> Neighbourhood:
    """The weights at most `reach` rows and columns away, and which of them are kept; a window at the edges slides inwards.

    >>> from multiflow_core import rank
    >>> model = nn.Linear(9, 9, bias=False)
    >>> near = around(rank(model, "omp"), model, "weight", 0, 4, 0.5, reach=1)
    >>> near.rows, near.columns, bool((near.kept == near.kept_by_size).all())
    (range(0, 3), range(3, 6), True)

    Errors as in `explain`.
    """
    layer, score, _ = _layer(order, name, row, column)
    weight = matrix_of(model, layer)
    pruned = int(order.layer_counts(sparsity)[order.layers.index(layer)])
    rows, columns = (_window(at, size, reach) for at, size in zip((row, column), layer.matrix, strict=True))
    window = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
    kept, by_size = (_keep(order, layer, scores, pruned)[window].numpy() for scores in (score, weight.abs()))
    return Neighbourhood(rows, columns, weight[window].numpy(), kept, by_size)


def _window(at: int, size: int, reach: int) -> range:
    first = max(0, min(at - reach, size - 2 * reach - 1))
    return range(first, min(size, first + 2 * reach + 1))


def critical_sparsity(order: PruningOrder, name: str, row: int, column: int) -> float:
    """The sparsity from which on one weight is pruned: `order.critical_sparsity(name)[row, column]`, without a sort.

    >>> from multiflow_core import rank
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    >>> order = rank(model, "omp")
    >>> critical_sparsity(order, "1.weight", 0, 1) == float(order.critical_sparsity("1.weight")[0, 1])
    True

    The layer loses `place` weights before this one; bisection finds the count at which it loses one more.
    """
    layer, score, goes = _layer(order, name, row, column)
    at, i = layer.place(row, column), order.layers.index(layer)
    place = Place.of_value(layer.stored_like(score), at).before if goes is None else int(goes[row, column])
    kept, gone = 0, order.total
    while gone - kept > 1:
        middle = (kept + gone) // 2
        if order.layer_counts(middle / order.total)[i] > place:
            gone = middle
        else:
            kept = middle
    return gone / order.total


def _layer(order: PruningOrder, name: str, row: int, column: int) -> tuple[PrunableLayer, Tensor, Tensor | None]:
    """A layer, its scores, and the places at which its weights go where the allocation decides them, (out, in); checked."""
    if not order.nested:
        raise ValueError(f"{order.method.title} solves every sparsity anew: there is no order to explain a weight by")
    stored = order.score(name)
    layer = next(layer for layer in order.layers if layer.name == name)
    score, (rows, columns) = layer.rows(stored), layer.matrix
    if not (0 <= row < rows and 0 <= column < columns):
        raise ValueError(f"{name} has rows 0 to {rows - 1} and columns 0 to {columns - 1}, no ({row}, {column})")
    if order.allocation.places is None:
        return layer, score, None
    places = torch.from_numpy(order.allocation.places_in(layer, stored)).reshape(layer.shape)
    return layer, score, layer.rows(places)


# --- weights worth a look -------------------------------------------------------------------------------------------


class Spot(NamedTuple):
    """A weight of a model: its layer's name, its row and its column."""

    name: str
    row: int
    column: int


def smallest_kept(weights: Mapping[str, Tensor], masks: Masks) -> Spot | None:
    """The weight of least magnitude that is kept, the first of equal ones; None when nothing is.

    >>> weights = {"a": torch.tensor([[3.0, -1.0]]), "b": torch.tensor([[0.5, 2.0]])}
    >>> masks = Masks({"a": torch.tensor([[False, True]]), "b": torch.tensor([[False, True]])})
    >>> smallest_kept(weights, masks), largest_pruned(weights, masks)
    (Spot(name='a', row=0, column=1), Spot(name='a', row=0, column=0))

    Args:
        weights: {parameter name: (out, in)}, for example `dict(model.named_parameters())`.
    """
    found = ((name, -_size(weights[name]).masked_fill(~keep, math.inf)) for name, keep in masks.items())
    return _highest(found)


def largest_pruned(weights: Mapping[str, Tensor], masks: Masks) -> Spot | None:
    """The weight of greatest magnitude that is pruned, the first of equal ones; None when nothing is."""
    found = ((name, _size(weights[name]).masked_fill(keep, -math.inf)) for name, keep in masks.items())
    return _highest(found)


def most_disputed(weights: Mapping[str, Tensor], several: Iterable[Masks]) -> Spot | None:
    """The weight on which masks of several methods are split most evenly, of these the largest; None when all agree.

    >>> masks = [Masks({"a": torch.tensor([keep])}) for keep in ([True, True, True], [False, False, True])]
    >>> most_disputed({"a": torch.tensor([[1.0, -2.0, 3.0]])}, masks)
    Spot(name='a', row=0, column=1)

    Args:
        several: masks of the same layers, one a method; each is looked at once, so that a generator need not hold all.
    """
    votes: dict[str, Tensor] = {}
    voters = 0
    for masks in several:
        voters += 1
        for name, keep in masks.items():
            votes[name] = votes[name] + keep if name in votes else keep.to(torch.uint8)
    splits = {name: torch.minimum(kept, voters - kept) for name, kept in votes.items()}
    most = max((int(split.max()) for split in splits.values() if split.numel()), default=0)
    if not most:
        return None
    found = ((name, _size(weights[name]).masked_fill(split != most, -math.inf)) for name, split in splits.items())
    return _highest(found)


def _size(weight: Tensor) -> Tensor:
    return weight.detach().abs().float().cpu()


def _highest(named: Iterable[tuple[str, Tensor]]) -> Spot | None:
    """Where the highest value is, the first of equal ones; -inf does not count."""
    best, spot = -math.inf, None
    for name, values in named:
        at = int(values.argmax())
        if float(values.reshape(-1)[at]) > best:
            best, spot = float(values.reshape(-1)[at]), Spot(name, *divmod(at, values.shape[1]))
    return spot
