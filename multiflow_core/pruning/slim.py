"""A smaller dense model: hidden units go, what stays is solved anew, and plain transformers opens what is left.

Matrix after matrix in the order of the signal, each on what the pruned model gives it, is to write what the dense one's did, by
least squares with its bias (as Reflow, `pruning.methods.reflow`, but whole columns go: those of the lowest scores, or those
without which the rest errs least).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

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
from .columns import Regression
from .layer_by_layer import Prune, Pruned
from .method import Method
from .neurons import MULTIPLE, kept_units
from .order import Order
from .projections import reread
from .rank import rank
from .solved_order import Request

SCORE, ERROR = CHOICES = "score", "error"  # by what units are chosen
Model = TypeVar("Model", VLM, nn.Module)


class Fitted(NamedTuple):
    """A model as wide as before, and which units of it stay: {name of a part's reader: bool (units,)}."""

    model: nn.Module
    kept: Mapping[str, Tensor]


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
    choose: str = SCORE,
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
        fit: whether what stays is solved anew, which needs batches; projections to the space that pictures and texts share, too.
        choose: "score": the units of the highest scores stay; "error": as many, by backward elimination on what the matrix after
            them reads in the smaller model (see `Regression.best`), which keeps more where few stay, and needs `fit`.
        kinds: "neurons", "heads" where a config can say so, or both.
        drop: {modality: how many whole blocks go}, those that change least what passes through them (see `blocks`).
        multiple: of which widths are.

    Raises:
        ValueError: batches are missing; `choose` is neither, or "error" without `fit`; the method has no scores; or the config of
            the model cannot say how wide a block is.
    """
    if choose not in CHOICES or (choose == ERROR and not fit):
        asked = f"{choose!r} and fit={fit}"
        raise ValueError(
            f"units are chosen by score or error, by error only where what stays is solved anew, not by {asked}"
        )
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
    wide = fitted(module, parts, kept, samples, progress, gone, choose == ERROR) if fit else Fitted(module, kept)
    small = smaller(wide.model, parts, wide.kept, gone)
    if fit:
        reread(module, small, samples)
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
    by_error: bool = False,
) -> Fitted:
    """The model as wide as before, its units pruned and everything that is prunable solved anew on what they leave.

    Blocks that go write nothing any more; what they wrote is written by the block before them. `by_error`: as many units of
    each part stay as are kept, but others, if others err less.
    """
    request = Request(model, samples.layers, _SOLVER, {}, Data(samples.pairs))
    walk = UnitWalk(request, samples, parts, kept, gone, by_error)
    walk.solve([0] * len(samples.layers), _no_zeros, progress or (lambda fraction, message: None))
    return Fitted(walk.model, walk.kept)


def _no_zeros(*_: Any) -> Any:
    raise NotImplementedError("units go whole: no weights are looked for")


# what the walk is called by; nobody can choose it, as it prunes nothing
_SOLVER = Method("slim", "Least squares", "", "", "", build=_no_zeros, nested=False, updates_weights=True)


class UnitWalk(Walk):
    """The walk of Reflow through a model some of whose units are gone.

    Attributes:
        model: what comes of it, once it has ended. kept: which units it has: those that were given, or as many that err less.
    """

    _constant = True

    def __init__(
        self,
        request: Request,
        samples: Samples,
        parts: Sequence[Part],
        kept: Mapping[str, Tensor],
        gone: Mapping[Stack, frozenset[int]],
        by_error: bool = False,
    ):
        super().__init__(request, samples)
        self._silent = tuple(stack.block(number) + "." for stack, numbers in gone.items() for number in numbers)
        self._heirs = heirs(parts, gone)
        self._readers = {part.reader.layer.name: part.reader for part in parts}
        self._rows = {} if by_error else _rows(parts, kept)
        self._by_error, self._biases, self.kept = by_error, {}, dict(kept)
        self.model: nn.Module | None = None

    def solve(self, counts: Sequence[int], prune: Prune, progress: Progress) -> None:
        if (found := super().solve(counts, prune, progress)) is not None:
            solved = zip(found.keep, found.weights, strict=True)
            self.model = self._partly(dict(enumerate(solved)))

    def _pruned(self, i: int, layer: PrunableLayer, sums: Sums, prune: Prune) -> Pruned:
        dense, bias = self._request.weights[i], self._bias(layer)
        if layer.name.startswith(self._silent):
            if bias is not None:
                self._biases[bias_of(layer.name)] = torch.zeros_like(bias)
            return self._whole(i, torch.zeros_like(dense))
        if layer.stored != OUT_IN or layer.name in self._heirs:  # an heir is solved when its stage is, see `_stage`
            return self._whole(i, dense)
        return self._solve(i, Regression.of(dense, bias, sums.products[0].cpu(), sums.crossed[0].cpu()))

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
        weight = self._request.weights[i]
        return self._solve(i, Regression.of(weight, self._bias(layer), sums.products, None, wanted=sums.crossed))

    def _solve(self, i: int, regression: Regression) -> Pruned:
        """One matrix, on the columns of the units that stay, and the rows."""
        name = self._layers[i].name
        weight, bias = regression.on(self._columns(name, regression))
        if (rows := self._rows.get(name)) is not None:
            weight = weight * rows[:, None]
        if bias is not None:
            self._biases[bias_of(name)] = bias
        return self._whole(i, weight)

    def _columns(self, name: str, regression: Regression) -> Tensor | None:
        if (reader := self._readers.get(name)) is None:
            return None
        if self._by_error:
            self.kept[name] = regression.best(int(self.kept[name].sum()), reader.each)
        return self.kept[name].repeat_interleave(reader.each)

    def _bias(self, layer: PrunableLayer) -> Tensor | None:
        return parameters_of(self._model).get(bias_of(layer.name))

    def _whole(self, i: int, weight: Tensor) -> Pruned:
        """A matrix none of whose weights is masked."""
        return np.ones(self._layers[i].size, dtype=bool), self._request.weights.like_dense(i, weight)

    def _values(self, i: int, solved: Pruned) -> Iterable[tuple[str, Tensor]]:
        name = bias_of(self._layers[i].name)
        own = [(name, self._biases[name])] if name in self._biases else []
        return chain(super()._values(i, solved), own)


def _rows(parts: Sequence[Part], kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """{matrix: which of its rows stay}"""
    return {
        side.layer.name: kept[part.reader.layer.name].repeat_interleave(side.each)
        for part in parts
        for side in part.writers
    }
