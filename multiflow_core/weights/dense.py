"""The dense weights of a model, to be read: in float32 on the processor, one layer at a time, checked."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..support.registry import unknown_name
from .layers import PrunableLayer
from .wrappers import parameters_of, unwrapped

_SAMPLE = 1024


class DenseWeights(Sequence[Tensor]):
    """The prunable weights of a model in float32 on the processor, one layer at a time, checked.

    >>> layer = PrunableLayer("weight", (1, 2))
    >>> DenseWeights(nn.Linear(2, 1).half(), [layer])[0].dtype
    torch.float32

    ValueError for a layer that the model does not have, or whose values are not finite; RuntimeError if it was
    changed in place after this object was made.
    """

    def __init__(self, model: nn.Module, layers: Sequence[PrunableLayer]):
        parameters = parameters_of(model)
        for layer in layers:
            if layer.name not in parameters:
                raise unknown_name("parameter of the model", layer.name, parameters)
            shape = tuple(parameters[layer.name].shape)
            if shape != tuple(layer.shape):
                raise ValueError(f"{layer.name} is {shape} in the model, {tuple(layer.shape)} in the layout")
        self._layers = layers
        self._weights = [parameters[layer.name].detach() for layer in layers]
        self._prints = [_fingerprint(weight) for weight in self._weights]
        self._finite: set[int] = set()

    def __len__(self) -> int:
        return len(self._layers)

    def __getitem__(self, i: int) -> Tensor:
        self.check(i)
        return self._weights[i].to(device="cpu", dtype=torch.float32)

    def some(self, i: int, index: slice) -> Tensor:
        """Some weights of the flat layer i."""
        self.check(i)
        return self._weights[i].reshape(-1)[index].to(device="cpu", dtype=torch.float32)

    def check(self, i: int) -> None:
        """ValueError, or RuntimeError, where the layer cannot be read as above."""
        if i not in self._finite:
            low, high = torch.aminmax(self._weights[i])
            if not bool(torch.isfinite(low) & torch.isfinite(high)):
                raise ValueError(f"the weight {self._layers[i].name} holds values that are not finite")
            self._finite.add(i)
        if _fingerprint(self._weights[i]) != self._prints[i]:
            raise RuntimeError(f"{self._layers[i].name} was changed after the model was ranked: rank it again")

    def like_dense(self, i: int, weight: Tensor) -> Tensor:
        """A new weight in the layer's shape and the checkpoint's own dtype."""
        return weight.reshape(self._layers[i].shape).to(dtype=self._weights[i].dtype, device="cpu")


def _fingerprint(weight: Tensor) -> float:
    """Cheap, and changes when the weight is trained, pruned or scaled in place."""
    flat = weight.reshape(-1)
    return float(flat[:: max(1, flat.numel() // _SAMPLE)].double().abs().sum())


def weight_of(model: nn.Module, name: str) -> Tensor:
    """A weight in float32 on the processor, wherever and in whatever precision the model holds it.

    >>> weight_of(nn.Linear(2, 1).half(), "weight").dtype
    torch.float32
    """
    return unwrapped(model).get_parameter(name).detach().float().cpu()


def matrix_of(model: nn.Module, layer: PrunableLayer) -> Tensor:
    """The same of a layer as one matrix, (out, in), however it is stored."""
    return layer.rows(weight_of(model, layer.name))
