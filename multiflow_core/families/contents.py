"""What files of weights hold, from their headers alone: names, shapes and types; what cannot be used is refused here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..support.files import DTYPES
from ..weights import packed_file, saved

# what quantised weights are kept with, or as
_SCALES = (
    ".SCB", ".weight_scale", ".weight_scale_inv", ".scale_weight", ".qweight", ".qzeros", ".weight_packed", ".absmax",
    ".quant_map", ".quant_state", ".weight_format",
)  # fmt: skip
ADAPTER = "adapter_config.json"  # of peft, in a folder that holds no model


class Kind(NamedTuple):
    """A tensor as a header describes it."""

    shape: tuple[int, ...]
    dtype: torch.dtype


@dataclass(frozen=True)
class Contents:
    """The tensors of one model's files.

    Attributes:
        files: in which they lie.
        tensors: what is there by name.
        where: under which name they are in what torch.save wrote, "" where nothing is around them.
    """

    files: tuple[Path, ...]
    tensors: Mapping[str, Kind]
    where: str = ""

    def said(self, notes: Sequence[str] = (), format: str = "") -> str:
        """The files, what they hold, and what was done to it, in one line.

        >>> kinds = {"a.weight": Kind((2, 2), torch.float16), "a.ids": Kind((2,), torch.int64)}
        >>> Contents((Path("model.pth"),), kinds, "state_dict").said(["prefix module. removed"])
        'model.pth, in it state_dict: 2 tensors, float16; prefix module. removed'
        """
        first = self.files[0].name
        files = first if len(self.files) == 1 else f"{len(self.files)} files from {first} on"
        inside = f", in it {self.where}" if self.where else ""
        kinds = Counter(kind.dtype for kind in self.tensors.values() if kind.dtype.is_floating_point)
        types = " and ".join(str(kind).removeprefix("torch.") for kind, _ in kinds.most_common(2)) or "no numbers"
        held = f"{format}, " if format else ""
        return "; ".join([f"{files}{inside}: {held}{len(self.tensors):,} tensors, {types}", *notes])


def contents(files: Sequence[Path]) -> Contents:
    """The contents of the files of a model; ValueError, in a sentence, for files that are damaged or that could run code."""
    found: dict[str, Kind] = {}
    where = ""
    for file in files:
        if file.name == packed_file.FILE:
            safetensors_header(file)  # for its checks
            found |= {name: Kind(one.shape, one.dtype) for name, one in packed_file.described(file).items()}
        elif file.suffix == ".safetensors":
            header = safetensors_header(file)
            found |= {n: Kind(tuple(t["shape"]), DTYPES.get(t["dtype"], torch.float32)) for n, t in header.items()}
        else:  # on no device: nothing but names and shapes is read
            held, where = saved.state_dict(saved.read_pickle(file, "meta"))
            if not held:
                raise ValueError(f"{file} holds no tensors by name: give the file of a model's weights.")
            found |= {name: Kind(tuple(tensor.shape), tensor.dtype) for name, tensor in held.items()}
    return Contents(tuple(files), found, where)


def check_numbers(held: Contents) -> None:
    """ValueError for weights that were quantised: as they are they mean nothing."""
    # a weight before its scale
    for name, kind in sorted(held.tensors.items(), key=lambda one: one[1].dtype.is_floating_point):
        scaled = name.endswith(_SCALES) or any(f"{scale}." in name for scale in _SCALES)
        counted = not kind.dtype.is_floating_point and kind.dtype != torch.bool
        # old causal masks are bytes, too, of four dimensions
        packed = kind.dtype.itemsize == 1 and len(kind.shape) in (2, 3)
        if scaled or (counted and (packed or name.endswith("weight"))):
            what = f"{name} in {str(kind.dtype).removeprefix('torch.')}"
            raise ValueError(f"{held.files[0]} holds quantised weights ({what}): give the original ones.")


def safetensors_header(file: Path) -> dict[str, dict[str, Any]]:
    """{tensor name: dtype, shape and place} of a safetensors file; ValueError if it is damaged or cut short."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > file.stat().st_size:
                raise ValueError("no header")
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        end = max((int(tensor["data_offsets"][1]) for tensor in header.values()), default=0)
        for tensor in header.values():
            if not isinstance(tensor["dtype"], str) or not all(
                type(side) is int and side >= 0 for side in tensor["shape"]
            ):
                raise ValueError("a type or a shape that is none")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise ValueError(f"{file} is not a safetensors file.") from None
    if file.stat().st_size < 8 + length + end:
        raise ValueError(f"{file} is cut short: it has {file.stat().st_size:,} of {8 + length + end:,} bytes.")
    if file.stat().st_size > 8 + length + end:
        raise ValueError(f"{file} has {file.stat().st_size - 8 - length - end:,} bytes more than its header speaks of.")
    return header
