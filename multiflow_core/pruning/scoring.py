"""Scores: a criterion, layer by layer, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..calibration.evidence import EVIDENCE
from ..weights.dense import DenseWeights
from ..weights.layers import PrunableLayer
from .criteria import Context, Criterion


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
            score = criterion.function(weight, self._context(criterion, layer))
            return self._checked(score, weight, criterion, layer)

    def some(self, criterion: Criterion, i: int, index: Any) -> np.ndarray:
        """The same of an elementwise criterion at some positions of the flat layer only, unchecked."""
        with torch.no_grad():
            weight = self._weights.some(i, index)
            return criterion.function(weight, self._context(criterion, self._layers[i])).numpy()

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
