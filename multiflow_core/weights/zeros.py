"""Zeros that a model already has where weights can be pruned: of a checkpoint that was pruned before, most of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from .layers import PrunableLayer
from .wrappers import unwrapped

if TYPE_CHECKING:
    from .masks import Masks


def zeros_of(model: nn.Module, layers: Sequence[PrunableLayer]) -> dict[str, int]:
    """{layer: how many of its weights are zero}.

    >>> model = nn.Linear(4, 1)
    >>> model.weight.data[0, :3] = 0
    >>> zeros_of(model, [PrunableLayer("weight", (1, 4))])
    {'weight': 3}
    """
    return {
        layer.name: layer.size - int(unwrapped(model).get_parameter(layer.name).count_nonzero()) for layer in layers
    }


def zeros_after(model: nn.Module, masks: Masks) -> dict[str, int]:
    """The same of the model once the masks are applied: what they prune, and what was zero before.

    >>> import torch
    >>> from multiflow_core import Masks
    >>> model = nn.Linear(4, 1)
    >>> model.weight.data[0, :3] = 0
    >>> zeros_after(model, Masks({"weight": torch.tensor([[False, True, True, False]])}))
    {'weight': 4}
    """
    return {
        name: mask.numel() - int(unwrapped(model).get_parameter(name).cpu()[mask.cpu()].count_nonzero())
        for name, mask in masks.items()
    }
