"""Ranking: a model, a method and what is known of the data become a pruning order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn

from ..calibration.activations import Statistics
from ..calibration.evidence import EVIDENCE, Data, Objective
from ..calibration.gradients import Gradients
from ..models.layout import prunable_layers
from ..support.threads import Progress
from ..weights.layers import PrunableLayer
from .allocations import ALLOCATIONS, Allocation, given
from .criteria import CRITERIA, Criterion
from .fixed import rank_fixed
from .method import METHODS, Method
from .nested_order import PruningOrder
from .order import Order
from .scoring import Scorer
from .solved_order import Request


def rank(
    model: nn.Module,
    method: str | Method = "multiflow",
    *,
    statistics: Statistics | None = None,
    criterion: str | Criterion | None = None,
    allocation: str | Allocation | Mapping[str, float] | None = None,
    objective: Objective | None = None,
    batches: Any = None,
    gradients: Gradients | None = None,
    evidence: Iterable[Any] = (),
    precision: str = "float32",
    layers: Sequence[PrunableLayer] | None = None,
    fixed: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    **options: Any,
) -> Order:
    """Put all prunable weights of a model into the order in which they go.

    >>> model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    >>> order = rank(model, "omp")
    >>> order.masks(0.5).sparsity
    0.5
    >>> order = rank(model, criterion="magnitude", allocation="multimodal")      # an ablation is one line
    >>> order.criterion.name, order.allocation.name
    ('magnitude', 'multimodal')

    Args:
        model: any module; it is only read.
        method: a name (see `multiflow_core.methods()`) or a Method.
        statistics: what `calibrate` returned, for methods that need statistics; what `second_moments` returned, for those
            that need moments.
        criterion, allocation: replace the method's own. A dictionary {parameter name: sparsity} as allocation
            fixes every layer's sparsity; `order.masks()` is then where they all hold (`order.implied_sparsity`).
        batches: an iterable of batches or a function that returns a fresh one, for methods that need gradients, and for
            evidence that is not given. An iterator is stored where a method goes through it more than once.
        objective: `objective(model, batch)` -> scalar loss to differentiate; default: the pre-training losses of
            the model's family. It is given a stand-in for the model, so that the model stays untouched.
        gradients: what `mean_gradients` returned, for criteria that need them: several orders from one
            pass over the batches.
        evidence: values of other kinds (`multiflow_core.calibration.evidence`), recognised by their types.
        precision: "float32", or "bfloat16" for forward passes under autocast.
        layers: the layout; default the statistics' own, else `prunable_layers(model)`.
        fixed: {pattern: sparsity} of layers that stay dense (0) or have a sparsity of their own, whatever the others are pruned
            to. A pattern is a modality, a block, a role, a title or a parameter's name, with * and ? (see `patterns.matches`).
        seed: for methods and objectives that draw random numbers.
        progress: called as progress(fraction, message).
        options: the method's options.

    Returns:
        A PruningOrder; for methods that are not nested a Solved, which has the same `masks` and budgets; with `fixed` a
        FixedOrder around one of them.

    Raises:
        ValueError: unknown names, missing statistics or batches, weights that are not finite, shapes that do not fit.
    """
    chosen = METHODS.get(method)
    settings = chosen.settings(options)
    known = _recognised((statistics, gradients, *evidence))
    if layers is None:
        layers = getattr(known.get("statistics"), "layers", ()) or prunable_layers(model)
    layers = tuple(layers)
    if not layers:
        raise ValueError("the model has no prunable layers")
    data = Data(batches, None, objective, precision, seed, progress)
    if fixed and isinstance(allocation, Mapping):
        raise ValueError("the layers' sparsities are given as an allocation already: leave one of the two out")

    def order_of(some: tuple[PrunableLayer, ...]) -> Order:
        return _order(model, chosen, settings, some, layers, known, criterion, allocation, data)

    return rank_fixed(layers, fixed, order_of) if fixed else order_of(layers)


def _order(
    model: nn.Module,
    chosen: Method,
    settings: dict[str, Any],
    layers: tuple[PrunableLayer, ...],
    layout: tuple[PrunableLayer, ...],
    known: dict[str, Any],
    criterion: str | Criterion | None,
    allocation: str | Allocation | Mapping[str, float] | None,
    data: Data,
) -> Order:
    """The order of some layers. What has to be collected from the data is collected for the whole layout, and known then."""
    if chosen.build is not None and criterion is None and allocation is None:
        _check(chosen.name, chosen.needs, known, layers, data)
        return chosen.build(Request(model, layers, chosen, settings, data, known))
    if chosen.build is not None and (criterion is None or allocation is None):
        raise ValueError(f"method {chosen.name!r} is no criterion x allocation: give both or neither")
    by = CRITERIA.get(criterion or chosen.criterion)
    to = (
        given(allocation, layers)
        if isinstance(allocation, Mapping)
        else ALLOCATIONS.get(allocation or chosen.allocation)
    )
    key = by if to.key == "score" else CRITERIA.get(to.key)
    needs = by.needs | key.needs | to.needs
    _check(by.name, needs, known, layers, data)
    for need in sorted(needs - known.keys()):
        known[need] = EVIDENCE.get(need).collect(model, layout, data)
        EVIDENCE.get(need).check(by.name, known[need], layers)
    scorer = Scorer(model, layers, known, data.seed, settings)
    return PruningOrder(
        layers,
        chosen,
        by,
        to,
        scorer,
        to.pacemaker(layers, lambda: scorer.known(to.needs)) if to.paces else key,
        statistics=known.get("statistics"),
        progress=data.progress,
    )


def _recognised(values: Iterable[Any]) -> dict[str, Any]:
    """{name of the evidence: value}; second moments are activation statistics, too."""
    return {kind.name: value for value in values for kind in EVIDENCE.all() if isinstance(value, kind.kind)}


def _check(
    who: str, needs: frozenset[str], known: Mapping[str, Any], layers: Sequence[PrunableLayer], data: Data
) -> None:
    """ValueError unless all needs are known, and enough, or can be collected from batches."""
    for need in sorted(needs):
        kind = EVIDENCE.get(need)
        if need in known:
            kind.check(who, known[need], layers)
        elif data.batches is None:
            raise ValueError(f"{who!r} needs {kind.title}: pass {kind.ask}")
