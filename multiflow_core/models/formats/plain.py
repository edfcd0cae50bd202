"""Writing a pruned model as an ordinary checkpoint, with zeros where weights were pruned: whatever reads transformers opens it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ...support.files import stream_safetensors
from ...weights.masks import Masks
from ...weights.packed_file import saved_as
from ..format import Format, register
from ..vlm import VLM
from .packed import save_as

FILE = "model.safetensors"


def save_plain(vlm: VLM, masks: Masks | None, folder: str | os.PathLike, dtype: torch.dtype | None = None) -> Path:
    """Write a pruned model as `save_pretrained` would: as large as the dense one, and opened by `from_pretrained`.

    >>> import tempfile
    >>> import multiflow_core as mf
    >>> vlm = mf.load("flatland-blip")
    >>> masks = mf.rank(vlm.model, "omp").masks(0.75)
    >>> sorted(file.name for file in save_plain(vlm, masks, tempfile.mkdtemp()).glob("*.safetensors"))
    ['model.safetensors']

    Arguments and errors are those of `save_packed`; without masks the model is written as it is.
    """
    return save_as(FILE, _write, vlm, masks or Masks({}), folder, dtype)


def _write(file: Path, tensors: Mapping[str, Tensor], masks: Masks, dtype: torch.dtype | None) -> None:
    # numbers of many bytes first, so that each lies where a number of its size may
    names = sorted(tensors, key=lambda name: -saved_as(tensors[name], dtype).itemsize)
    stream_safetensors(
        file, ((name, _kept(tensors[name], masks.get(name), dtype)) for name in names), names, {"format": "pt"}
    )


def _kept(tensor: Tensor, mask: Tensor | None, dtype: torch.dtype | None) -> Tensor:
    found = tensor.detach().cpu().to(saved_as(tensor, dtype))
    return found if mask is None else found.masked_fill(~mask, 0)


register(
    Format(
        "plain",
        "an ordinary folder of transformers with zeros in it, which from_pretrained opens, too",
        save_plain,
    )
)
