"""Pruned checkpoints: an ordinary transformers folder, except that its weights take no more room than is left of them.

`pruned.safetensors` holds of a pruned tensor the values that were kept and one bit per weight, of any other tensor all
values. Values are written byte by byte, all first bytes before all second ones, and everything is deflated: the signs and
exponents of weights have few values, and so have the bytes of a mask.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from ..support.files import read_safetensors, stream_safetensors
from ..support.registry import unknown_name
from ..support.threads import parallel_map
from .masks import Bits, Masks

FILE = "pruned.safetensors"
_FORMAT = "multiflow-pruned"
_PART = 1 << 20  # bytes deflated at a time
_DTYPES = {str(kind).removeprefix("torch."): kind for kind in vars(torch).values() if isinstance(kind, torch.dtype)}


def check_masks(tensors: Mapping[str, Tensor], masks: Masks) -> None:
    """ValueError for a mask that fits none of the tensors."""
    for name, mask in masks.items():
        if name not in tensors:
            raise unknown_name("tensor of the model", name, tensors)
        if tensors[name].shape != mask.shape:
            raise ValueError(f"the mask of {name} is {tuple(mask.shape)}, the weight {tuple(tensors[name].shape)}")


def write(
    file: str | os.PathLike, tensors: Mapping[str, Tensor], masks: Masks, dtype: torch.dtype | None = None
) -> Path:
    """Write tensors, those with a mask packed: `read` gives them back, zero where they are pruned.

    Of `dtype` are the numbers on disk that are no whole ones; None: as they are.

    >>> import tempfile
    >>> masks = Masks({"w": torch.tensor([[True, False]])})
    >>> read(write(Path(tempfile.mkdtemp()) / FILE, {"w": torch.tensor([[1.5, 2.5]])}, masks))[0]["w"]
    tensor([[1.5000, 0.0000]])
    """
    kinds = {name: saved_as(tensor, dtype) for name, tensor in tensors.items()}
    held = {n: (str(kinds[n]).removeprefix("torch."), list(t.shape), n in masks) for n, t in tensors.items()}
    parts = {n: [*range(kind.itemsize), *(["mask"] if n in masks else [])] for n, kind in kinds.items()}
    names = [f"{name}:{part}" for name, several in parts.items() for part in several]
    metadata = {"format": _FORMAT, "version": "1", "tensors": json.dumps(held)}
    return stream_safetensors(file, _entries(tensors, masks, kinds), names, metadata)


def saved_as(tensor: Tensor, dtype: torch.dtype | None) -> torch.dtype:
    """The type on disk of a tensor: whole numbers and truths stay what they are.

    >>> saved_as(torch.ones(1), torch.float16), saved_as(torch.ones(1, dtype=torch.int64), torch.float16)
    (torch.float16, torch.int64)
    """
    return dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype


def _entries(
    tensors: Mapping[str, Tensor], masks: Masks, kinds: Mapping[str, torch.dtype]
) -> Iterator[tuple[str, Tensor]]:
    """What is written of the tensors, a few of them at a time."""

    def packed(name: str) -> dict[str, Tensor]:
        return _packed(name, tensors[name].detach().cpu().to(kinds[name]), masks.get(name))

    names, few = list(tensors), torch.get_num_threads()
    for i in range(0, len(names), few):
        for parts in parallel_map(packed, names[i : i + few]):
            yield from parts.items()


def read(file: str | os.PathLike) -> tuple[dict[str, Tensor], Masks]:
    """All tensors of a pruned checkpoint, zero where they were pruned, and its masks. ValueError if it is damaged."""
    entries, metadata = read_safetensors(file)
    held = _described(file, metadata)
    for entry in entries:
        if entry.rpartition(":")[0] not in held:
            raise ValueError(f"{os.fspath(file)} is damaged: it does not say what {entry} is.")

    def unpacked(name: str) -> tuple[Tensor, Bits | None]:
        try:
            return _unpacked(entries, name, *held[name])
        except Exception:  # damaged parts fail in any way
            raise ValueError(f"{os.fspath(file)} is damaged: {name} cannot be read.") from None

    found = dict(zip(held, parallel_map(unpacked, list(held)), strict=True))
    masks = {name: mask for name, (_, mask) in found.items() if mask is not None}
    return {name: tensor for name, (tensor, _) in found.items()}, Masks(masks)


def masks_of(folder: str | os.PathLike) -> Masks:
    """The masks of a pruned checkpoint."""
    return read(Path(folder) / FILE)[1]


def described(file: str | os.PathLike) -> dict[str, Described]:
    """What a pruned checkpoint says that it holds, from its header alone. ValueError if it is damaged."""
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{os.fspath(file)} is not a readable safetensors file ({error}).") from error
    return _described(file, metadata)


def bytes_loaded(file: str | os.PathLike) -> int:
    """Bytes that the weights of a pruned checkpoint take once loaded as they were saved."""
    return sum(math.prod(d.shape) * d.dtype.itemsize for d in described(file).values())


class Described(NamedTuple):
    """What has to be known of a tensor to unpack it."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    pruned: bool


def _described(file: str | os.PathLike, metadata: Mapping[str, str]) -> dict[str, Described]:
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{os.fspath(file)} holds no pruned checkpoint.")
    try:
        held = json.loads(metadata["tensors"])
        found = {name: Described(_DTYPES[dtype], tuple(shape), pruned) for name, (dtype, shape, pruned) in held.items()}
        if any(type(side) is not int or side < 0 for one in found.values() for side in one.shape):
            raise ValueError("a size that is none")
        return found
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{os.fspath(file)} is damaged: it does not say which tensors it holds.") from None


def _packed(name: str, tensor: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
    held = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().reshape(-1, tensor.itemsize)
    if mask is not None:
        held = held[mask.numpy().reshape(-1)]
    parts = {f"{name}:{i}": deflated(plane) for i, plane in enumerate(held.T)}
    return parts if mask is None else parts | {f"{name}:mask": deflated(np.packbits(mask.numpy()))}


def _unpacked(
    entries: Mapping[str, Tensor], name: str, dtype: torch.dtype, shape: tuple[int, ...], pruned: bool
) -> tuple[Tensor, Bits | None]:
    size = math.prod(shape)
    bits = Bits(inflated(entries[f"{name}:mask"], (size + 7) // 8), shape) if pruned else None
    there = slice(None) if bits is None else bits.mask().numpy().reshape(-1)
    kept = size if bits is None else int(there.sum())
    held = np.zeros((size, dtype.itemsize), dtype=np.uint8)
    for i in range(dtype.itemsize):
        held[there, i] = inflated(entries[f"{name}:{i}"], kept)
    found = torch.from_numpy(held).reshape(-1).view(dtype).reshape(shape)
    return found, bits


def deflated(data: np.ndarray) -> Tensor:
    """Bytes, deflated."""
    # nothing in weights repeats but runs of equal bytes: looking for more would only take time
    deflate, found = zlib.compressobj(level=1, strategy=zlib.Z_RLE), bytearray()
    for i in range(0, len(data), _PART):
        found += deflate.compress(data[i : i + _PART].tobytes())
    return torch.frombuffer(found + deflate.flush(), dtype=torch.uint8)


def inflated(data: Tensor, size: int) -> np.ndarray:
    """`size` bytes; ValueError if there are more or fewer."""
    found = zlib.decompressobj().decompress(data.numpy().data, size + 1)
    if len(found) != size:
        raise ValueError(f"{len(found)} bytes instead of {size}")
    return np.frombuffer(found, dtype=np.uint8)
