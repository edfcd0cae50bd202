"""Writing a pruned model as an ordinary checkpoint, with zeros where weights were pruned: whatever reads transformers opens it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import partial
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
LARGEST = 5 << 30  # bytes of one file, as in transformers


def save_plain(
    vlm: VLM, masks: Masks | None, folder: str | os.PathLike, dtype: torch.dtype | None = None, largest: int = LARGEST
) -> Path:
    """Write a pruned model as `save_pretrained` would: as large as the dense one, and opened by `from_pretrained`.

    >>> import tempfile
    >>> import multiflow_core as mf
    >>> vlm = mf.load("flatland-blip")
    >>> masks = mf.rank(vlm.model, "omp").masks(0.75)
    >>> sorted(file.name for file in save_plain(vlm, masks, tempfile.mkdtemp()).glob("*.safetensors"))
    ['model.safetensors']

    Arguments and errors are those of `save_packed`; without masks the model is written as it is. What is larger than `largest`
    is written as several files with an index, as transformers does.
    """
    size = sum(tensor.numel() * saved_as(tensor, dtype).itemsize for tensor in vlm.model.state_dict().values())
    if size > largest and (Path(folder) / FILE).exists():  # which would be read in place of the several files
        raise ValueError(f"{folder} already holds the weights of a model: give a new folder.")
    return save_as(FILE, partial(_write, largest), vlm, masks or Masks({}), folder, dtype)


def _write(largest: int, file: Path, tensors: Mapping[str, Tensor], masks: Masks, dtype: torch.dtype | None) -> None:
    kinds = {name: saved_as(tensor, dtype) for name, tensor in tensors.items()}
    sizes = {name: tensor.numel() * kinds[name].itemsize for name, tensor in tensors.items()}
    # numbers of many bytes first, so that each lies where a number of its size may
    shards = _shards(sorted(tensors, key=lambda name: -kinds[name].itemsize), sizes, largest)
    places = [file.with_name(f"model-{i:05}-of-{len(shards):05}.safetensors") for i in range(1, len(shards) + 1)]
    for place, names in zip(places if len(shards) > 1 else [file], shards, strict=True):
        held = ((name, _kept(tensors[name], masks.get(name), dtype)) for name in names)
        stream_safetensors(place, held, names, {"format": "pt"})
    if len(shards) > 1:
        where = {name: place.name for place, names in zip(places, shards, strict=True) for name in names}
        index = {"metadata": {"total_size": sum(sizes.values())}, "weight_map": where}
        file.with_name(f"{FILE}.index.json").write_text(json.dumps(index, indent=1) + "\n")


def _shards(names: Sequence[str], sizes: Mapping[str, int], largest: int) -> list[list[str]]:
    """Names in files of so many bytes, or of one tensor that is larger.

    >>> _shards("abcd", {"a": 3, "b": 4, "c": 9, "d": 1}, 7)
    [['a', 'b'], ['c'], ['d']]
    """
    found: list[list[str]] = [[]]
    for name in names:
        if found[-1] and sum(sizes[held] for held in found[-1]) + sizes[name] > largest:
            found.append([])
        found[-1].append(name)
    return found


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
