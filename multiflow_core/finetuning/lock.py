"""Zeros that stay zeros while everything around them is trained."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..models.vlm import SOME_ZEROS, VLM
from ..support.registry import unknown_name
from ..weights.masks import Masks, zero_out


class Lock:
    """Holds the pruned weights of a model at zero, however its parameters are named, shared or tied.

    >>> layer = nn.Linear(2, 1)
    >>> lock = Lock(layer, Masks({"weight": torch.tensor([[True, False]])}))
    >>> layer.weight[0, 1].item(), lock.locked
    (0.0, 1)

    A locked weight gets no gradient (so that it neither counts in the gradient's length nor gathers momentum), and is set to
    +0.0 after every step, whatever the optimizer made of it.
    """

    def __init__(self, model: nn.Module, masks: Mapping[str, Tensor]):
        named = dict(model.named_parameters(remove_duplicate=False))
        for name in masks:
            if name not in named:
                raise unknown_name("parameter of the model", name, named)
        # by the tensor itself: a tied weight is locked wherever any of its names is
        found: dict[int, tuple[nn.Parameter, Tensor]] = {}
        for name, mask in masks.items():
            parameter = named[name]
            keep = mask.to(parameter.device)
            if id(parameter) in found:
                keep = keep & found[id(parameter)][1]
            found[id(parameter)] = parameter, keep
        self._held = [pair for pair in found.values() if not bool(pair[1].all())]
        self.close()

    @property
    def locked(self) -> int:
        """How many weights are held."""
        return sum(keep.numel() - int(keep.count_nonzero()) for _, keep in self._held)

    @torch.no_grad()
    def still(self) -> None:
        """Take the gradient of what is locked; what is no number there goes, too."""
        for parameter, keep in self._held:
            if parameter.grad is not None:
                zero_out(parameter.grad, keep)

    @torch.no_grad()
    def close(self) -> None:
        """Set what is locked to zero."""
        for parameter, keep in self._held:
            zero_out(parameter, keep)


def zeros_kept(vlm: VLM) -> Masks | None:
    """Masks of what is zero in a model that was pruned before; None for one that was not.

    >>> from multiflow_core import load
    >>> zeros_kept(load("flatland-blip")) is None
    True
    """
    if vlm.zero_share() < SOME_ZEROS:
        return None
    parameters = dict(vlm.model.named_parameters(remove_duplicate=False))
    return Masks({layer.name: (parameters[layer.name] != 0).cpu() for layer in vlm.layers if layer.name in parameters})
