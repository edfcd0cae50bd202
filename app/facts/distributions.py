"""How weights and scores are distributed, what a method cuts of them, and why one threshold for all is not fair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from multiflow_core import Order
from multiflow_core.analysis import histograms
from multiflow_core.analysis.histograms import CutHistogram, Quantiles
from multiflow_core.experiments.run import Run

from .. import state
from ..charts.bins import Histogram, median
from ..charts.quantiles import QuantileLines
from ..charts.ridges import Ridges
from ..charts.survival import Survival
from ..engine import runs, slider
from ..engine.store import STORE, Progress
from ..look.words import count, percent

OF = {"magnitude": "Magnitude", "score": "Score"}
PER = {"modality": "Per modality", "block": "Per block", "layer": "Layers of one block"}


@dataclass(frozen=True)
class Spread:
    """Histograms whose groups are (modality, block) pairs, or (modality, layer) of a single block.

    `score` is None where weights have none; `spared[g][k]` weights of group g magnitude would cut at step k, under the
    same allocation, and the method keeps; `thresholds` of the scores, per group and step, are known for single layers.
    """

    magnitude: CutHistogram
    score: CutHistogram | None
    spared: np.ndarray
    thresholds: np.ndarray | None = None


def spread(key: Run, block: str | None = None, progress: Progress | None = None) -> Spread:
    """The histograms of a run, of the whole model or of one block layer by layer; where masks nest, of all sparsities."""
    return _spread(slider.place(key, progress), block, progress)


@STORE.keep(6)
def _spread(key: Run, block: str | None, report: Progress) -> Spread:
    order = runs.order(key)
    layers = [layer for layer in order.layers if block in (None, layer.block)]
    groups = [(layer.modality, layer.name if block else layer.block) for layer in layers]
    many = slider.count(key)
    lives = slider.lifetimes(key, layers, many, report)
    weights = histograms.magnitudes(runs.vlm(key.model).model, layers)
    sizes = histograms.cut_histogram(weights, lives, groups, many, report)
    scores = thresholds = None
    if order.criterion:
        scores = histograms.cut_histogram(
            lambda i: order.score(layers[i].name).numpy().ravel(), lives, groups, many, report
        )
        if block and order.allocation.places is None:
            thresholds = np.stack([order.thresholds(layer.name) for layer in layers])
    if magnitude(key) == key:
        others = lives
    elif _by_size(order):
        others = histograms.lifetimes(order, layers, many, report, by=weights)
    else:
        others = slider.lifetimes(magnitude(key), layers, many, report)
    kept = np.zeros((len(sizes.groups), many), dtype=np.int64)
    for group, own, other in zip(groups, lives, others, strict=True):
        kept[sizes.groups.index(group)] += histograms.spared(own, other, many)
    return Spread(sizes, scores, kept, thresholds)


def magnitude(key: Run) -> Run:
    """The run that cuts by |w| and shares out the sparsity as the given one does (globally, where that shares out none)."""
    order = runs.order(key)
    if order.criterion and order.criterion.name == "magnitude":
        return key
    own = order.allocation is None or order.allocation.name == "global"
    return replace(key, method="omp", allocation=state.OWN if own else order.allocation.name)


def _by_size(order: Order) -> bool:
    """Whether |w| decides how much every layer loses, whatever decides inside a layer."""
    return order.allocation is not None and order.allocation.key == "magnitude"


# --- ridges ---------------------------------------------------------------------------------------------------------


def ridges(key: Run, of: str, per: str, block: str, progress: Progress | None = None) -> Ridges:
    """The distributions of |w| or of the score, one ridge a modality, a block or a layer of one block."""
    found = spread(key, block if per == "layer" else None, progress)
    histogram = found.score if of == "score" else found.magnitude
    parts = tuple(_parts(key, found, histogram, of, per))
    criterion = runs.order(key).criterion
    axis = f"score {criterion.formula}" if of == "score" else "|w|"
    finding = _finding_of_scores(parts, histogram.edges) if of == "score" else _finding_of_sizes(key, found, parts)
    return Ridges(finding, axis, f"layer of {block}" if per == "layer" else per, histogram.edges, parts)


def _parts(key: Run, found: Spread, histogram: CutHistogram, of: str, per: str) -> list[Histogram]:
    k = slider.number(key)
    roles = {layer.name: layer.role for layer in runs.order(key).layers}
    members: dict[tuple[str, str], list[int]] = {}
    for g, (modality, name) in enumerate(histogram.groups):
        members.setdefault((modality, modality if per == "modality" else name), []).append(g)
    cut, kept, zeros = histogram.cut(k), histogram.kept(k), histogram.zeros
    cuts = _cuts(key, of)
    parts = []
    for (modality, name), own in members.items():
        gone = int(zeros[own, k].sum())
        at = cuts.get(modality, cuts.get("all"))
        if found.thresholds is not None and (of == "score" or magnitude(key) == key):
            at = float(found.thresholds[own[0], k])
        at = None if at is None or not np.isfinite(at) else at
        parts.append(
            Histogram(
                roles.get(name, name),
                modality,
                cut[own].sum(0),
                kept[own].sum(0),
                (gone, int(zeros[own, -1].sum()) - gone),
                at,
            )
        )
    return parts


def _cuts(key: Run, of: str) -> dict[str, float]:
    """The thresholds that whole modalities, or all of them, share: {modality or "all": value}."""
    order = runs.order(key)
    if of == "magnitude":
        return (order if _by_size(order) else runs.order(magnitude(key))).cuts(key.sparsity)
    shared = order.allocation.key in ("score", order.criterion.name)
    return order.cuts(key.sparsity) if shared else {}


def _finding_of_sizes(key: Run, found: Spread, parts: Sequence[Histogram]) -> str:
    name = runs.title(key)
    if key.sparsity in (0, 1):
        return "Nothing is cut yet: the slider says how much goes" if key.sparsity == 0 else "Everything is cut"
    if magnitude(key) != key:
        spared = int(found.spared[:, slider.number(key)].sum())
        cut = sum(int(p.cut.sum()) + p.zeros[0] for p in parts)
        if not spared:
            return f"{name} cuts the {count(cut)} smallest weights, exactly as magnitude does"
        return f"{name} keeps {count(spared)} of the {count(cut)} weights that magnitude would cut, and cuts larger ones instead"
    cuts = _cuts(key, "magnitude")
    if "all" in cuts:
        most, least = (pick(parts, key=lambda p: p.sparsity) for pick in (max, min))
        second = f" and {percent(least.sparsity)} of {least.name}" if len(parts) > 1 else ""
        return f"One threshold for all, |w| = {cuts['all']:.2g}, cuts {percent(most.sparsity)} of {most.name}{second}"
    if cuts:
        return f"Every modality has its own threshold: {', '.join(f'{at:.2g} in {m}' for m, at in cuts.items())}"
    return f"Every layer has its own threshold and loses {percent(key.sparsity)}"


def _finding_of_scores(parts: Sequence[Histogram], edges: np.ndarray) -> str:
    known = [p for p in parts if p.threshold is not None]
    if len({p.threshold for p in known}) > 1:
        low, high = (pick(known, key=lambda p: p.threshold) for pick in (min, max))
        return (
            f"Thresholds of the score run from {low.threshold:.2g} in {low.name} to {high.threshold:.2g} in {high.name}"
        )
    middle = {p.name: median(p.total, edges) for p in parts}
    high, low = (pick(middle, key=lambda name: middle[name]) for pick in (max, min))
    if high == low or not middle[low]:
        return f"The median score of {high} is {middle[high]:.2g}"
    return f"The median score in {high} is {middle[high] / middle[low]:.2g} times that in {low}"


# --- sizes ----------------------------------------------------------------------------------------------------------


def survival(key: Run, progress: Progress | None = None) -> Survival:
    """Which sizes a run keeps, modality by modality."""
    found = spread(key, None, progress)
    k = slider.number(key)
    parts = tuple(_parts(key, found, found.magnitude, "magnitude", "modality"))
    cut = sum(int(p.cut.sum()) + p.zeros[0] for p in parts)
    kept = sum(int(p.kept.sum()) + p.zeros[1] for p in parts)
    spared = int(found.spared[:, k].sum())
    return Survival(
        runs.title(key),
        found.magnitude.edges,
        parts,
        spared / cut if cut else 0.0,
        (kept - spared) / kept if kept else 1.0,
    )


def quantiles(key: Run, progress: Progress | None = None) -> QuantileLines:
    """The sizes of the modalities' weights, and what one |w| for all takes of each at the slider's place."""
    known = _quantiles(key.model, progress)
    return QuantileLines(known.groups, _rows(known.own), tuple(known.common.tolist()), _rows(known.under), key.sparsity)


def _rows(table: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, table.tolist()))


@STORE.keep(2)
def _quantiles(model: str, report: Progress) -> Quantiles:
    vlm = runs.vlm(model)
    return histograms.magnitude_quantiles(vlm.model, vlm.layers, progress=report)
