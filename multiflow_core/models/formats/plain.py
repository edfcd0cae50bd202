"""Writing a pruned model as an ordinary checkpoint, with zeros where weights were pruned: whatever reads transformers opens it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ...weights.masks import Masks
from ..format import Format, register
from ..vlm import VLM
from .packed import save_as

FILE = "model.safetensors"


def save_plain(vlm: VLM, masks: Masks, folder: str | os.PathLike, dtype: torch.dtype | None = None) -> Path:
    """Write a pruned model as `save_pretrained` would: as large as the dense one, and opened by `from_pretrained`.

    >>> import tempfile
    >>> import multiflow_core as mf
    >>> vlm = mf.load("flatland-blip")
    >>> masks = mf.rank(vlm.model, "omp").masks(0.75)
    >>> sorted(file.name for file in save_plain(vlm, masks, tempfile.mkdtemp()).glob("*.safetensors"))
    ['model.safetensors']

    Arguments and errors are those of `save_packed`.
    """
    return save_as(FILE, _write, vlm, masks, folder, dtype)


def _write(file: Path, tensors: Mapping[str, Tensor], masks: Masks) -> None:
    kept = {name: t.masked_fill(~masks[name], 0) if name in masks else t.contiguous() for name, t in tensors.items()}
    save_file(kept, file, {"format": "pt"})


register(
    Format(
        "plain",
        "an ordinary folder of transformers with zeros in it, which from_pretrained opens, too",
        save_plain,
    )
)
