"""Masks that were made elsewhere, as an order of one sparsity: whatever asks an order may ask it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..support.files import read_safetensors
from ..support.threads import Progress
from ..weights import packed_file
from ..weights.layers import PrunableLayer
from ..weights.masks import Masks
from ..weights.saved import is_pickle
from .method import Method
from .order import Order


def _nothing(*_: Any) -> Any:
    raise NotImplementedError("masks that are given are not looked for")


# what such an order is called by; nobody can choose it, as it prunes nothing
GIVEN = Method("given", "Given masks", "", "", "", build=_nothing, nested=False, updates_weights=True)


def read_given(place: str | os.PathLike, most: int | None = None) -> tuple[Masks, dict[str, Tensor] | None]:
    """Masks, and the survivors' weights where they come with them: a file of masks, or a packed checkpoint or its folder.

    ValueError, in a sentence, for what is neither, and for weights that would take more than `most` bytes of memory.
    """
    place = Path(place)
    if place.is_dir():
        place = place / packed_file.FILE
        if not place.is_file():
            raise ValueError(
                f"{place.parent} holds no {packed_file.FILE}: give a packed checkpoint, or a file of masks."
            )
    if not is_pickle(place) and "tensors" in read_safetensors(place)[1]:
        if most is not None and packed_file.bytes_loaded(place) > most:
            raise ValueError(f"{place} holds a larger model than this one.")
        tensors, masks = packed_file.read(place)
        return masks, {name: tensors[name] for name in masks}
    return Masks.load(place), None


class GivenOrder(Order):
    """An order that knows one sparsity, that of its masks, whichever is asked for.

    >>> layer = PrunableLayer("w", (1, 2), "vision", "block", "fc", 0)
    >>> order = GivenOrder([layer], Masks({"w": torch.tensor([[True, False]])}))
    >>> order.sparsity, order.masks(0.9)["w"].tolist(), order.layer_counts(0.1).tolist()
    (0.5, [[True, False]], [1])

    Args:
        layers: the layout of the model; one without a mask keeps everything.
        weights: of the survivors, where they have new ones.

    Raises:
        ValueError: the masks fit none of the layers, or have another shape than theirs.
    """

    nested, method, statistics = False, GIVEN, None

    def __init__(self, layers: Sequence[PrunableLayer], masks: Masks, weights: Mapping[str, Tensor] | None = None):
        self.layers, self.total = tuple(layers), sum(layer.size for layer in layers)
        held = masks.only([layer.name for layer in layers])
        if not held or len(held) < len(masks):
            stray = next((name for name in masks if name not in held), "nothing")
            raise ValueError(f"The masks are of {stray}, of which this model prunes nothing.")
        for layer in layers:
            if layer.name in held and tuple(held[layer.name].shape) != tuple(layer.shape):
                raise ValueError(
                    f"The mask of {layer.name} is {tuple(held[layer.name].shape)}, its weight {tuple(layer.shape)}: "
                    "it is of another model."
                )
        whole = {layer.name: torch.ones(layer.shape, dtype=torch.bool) for layer in layers if layer.name not in held}
        self._masks = held.beside(Masks(whole), [layer.name for layer in layers])
        self._weights = None if weights is None else {name: weights[name] for name in held}
        self.updates_weights = weights is not None

    @property
    def sparsity(self) -> float:
        """The one there is."""
        return self._masks.sparsity

    def masks(self, sparsity: float | None = None, *, progress: Progress | None = None) -> Masks:
        return self._masks

    def masks_at(self, sparsities: Sequence[float], *, progress: Progress | None = None) -> list[Masks]:
        return [self._masks for _ in sparsities]

    def layer_counts(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        gone = self._masks.layer_sparsity()
        return np.array([round(gone[layer.name] * layer.size) for layer in self.layers])

    def dead_neurons(self, sparsity: float, *, progress: Progress | None = None) -> np.ndarray:
        dead = self._masks.dead_neurons()
        return np.array([dead[layer.name] for layer in self.layers])

    def weights(self, sparsity: float | None = None, *, progress: Progress | None = None) -> dict[str, Tensor] | None:
        return self._weights
