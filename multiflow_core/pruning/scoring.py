"""Scores: a criterion, layer by layer, checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..calibration.evidence import EVIDENCE
from ..weights.dense import DenseWeights
from ..weights.layers import IN_OUT, OUT_IN, PrunableLayer
from .criteria import Context, Criterion


def _one(layer: PrunableLayer, i: int) -> PrunableLayer:
    """One matrix of a layer, as a layer."""
    out, inputs = layer.shape[:-3:-1] if layer.stored.endswith(IN_OUT) else layer.shape[-2:]
    name = f"{layer.name}.{i}" if layer.experts > 1 else layer.name
    return replace(layer, name=name, shape=(out, inputs), stored=OUT_IN)


def _evidence(context: Context, i: int) -> dict[str, Any]:
    """What is said of one matrix of a layer: of what has a number a weight, or a number an input, its own part."""
    layer, part = context.layer, {}
    for need, said in context.evidence.items():
        if not isinstance(said, Tensor) or said.numel() not in (layer.size, layer.inputs):
            raise ValueError(f"{need} does not say anything of the single experts of {layer.name}")
        by_weight = said.numel() == layer.size
        part[need] = (layer.matrices(said.view(layer.shape)) if by_weight else said.view(layer.experts, -1))[i]
    return part


class Scorer:
    """(criterion, layer index) -> flat scores, float32 or float64. Holds on to the model's weights."""

    def __init__(
        self,
        model: nn.Module,
        layers: tuple[PrunableLayer, ...],
        evidence: Mapping[str, Any],
        seed: int,
        options: Mapping[str, Any],
    ):
        self._layers, self._weights = layers, DenseWeights(model, layers)
        self._evidence, self._seed, self._options = evidence, seed, options

    def __call__(self, criterion: Criterion, i: int) -> np.ndarray:
        layer = self._layers[i]
        with torch.no_grad():
            weight = self._weights[i]
            if layer.stored == OUT_IN:
                score = criterion.function(weight, self._context(criterion, layer))
            else:
                score = self._matrix_by_matrix(criterion, layer, weight)
            return self._checked(score, weight, criterion, layer)

    def _matrix_by_matrix(self, criterion: Criterion, layer: PrunableLayer, weight: Tensor) -> Tensor:
        """The scores of a weight that is stored otherwise: each (out, in) matrix of it by itself."""
        whole = self._context(criterion, layer)
        scores = [
            criterion.function(matrix.contiguous(), replace(whole, layer=_one(layer, i), evidence=_evidence(whole, i)))
            for i, matrix in enumerate(layer.matrices(weight))
        ]
        return layer.stored_like(torch.cat(scores))

    def some(self, criterion: Criterion, i: int, index: slice) -> np.ndarray:
        """The same of an elementwise criterion at some positions of the flat layer only."""
        with torch.no_grad():
            weight = self._weights.some(i, index)
            return criterion.function(weight, self._context(criterion, self._layers[i])).numpy()

    def known(self, needs: frozenset[str]) -> Iterator[tuple[Tensor, Context]]:
        """The weights of each layer, (experts, out, in), and what is known of it."""
        asking = Criterion("", "", "", lambda weight, context: weight, needs)
        for i, layer in enumerate(self._layers):
            yield layer.matrices(self._weights[i]), self._context(asking, layer)

    def check(self, i: int) -> None:
        """ValueError where a layer's weights are not finite."""
        self._weights.check(i)

    def _context(self, criterion: Criterion, layer: PrunableLayer) -> Context:
        said = {need: EVIDENCE.get(need).of_layer(self._evidence[need], layer) for need in criterion.needs}
        return Context(layer, said, self._seed, self._options)

    @staticmethod
    def _checked(score: Tensor, weight: Tensor, criterion: Criterion, layer: PrunableLayer) -> np.ndarray:
        if tuple(score.shape) != tuple(weight.shape):
            raise ValueError(f"criterion {criterion.name!r} gave {layer.name} scores of shape {tuple(score.shape)}")
        if score.dtype not in (torch.float32, torch.float64):
            score = score.float()
        if score.data_ptr() == weight.data_ptr():
            score = score.clone()  # the order must not change with the weight
        flat = score.contiguous().reshape(-1).numpy()
        if np.isnan(flat.min(initial=np.inf)):
            raise ValueError(f"criterion {criterion.name!r} gave {layer.name} scores that are not numbers")
        return flat
