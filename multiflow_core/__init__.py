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

from __future__ import annotations

import importlib
from typing import Any

from .support.version import VERSION as __version__  # noqa: F401

# name -> where it is defined; loaded when it is first asked for, since PyTorch takes seconds to import
_PUBLIC = {
    "Masks": "weights.masks",
    "PrunableLayer": "weights.layers",
    "Order": "pruning.order",
    "PruningOrder": "pruning.nested_order",
    "Recipe": "finetuning.recipe",
    "Results": "experiments.results",
    "Statistics": "calibration.activations",
    "Tuned": "finetuning.finetune",
    "VLM": "models.vlm",
    "calibrate": "calibration.activations",
    "finetune": "finetuning.finetune",
    "compact": "models.compact",
    "load": "models.vlm",
    "mean_gradients": "calibration.gradients",
    "methods": "pruning.method",
    "prunable_layers": "models.layout",
    "rank": "pruning.rank",
    "second_moments": "calibration.second_moments",
    "slim": "pruning.slim",
    "units_of": "models.units",
}
_ROOMS = ("data",)  # that are called by their name: mf.data.open(path)
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_PUBLIC[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__, *_ROOMS]
