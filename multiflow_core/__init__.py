"""MULTIFLOW pruning for vision-language models, and the pruners it was compared with.

>>> import torch, multiflow_core as mf
>>> model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
>>> batches = [{"input": torch.ones(5, 4)}]
>>> stats = mf.calibrate(model, batches)
>>> order = mf.rank(model, "multiflow", statistics=stats)
>>> masks = order.masks(0.5)
>>> masks.sparsity
0.5
>>> pruned = masks.apply(model)                        # a new module; `model` is untouched
>>> int((pruned[0].weight == 0).sum() + (pruned[2].weight == 0).sum())
9

Data flows one way: checkpoint -> model -> layout -> statistics -> scores -> order -> masks -> pruned model.
"""

from .calibrate import Statistics, calibrate
from .layers import PrunableLayer, prunable_layers
from .masks import Masks
from .methods import methods  # last word on the name: the function, not the sub-package it comes from
from .order import PruningOrder, rank

__version__ = "0.1.0"

__all__ = [
    "Masks",
    "PrunableLayer",
    "PruningOrder",
    "Statistics",
    "calibrate",
    "load",
    "methods",
    "prunable_layers",
    "rank",
]


def __getattr__(name: str):
    """`load` comes with transformers, which is slow to import: pay for it on first use."""
    if name == "load":
        from .vlm import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
