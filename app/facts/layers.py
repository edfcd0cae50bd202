"""All layers side by side: what does not depend on the slider is made once per order, the rest is looked up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multiflow_core import PrunableLayer
from multiflow_core.experiments.run import Run
from multiflow_core.models import layout
from multiflow_core.weights.dense import weight_of

from ..charts.layer_bars import GONE, LayerBar, LayerBars
from ..charts.layer_curves import LayerCurve, LayerCurves
from ..engine import runs
from ..engine.store import STORE, Progress
from .layer_sparsity import Facts

ALL_BUT_GONE = 0.99
EVEN = 0.02  # layers that reach a share so close to one another go together


@dataclass(frozen=True)
class Profile:
    """What is known of a layer whatever the slider says.

    Attributes:
        magnitude: mean |w|.
        norm: root mean square of its input norms a_j; None without statistics.
        scores: highest pruned score at every step of the slider; None where the method has no scores.
        magnitudes: the |w| under which as many of the layer's weights lie as are pruned, at the same steps.
    """

    magnitude: float
    norm: float | None
    scores: np.ndarray | None
    magnitudes: np.ndarray | None


def reached(curve: np.ndarray, share: float) -> np.ndarray:
    """The sparsity of the model at which each layer reaches a share: float64 (layers,), interpolated between the steps.

    >>> reached(np.array([[0.0, 0.4, 1.0], [0.0, 0.5, 1.0], [0.8, 0.8, 0.8], [0.5, 0.5, 0.5]]), 0.7).tolist()
    [0.75, 0.7, 0.0, inf]
    """
    rows, after = np.arange(len(curve)), np.argmax(curve >= share, axis=1)
    low, high = curve[rows, after - 1], curve[rows, after]
    rises = np.where(high > low, high - low, 1.0)
    found = (after - 1 + (share - low) / rises) / (curve.shape[1] - 1)
    return np.where(curve[:, 0] >= share, 0.0, np.where(curve[:, -1] < share, np.inf, found))


@STORE.keep(12)
def profiles(key: Run, report: Progress) -> tuple[Profile, ...]:
    """One profile a layer. Each is kept by itself, so that an abandoned job goes on where it stopped."""
    layers = runs.order(key).layers
    found = []
    for i, layer in enumerate(layers):
        report(i / len(layers), f"looking at {layer.title}")
        found.append(_profile(key, layer))
    return tuple(found)


@STORE.keep(4096)
def _profile(key: Run, layer: PrunableLayer, _: Progress) -> Profile:
    known = runs.order(key)
    statistics = known.statistics or runs.ready_statistics(key.model, key.data)
    size = weight_of(runs.vlm(key.model).model, layer.name).abs().numpy().reshape(-1)
    norm = scores = magnitudes = None
    if statistics is not None and layer.name in statistics.square_sums:
        norm = float(statistics.norm(layer.name).square().mean().sqrt())
    if known.criterion:
        scores = known.thresholds(layer.name)
        magnitudes = _highest(np.sort(size), known.count_table()[known.layers.index(layer)])
    return Profile(float(size.mean(dtype=np.float64)), norm, scores, magnitudes)


def _highest(ascending: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The highest of the first so many values; minus infinity of none."""
    return np.where(counts > 0, ascending[counts - 1], -np.inf)


# --- charts and table -----------------------------------------------------------------------------------------------


def bars(facts: Facts, curve: np.ndarray | None, selected: str) -> LayerBars:
    """All layers in the order of the model, and which of them goes first."""
    first = None
    if curve is not None:
        targets = reached(curve, GONE)
        if np.ptp(targets) > EVEN:
            first = facts.layers[int(targets.argmin())].name, float(targets.min())
    found = (LayerBar(f.layer.name, f.name, f.layer.block, f.layer.modality, f.sparsity) for f in facts.layers)
    return LayerBars(facts.method, tuple(found), facts.target, selected, first)


def lines(facts: Facts, curve: np.ndarray, selected: str) -> LayerCurves:
    """The curve of every layer."""
    found = (
        LayerCurve(fact.layer.name, fact.name, fact.layer.modality, fact.sparsity, tuple(row))
        for fact, row in zip(facts.layers, curve.tolist(), strict=True)
    )
    return LayerCurves(tuple(found), tuple(reached(curve, GONE).tolist()), facts.target, selected)


def ranking(facts: Facts, curve: np.ndarray | None) -> list[int]:
    """The layers in the order in which they go, first the one that goes first; without curves the most pruned first."""
    if curve is None:
        return sorted(range(len(facts.layers)), key=lambda i: -facts.layers[i].sparsity)
    return np.argsort(reached(curve, GONE), kind="stable").tolist()


def table(facts: Facts, curve: np.ndarray | None, found: tuple[Profile, ...], dead: np.ndarray) -> dict[str, list]:
    """All that is known of the layers, one row each, first the one that goes first."""
    columns: dict[str, list] = {
        "layer": [fact.name for fact in facts.layers],
        "modality": [fact.layer.modality for fact in facts.layers],
        "weights": [fact.layer.size for fact in facts.layers],
        "pruned now": [fact.sparsity for fact in facts.layers],
    }
    if curve is not None:
        columns["90 % gone at"] = reached(curve, GONE).tolist()
        columns["99 % gone at"] = reached(curve, ALL_BUT_GONE).tolist()
    columns["dead neurons"] = dead.sum(axis=1).tolist()
    columns["mean |w|"] = [profile.magnitude for profile in found]
    if any(profile.norm is not None for profile in found):
        columns["activation"] = [profile.norm for profile in found]
    if curve is not None:
        step = round(facts.target * (curve.shape[1] - 1))
        columns["score cut"] = [_finite(profile.scores[step]) for profile in found]
        columns["|w| cut"] = [_finite(profile.magnitudes[step]) for profile in found]
    places = ranking(facts, curve)
    return {head: [values[i] for i in places] for head, values in columns.items()}


@STORE.keep(16)
def left_dense(key: Run, report: Progress) -> dict[str, tuple[str, ...]]:
    """{why: the matrices that are left dense for it}, most matrices first; of a run without sparsity."""
    report(0.5, "looking for what is left dense")
    found: dict[str, list[str]] = {}
    for name, reason in layout.left_dense(runs.vlm(key.model).model, runs.order(key)).items():
        found.setdefault(reason, []).append(name)
    return {reason: tuple(found[reason]) for reason in sorted(found, key=lambda reason: -len(found[reason]))}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
