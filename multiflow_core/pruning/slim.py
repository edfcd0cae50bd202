"""A smaller dense model: hidden units go, what stays is solved anew, and plain transformers opens what is left.

Matrix after matrix in the order of the signal, each on what the pruned model gives it, is to write what the dense one's did, by
least squares with its bias (as Reflow, `pruning.methods.reflow`, but nothing is searched: which columns stay is known).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ..calibration.activations import Statistics, calibrate
from ..calibration.evidence import Data
from ..calibration.samples import Samples
from ..calibration.side_by_side import Sums
from ..models.layout import prunable_layers
from ..models.smaller import bias_of, smaller
from ..models.units import NEURONS, Part, Stack, units_of
from ..models.vlm import VLM
from ..support.threads import Progress
from ..weights.layers import OUT_IN, PrunableLayer
from ..weights.wrappers import parameters_of, unwrapped
from .block_by_block import Walk
from .blocks import Heir, chosen, heirs
from .layer_by_layer import Prune, Pruned
from .method import Method
from .neurons import MULTIPLE, kept_units
from .order import Order
from .rank import rank
from .solved_order import Request

DAMPING = 0.01  # added to the diagonal, as a share of its mean
Model = TypeVar("Model", VLM, nn.Module)


def slim(
    model: Model,
    share: float = 0.5,
    method: str | Method = "multiflow",
    *,
    batches: Any = None,
    questions: Any = (),
    criterion: str | None = None,
    allocation: str | None = None,
    order: Order | None = None,
    statistics: Statistics | None = None,
    samples: Samples | None = None,
    fit: bool = True,
    kinds: Sequence[str] = (NEURONS,),
    drop: Mapping[str, int] = MappingProxyType({}),
    multiple: int = MULTIPLE,
    seed: int = 0,
    progress: Progress | None = None,
) -> Model:
    """A smaller dense model that keeps a share of the hidden units of its feed-forward blocks; the model itself is untouched.

    >>> from multiflow_core import load
    >>> vlm = load("flatland-blip")
    >>> small = slim(vlm, 0.5, "omp", fit=False)
    >>> sum(p.numel() for p in small.model.parameters()) < sum(p.numel() for p in vlm.model.parameters())
    True

    Args:
        model: a VLM, or a module of transformers.
        share: of the hidden units that stay. Every block of a tower keeps as many: its config says that once.
        method: whose criterion, summed over a unit, says which stay, and whose allocation says how many in each tower (see
            `neurons.kept_units`); or another `criterion` and `allocation`, or an `order` that `rank` returned.
        batches, questions: as `VLM.batches` and `VLM.question_batches` make them: what the model is calibrated on.
        statistics: what `calibrate` returned, if that is known. samples: in place of batches and questions, `Samples.of` both.
        fit: whether what stays is solved anew, which needs batches.
        kinds: "neurons", "heads" where a config can say so, or both.
        drop: {modality: how many whole blocks go}, those that change least what passes through them (see `blocks`).
        multiple: of which widths are.

    Raises:
        ValueError: batches are missing; the method has no scores; or the config of the model cannot say how wide a block is.
    """
    module = unwrapped(model.model if isinstance(model, VLM) else model)
    pairs, asked = _listed(batches), _listed(questions)
    if fit and samples is None:
        if not pairs:
            raise ValueError("what stays is solved anew on data: pass batches=..., or fit=False")
        samples = Samples.of(module, pairs, asked, progress=progress or (lambda fraction, message: None))
    layers = samples.layers if samples else order.layers if order else prunable_layers(module)
    if order is None:
        if statistics is None and pairs:
            statistics = calibrate(module, [*pairs, *asked], layers=layers)
        known = {"statistics": statistics, "criterion": criterion, "allocation": allocation, "batches": pairs or None}
        order = rank(module, method, **known, layers=layers, seed=seed)
    parts = units_of(module, layers, kinds)
    kept = kept_units(order, parts, share, multiple)
    gone = chosen(module, layers, drop, samples or Samples.of(module, pairs, asked, layers=layers)) if drop else {}
    wide = fitted(module, parts, kept, samples, progress, gone) if fit else module
    small = smaller(wide, parts, kept, gone)
    return replace(model, model=small.eval()) if isinstance(model, VLM) else small


def _listed(batches: Any) -> list[Any]:
    found = batches() if callable(batches) else batches
    return [found] if isinstance(found, Mapping) else list(found or ())


def fitted(
    model: nn.Module,
    parts: Sequence[Part],
    kept: Mapping[str, Tensor],
    samples: Samples,
    progress: Progress | None = None,
    gone: Mapping[Stack, frozenset[int]] = MappingProxyType({}),
) -> nn.Module:
    """The model as wide as before, its units pruned and everything that is prunable solved anew on what they leave.

    Blocks that go write nothing any more; what they wrote is written by the block before them.
    """
    request = Request(model, samples.layers, _SOLVER, {}, Data(samples.pairs))
    walk = UnitWalk(request, samples, parts, kept, gone)
    walk.solve([0] * len(samples.layers), _no_zeros, progress or (lambda fraction, message: None))
    return walk.model


def _no_zeros(*_: Any) -> Any:
    raise NotImplementedError("units go whole: no weights are looked for")


# what the walk is called by; nobody can choose it, as it prunes nothing
_SOLVER = Method("slim", "Least squares", "", "", "", build=_no_zeros, nested=False, updates_weights=True)


class UnitWalk(Walk):
    """The walk of Reflow through a model some of whose units are gone. `model`: what comes of it, once it has ended."""

    _constant = True

    def __init__(
        self,
        request: Request,
        samples: Samples,
        parts: Sequence[Part],
        kept: Mapping[str, Tensor],
        gone: Mapping[Stack, frozenset[int]],
    ):
        super().__init__(request, samples)
        self._silent = tuple(stack.block(number) + "." for stack, numbers in gone.items() for number in numbers)
        self._heirs = heirs(parts, gone)
        self._rows, self._columns = _sides(parts, kept)
        self._biases: dict[str, Tensor] = {}
        self.model: nn.Module | None = None

    def solve(self, counts: Sequence[int], prune: Prune, progress: Progress) -> None:
        if (found := super().solve(counts, prune, progress)) is not None:
            solved = zip(found.keep, found.weights, strict=True)
            self.model = self._partly(dict(enumerate(solved)))

    def _pruned(self, i: int, layer: PrunableLayer, sums: Sums, prune: Prune) -> Pruned:
        everything = np.ones(layer.size, dtype=bool)
        dense = self._request.weights[i]
        bias = parameters_of(self._model).get(bias_of(layer.name))
        if layer.name.startswith(self._silent):
            if bias is not None:
                self._biases[bias_of(layer.name)] = torch.zeros_like(bias)
            return everything, self._request.weights.like_dense(i, torch.zeros_like(dense))
        if layer.stored != OUT_IN:
            return everything, self._request.weights.like_dense(i, dense)
        weight, bias = on_columns(
            dense, bias, sums.products[0].cpu(), sums.crossed[0].cpu(), self._columns.get(layer.name)
        )
        if (rows := self._rows.get(layer.name)) is not None:
            weight = weight * rows[:, None]
        if bias is not None:
            self._biases[bias_of(layer.name)] = bias
        return everything, self._request.weights.like_dense(i, weight)

    def _stage(self, stage, way, pruned, prune, report) -> dict[int, Pruned]:
        found = super()._stage(stage, way, pruned, prune, report)
        for i in stage:
            if heir := self._heirs.get(self._layers[i].name):
                found[i] = self._inherited(i, heir, pruned)
        return found

    def _inherited(self, i: int, heir: Heir, pruned: nn.Module) -> Pruned:
        """A matrix that writes what blocks after its own wrote, too: what leaves it is to be what left the last of them."""
        layer = self._layers[i]
        sums = heir.sums(self._dense, pruned, layer, self._samples)
        bias = parameters_of(self._model).get(bias_of(layer.name))
        columns = self._columns.get(layer.name)
        weight, bias = on_columns(self._request.weights[i], bias, sums.products, None, columns, wanted=sums.crossed)
        if bias is not None:
            self._biases[bias_of(layer.name)] = bias
        return np.ones(layer.size, dtype=bool), self._request.weights.like_dense(i, weight)

    def _values(self, i: int, solved: Pruned) -> Iterable[tuple[str, Tensor]]:
        name = bias_of(self._layers[i].name)
        own = [(name, self._biases[name])] if name in self._biases else []
        return chain(super()._values(i, solved), own)


def _sides(parts: Sequence[Part], kept: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """{matrix: which rows stay}, {matrix: which columns stay}"""
    rows, columns = {}, {}
    for part in parts:
        units = kept[part.reader.layer.name]
        rows |= {side.layer.name: units.repeat_interleave(side.each) for side in part.writers}
        columns[part.reader.layer.name] = units.repeat_interleave(part.reader.each)
    return rows, columns


def on_columns(
    weight: Tensor,
    bias: Tensor | None,
    products: Tensor,
    crossed: Tensor | None,
    columns: Tensor | None = None,
    damping: float = DAMPING,
    wanted: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """The best weights and bias on some columns, zero on the others: min sum over tokens |W x + b - W0 t - b0|^2.

    >>> x = torch.tensor([[1.0, 1.0, 1.0], [2.0, 2.0, 1.0], [4.0, 4.0, 1.0]])  # two inputs that are alike, and a constant
    >>> sums, first = x.T @ x, torch.tensor([True, False])
    >>> weight, bias = on_columns(torch.tensor([[2.0, 1.0]]), torch.tensor([5.0]), sums, sums, first, 1e-9)
    >>> weight, bias
    (tensor([[3., 0.]]), tensor([5.]))

    Args:
        products: sum of x x^T, x what the layer reads, its last entry 1. crossed: of t x^T, t what it should have read.
        columns: which stay; None: all. Without a bias the constant is left out.
        wanted: sum of y x^T, y what should be written, in place of W0 t + b0.
        damping: a share of the mean diagonal, added to that of both, so that W stays W0 where nothing has changed.
    """
    inputs = weight.shape[1]
    end = inputs if bias is None else inputs + 1
    held = weight.double() if bias is None else torch.cat([weight, bias.detach().cpu()[:, None].float()], 1).double()
    h = products[:end, :end].double()
    y = held @ crossed[:end, :end].double() if wanted is None else wanted[:, :end].double()
    extra = torch.full((end,), damping * (float(h.diagonal()[:inputs].mean()) or 1.0), dtype=h.dtype)
    extra[inputs:] = 1e-9 * float(h.diagonal()[-1])  # a bias is worth what it costs
    h, y = h + extra.diag(), y + held @ extra.diag()
    stay = torch.ones(end, dtype=torch.bool)
    if columns is not None:
        stay[:inputs] = columns
    factor = torch.linalg.cholesky(h[stay][:, stay])
    new = torch.zeros_like(y)
    new[:, stay] = torch.cholesky_solve(y[:, stay].T, factor).T
    return new[:, :inputs].float(), None if bias is None else new[:, inputs].to(bias.dtype)
