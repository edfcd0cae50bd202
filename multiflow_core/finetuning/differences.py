"""A fine-tuned model as its difference from the one that it began with: a fraction of a checkpoint, to show recovery with.

Every matrix's differences are rounded to whole steps, a step being half as long as they typically are; most are then a few
small numbers, which deflate to two or three bits. What else there is (biases, norms) is a hundredth of a model, kept as it is.
A folder holds the masks, once, and a file for every task that the model has learnt with them.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..models.vlm import VLM
from ..support.files import read_safetensors, write_safetensors
from ..weights.masks import Masks, rebuilt, zero_out
from ..weights.packed_file import deflated, inflated
from ..weights.wrappers import unwrapped
from .finetune import inherited
from .kept import key_of

STEP = 0.5  # of the root mean square of a matrix's differences
MASKS = "masks.safetensors"
_FORMAT = "multiflow-difference"
_MOST = 127  # steps, in either direction


def write(
    folder: str | os.PathLike,
    task: str,
    start: VLM,
    tuned: VLM,
    masks: Masks | None,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write what fine-tuning for a task changed: `read` makes the tuned model again, but for rounding.

    >>> import tempfile
    >>> from multiflow_core import load, rank
    >>> from .finetune import finetune
    >>> from .recipe import Recipe
    >>> vlm = load("flatland-blip")
    >>> masks = rank(vlm.model, "omp").masks(0.9)
    >>> tuned = finetune(vlm, "vqa", masks=masks, recipe=Recipe(steps=1, batch=2, checked=2, pictures=4)).vlm
    >>> file = write(tempfile.mkdtemp(), "vqa", vlm, tuned, masks, {"steps": 1})
    >>> round(read(file.parent, "vqa", vlm).zero_share(), 2), about(file)["steps"]
    (0.9, 1)

    Args:
        start: the dense model, as it was before it was pruned. tuned: what `finetune` made of it.
        masks: by which it was pruned; None for a dense one.
        about: what else is to be known of it, as JSON can say it.
    """
    if masks is None:
        masks = Masks({})
    else:
        masks.save(Path(folder) / MASKS)
    model, masks = _begun(start, task, masks)
    entries, steps = {}, {}
    before = dict(model.named_parameters())
    kept = _kept(model, masks)
    for name, after in unwrapped(tuned.model).named_parameters():
        change = (after.detach().cpu().float() - before[name].detach().cpu().float()).numpy()
        if after.ndim > 1:
            codes, steps[name] = _rounded(change[kept[name]] if name in kept else change.reshape(-1))
            entries[name] = deflated(codes.view(np.uint8))
        else:
            entries[name] = torch.from_numpy(change)
    said = {"task": task, "start": key_of(model, masks), "steps": steps, "about": dict(about or {})}
    return write_safetensors(
        file_of(folder, task), entries, {"format": _FORMAT, "version": "1", "says": json.dumps(said)}
    )


def read(folder: str | os.PathLike, task: str, start: VLM) -> VLM:
    """The tuned model: the dense one, pruned, with the differences added.

    Raises:
        OSError: there is nothing of this task. ValueError: a file is damaged, or of another model or other masks.
    """
    file, beside = file_of(folder, task), Path(folder) / MASKS
    entries, says = _read(file)
    model, masks = _begun(start, task, Masks.load(beside) if beside.is_file() else Masks({}))
    if key_of(model, masks) != says["start"]:
        raise ValueError(f"{os.fspath(file)} holds what another model learnt, or one with other masks.")
    kept, new = _kept(model, masks), {}
    for name, before in model.named_parameters():
        try:
            change = _change(entries[name], before, kept.get(name), says["steps"].get(name))
        except (KeyError, ValueError, RuntimeError):
            raise ValueError(f"{os.fspath(file)} is damaged: {name} cannot be read.") from None
        after = (before.detach().float() + change.to(before.device)).to(before.dtype)
        if name in kept:
            zero_out(after, torch.from_numpy(kept[name]).to(after.device))
        new[id(before)] = nn.Parameter(after, requires_grad=before.requires_grad)
    return replace(start, model=rebuilt(model, new), folder=None)


def file_of(folder: str | os.PathLike, task: str) -> Path:
    """Where the differences of a task are."""
    return Path(folder) / f"{task}.safetensors"


def about(file: str | os.PathLike) -> dict[str, Any]:
    """What was written about a tuned model beside its differences."""
    return _read(file)[1]["about"]


def _read(file: str | os.PathLike) -> tuple[dict[str, Tensor], dict[str, Any]]:
    entries, metadata = read_safetensors(file)
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{os.fspath(file)} holds no differences of a fine-tuned model.")
    return entries, json.loads(metadata["says"])


def _begun(start: VLM, task: str, masks: Masks) -> tuple[nn.Module, Masks]:
    """The model with what the task needs, as fine-tuning begins with it, and its masks with those of what was added."""
    model, started = start.family.headed(unwrapped(start.model), start.processor, task)
    return model, Masks(inherited(masks, started))


def _kept(model: nn.Module, masks: Masks) -> dict[str, np.ndarray]:
    """Where weights were left, by the first name of a parameter that has several."""
    first = {id(parameter): name for name, parameter in model.named_parameters()}
    named = dict(model.named_parameters(remove_duplicate=False))
    return {first[id(named[name])]: mask.cpu().numpy() for name, mask in masks.items()}


def _rounded(change: np.ndarray) -> tuple[np.ndarray, float]:
    """Differences in whole steps, and how long a step is."""
    typical = math.sqrt(float(np.square(change, dtype=np.float64).mean())) if change.size else 0.0
    step = STEP * typical or 1.0
    return np.rint(change / step).clip(-_MOST, _MOST).astype(np.int8), step


def _change(entry: Tensor, before: Tensor, kept: np.ndarray | None, step: float | None) -> Tensor:
    """The difference of one parameter, as large as it is."""
    if step is None:
        return entry.reshape(before.shape)
    there = np.ones(before.shape, dtype=bool) if kept is None else kept
    found = np.zeros(before.shape, dtype=np.float32)
    found[there] = inflated(entry, int(there.sum())).view(np.int8).astype(np.float32) * np.float32(step)
    return torch.from_numpy(found)
