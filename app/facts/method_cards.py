"""The cards of the methods: what each is, what it costs, when it wins, and what it does to the lesson's four small layers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

import multiflow_core as mf
from multiflow_core.calibration.evidence import EVIDENCE, Data
from multiflow_core.pruning.method import Method

from .. import state
from ..engine import runs
from ..engine.store import STORE, Progress
from ..lesson import small_layers
from ..look.words import listed
from ..markup.miniatures import Grid, Miniature
from .comparison import MEGABYTE, Comparison
from .stories import inside


@dataclass(frozen=True)
class Record:
    """How a method did in the measured runs of a model.

    Attributes:
        of: methods compared. wins: where nothing was better, (task, sparsity). points: places measured. mean: mean rank there.
        now: {task: (rank, figure)} at the sparsity `at`.
    """

    of: int
    wins: tuple[tuple[str, float], ...]
    points: int
    mean: float
    at: float
    now: dict[str, tuple[int, float]]


def record(data: Comparison, method: str, sparsity: float) -> Record | None:
    """The record of a method; None where it was not measured. Equal figures share the better rank."""
    ranks: dict[tuple[str, float], tuple[int, float, int]] = {}
    for task in data.dense:
        for s in data.sparsities:
            figures = {m: data.mean(m, task, s) for m in data.methods}
            own = figures.pop(method, None)
            others = [value for value in figures.values() if value is not None]
            if own is not None:
                ranks[task, s] = 1 + sum(value > own for value in others), own, 1 + len(others)
    if not ranks:
        return None
    at = data.nearest(sparsity)
    now = {task: ranks[task, at][:2] for task in data.dense if (task, at) in ranks}
    wins = tuple(place for place, (rank, *_) in ranks.items() if rank == 1)
    mean = sum(rank for rank, *_ in ranks.values()) / len(ranks)
    return Record(max(of for *_, of in ranks.values()), wins, len(ranks), mean, at, now)


def needs(method: Method) -> str:
    """What a method has to know of a model, in words."""
    return " and ".join(EVIDENCE.get(need).about for need in sorted(method.needs)) or "nothing but the weights"


def finding(data: Comparison | None, sparsity: float) -> str:
    """The headline of the page: what is best in each task at the measured sparsity next to the slider's."""
    known = [record(data, m, sparsity) for m in data.methods] if data else []
    if not known:
        return f"{len(runs.methods())} ways to choose which weights go"
    best: dict[str, list[str]] = {}
    for name, its in zip(data.methods, known, strict=True):
        for task, (rank, _) in (its.now if its else {}).items():
            if rank == 1:
                best.setdefault(data.title(name), []).append(inside(task))
    told = "; ".join(f"{name} at {listed(tasks)}" for name, tasks in best.items())
    return f"Best at {100 * data.nearest(sparsity):.0f} % on this model: {told}"


def cost(data: Comparison | None, method: str) -> tuple[float, float | None] | None:
    """Seconds and megabytes for one mask, as they were measured; None where they were not."""
    entry = next((e for e in (data.results.costs if data else ()) if e["method"] == method), None)
    return entry and (entry["seconds"], None if entry["memory"] is None else entry["memory"] / MEGABYTE)


# --- what a method does to four small layers ------------------------------------------------------------------------


@STORE.keep(64)
def miniature(name: str, report: Progress) -> Miniature:
    """The mask that a method gives the lesson's four layers at half sparsity, made by the method itself."""
    method = runs.method(name)
    weights, tokens = (state.numbers_of(key.default) for key in (state.LESSON_WEIGHTS, state.LESSON_TOKENS))
    model = small_layers.four_layers(weights, float(state.SCALE.default))
    batches = [{"input": batch} for batch in small_layers.pairs(tokens)]
    seen = Data(batches, small_layers.run, objective)
    kinds = [EVIDENCE.get(need) for need in sorted(method.needs | {"statistics"})]
    known = {kind.name: kind.collect(model, None, seen) for kind in kinds if not kind.backward}
    order = mf.rank(
        model,
        method,
        statistics=known.pop("statistics"),
        evidence=known.values(),
        batches=batches,
        objective=objective,
        progress=report,
    )
    masks = order.masks(small_layers.SPARSITY, progress=report)
    layers = mf.prunable_layers(model)
    return Miniature(
        tuple(Grid(x.name.removesuffix(".weight"), x.modality, small_layers.rows(masks[x.name])) for x in layers)
    )


def objective(model: nn.ModuleDict, batch: dict[str, Tensor]) -> Tensor:
    """Something to differentiate: how far all outputs are from 1."""
    return sum((output - 1).square().mean() for output in small_layers.run(model, batch))
