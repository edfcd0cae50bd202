"""Where a model runs: the processor, a GPU of NVIDIA's or Apple's, or several devices that it is shared out among."""

from __future__ import annotations

import importlib.util

import torch
from torch import nn

AUTO = "auto"


def present(device: str | torch.device) -> torch.device | str:
    """The device of that name, or "auto"; ValueError with what there is if it is not there.

    >>> present("cpu")
    device(type='cpu')
    """
    if device == AUTO:
        if importlib.util.find_spec("accelerate") is None:
            raise ValueError(
                "The device auto shares a model out with accelerate: pip install accelerate, or choose cpu."
            )
        return AUTO
    there = ["cpu"]
    there += ["cuda"] if torch.cuda.is_available() else []
    there += ["mps"] if torch.backends.mps.is_available() else []
    try:
        found = torch.device(device)
    except RuntimeError:
        found = None
    if found is None or found.type not in there or (found.index or 0) >= max(1, torch.cuda.device_count()):
        raise ValueError(f"There is no device {str(device)!r} here: choose {' or '.join(there)}.")
    return found


def placed(model: nn.Module, device: torch.device | str) -> nn.Module:
    """The model on a device; with "auto", layer by layer on as many GPUs as it takes, or on the processor where there is none.

    Raises:
        ValueError: it does not fit there.
    """
    try:
        return _shared_out(model) if device == AUTO else model.to(device)
    except torch.OutOfMemoryError:
        raise ValueError(f"it does not fit into the memory of {device}: choose the device cpu") from None


def _shared_out(model: nn.Module) -> nn.Module:
    from accelerate import dispatch_model, infer_auto_device_map

    where = infer_auto_device_map(model, no_split_module_classes=getattr(model, "_no_split_modules", None))
    devices = set(map(str, where.values()))
    if devices <= {"cpu"}:
        return model
    if devices & {
        "cpu",
        "disk",
    }:  # what accelerate keeps there it takes out of the model, so that nothing could be pruned
        raise ValueError("it does not fit into the memory of all devices together: choose the device cpu")
    return dispatch_model(model, where)
