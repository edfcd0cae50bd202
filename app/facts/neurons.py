"""One layer under the lens: its matrices, its neurons' saliencies, and what is left of them at a sparsity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from multiflow_core import PrunableLayer
from multiflow_core.analysis.explain import Place
from multiflow_core.analysis.pooling import edges, pool
from multiflow_core.experiments.run import Run
from multiflow_core.pruning.criteria import saliencies
from multiflow_core.weights.dense import matrix_of

from ..charts.lens import Lens, Strip
from ..charts.neurons import TopNeurons
from ..engine import runs, slider
from ..engine.store import STORE, Progress
from .window import MOST, Window

LISTED = 100


@dataclass(frozen=True, eq=False)
class Matrices:
    """What does not depend on the sparsity, of one layer under one order. All arrays are (out, in) but the vectors.

    Attributes:
        magnitude: |w|, float32.
        norms: a_j, float32 (in,); ones where the layer never ran during calibration, which `calibrated` says.
        inputs, outputs: the saliencies s_in and s_out, float32 (in,) and (out,).
        score: of the order; None where it has none.
    """

    magnitude: np.ndarray
    norms: np.ndarray
    calibrated: bool
    inputs: np.ndarray
    outputs: np.ndarray
    score: np.ndarray | None


@STORE.keep(6)
def matrices(key: Run, layer: PrunableLayer, report: Progress) -> Matrices:
    """The matrices of a layer under an order."""
    order, statistics = runs.order(key), runs.statistics(key.model, key.data)
    report(0.3, f"looking into {layer.title}")
    magnitude = matrix_of(runs.vlm(key.model).model, layer).abs()
    calibrated = layer.name not in statistics.missing and layer.name in statistics.square_sums
    norms = statistics.norm(layer.name) if calibrated else torch.ones(layer.inputs)
    norms = norms if layer.experts == 1 else norms.view(layer.experts, -1).norm(dim=0)  # as if all read the same
    inputs, outputs = saliencies(magnitude, norms)
    score = layer.rows(order.score(layer.name)).numpy() if order.criterion else None
    return Matrices(magnitude.numpy(), norms.numpy(), calibrated, inputs.numpy(), outputs.numpy(), score)


@STORE.keep(6)
def survived(place: Run, layer: PrunableLayer, report: Progress) -> np.ndarray:
    """How many of the slider's steps each weight of a layer survives: (out, in); see `slider.place`."""
    report(0.6, f"looking up when the weights of {layer.title} go")
    (lives,) = slider.lifetimes(place, [layer], slider.count(place), report)
    return layer.rows(torch.from_numpy(lives).reshape(layer.shape)).numpy()


def kept(key: Run, layer: PrunableLayer, progress: Progress | None = None) -> np.ndarray:
    """A layer's mask: bool (out, in). Where masks nest it is one comparison, and no other layer is looked at."""
    return survived(slider.place(key, progress), layer, progress) > slider.number(key)


def carriers(saliency: np.ndarray, share: float = 0.5) -> int:
    """The fewest neurons that hold a share of the saliency of all.

    >>> carriers(np.array([1.0, 6.0, 2.0, 1.0])), carriers(np.zeros(3))
    (1, 0)
    """
    reached = np.cumsum(np.sort(saliency.astype(np.float64))[::-1])
    return int(np.searchsorted(reached, share * reached[-1])) + 1 if reached[-1] > 0 else 0


@dataclass(frozen=True, eq=False)
class Look:
    """One layer at one sparsity: all that the charts of a page are made from."""

    key: Run
    layer: PrunableLayer
    data: Matrices
    mask: np.ndarray

    @property
    def sparsity(self) -> float:
        return 1 - np.count_nonzero(self.mask) / self.mask.size

    def lens(
        self,
        view: str,
        window: Window,
        weight: tuple[int, int] | None,
        methods: tuple[str, str],
        other: np.ndarray | None,
    ) -> Lens:
        """The window in cells. `other` is the mask of the method that it is compared with, for the view of that name."""
        rows, columns = (edges(span, most) for span, most in zip(window.spans, MOST, strict=True))
        values, second, how = self._values(view, other)
        return Lens(
            self.layer.title,
            self.layer.modality,
            view,
            self._strip("output", rows),
            self._strip("input", columns),
            pool(values, rows, columns),
            pool(second, rows, columns, how),
            self.sparsity,
            methods,
            weight,
        )

    def _values(self, view: str, other: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, str]:
        """(what a cell shows the mean of, what its second value is made of, and how)."""
        if view == "mask":
            return ~self.mask, ~self.mask, "mean"
        if view == "disagreement":
            return self.mask.astype(np.int8) - other, self.mask ^ other, "mean"
        data = self.data
        if view == "critical":
            lives = survived(slider.place(self.key), self.layer)
            values = np.divide(lives, slider.count(self.key) - 1, dtype=np.float32)
        else:
            values = data.magnitude * data.norms if view == "signal" else getattr(data, view)
        return values, values, "max"

    def _strip(self, side: str, cells: np.ndarray) -> Strip:
        saliency, left = self._sides[side]
        alone = np.array([0, 1])
        highest, dead = pool(saliency[None], alone, cells, "max")[0], pool((left == 0)[None], alone, cells, "sum")[0]
        return Strip(side, cells, highest, dead, carriers(saliency), int((left == 0).sum()), len(saliency))

    @cached_property
    def _sides(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """(saliency, number of weights left) of every neuron at each side."""
        return {"input": (self.data.inputs, self.mask.sum(0)), "output": (self.data.outputs, self.mask.sum(1))}

    def top(self, side: str) -> TopNeurons:
        """The neurons at one side that carry most."""
        saliency, left = self._sides[side]
        order = np.argsort(-saliency, kind="stable")[:LISTED]
        shares = left / (self.mask.size / len(saliency))
        found = zip(order.tolist(), saliency[order].tolist(), shares[order].tolist(), strict=True)
        return TopNeurons(side, self.layer.modality, tuple(found), float(saliency.sum(dtype=np.float64)))

    def places(self, row: int, column: int) -> list[tuple[str, Place, str]]:
        """Where the numbers of one weight stand: (name, place, among what)."""
        data, at, all_weights = self.data, row * self.mask.shape[1] + column, "weights of this layer"
        found = [
            ("|w|", data.magnitude, at, all_weights),
            (f"Saliency of input {column}", data.inputs, column, "inputs"),
            (f"Saliency of output {row}", data.outputs, row, "outputs"),
            ("Score", data.score, at, all_weights),
        ]
        return [
            (name, Place.of_value(torch.from_numpy(values), index), among)
            for name, values, index, among in found
            if values is not None
        ]


def look(key: Run, layer: PrunableLayer, progress: Progress | None = None) -> Look:
    """A layer at a sparsity."""
    return Look(key, layer, matrices(key.order, layer, progress), kept(key, layer, progress))
