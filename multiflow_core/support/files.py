"""Safetensors files: written whole or not at all, the same content as the same bytes, and with a checksum."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from .atomic import whole

CHECKSUM, SEALED = "checksum", "sealed"  # the second says that there is a first: one alone is a damaged header
_UNKNOWN = "0" * 64
_CHUNK = 1 << 20
DTYPES = {  # as safetensors calls them
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool, "U16": torch.uint16,
    "U32": torch.uint32, "U64": torch.uint64, "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}  # fmt: skip
_FAR = 10**15  # more bytes than any file has


def write_safetensors(path: str | os.PathLike, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Path:
    """Write a safetensors file atomically: a reader sees the old file or the whole new one.

    >>> import tempfile, torch
    >>> path = Path(tempfile.mkdtemp()) / "x.safetensors"
    >>> tensors, metadata = read_safetensors(write_safetensors(path, {"a": torch.ones(2)}, {"kind": "demo"}))
    >>> tensors["a"].tolist(), metadata
    ([1.0, 1.0], {'kind': 'demo'})
    """
    with whole(path) as place:
        save_file(
            {n: t.contiguous() for n, t in tensors.items()}, place, {**metadata, CHECKSUM: _UNKNOWN, SEALED: "sha256"}
        )
        _seal(place)
    return Path(path)


def stream_safetensors(
    path: str | os.PathLike, tensors: Iterable[tuple[str, Tensor]], names: Sequence[str], metadata: Mapping[str, str]
) -> Path:
    """The same of tensors that are made one after another, and never held together.

    >>> import tempfile, torch
    >>> made = ((name, torch.full((2,), i)) for i, name in enumerate("ab"))
    >>> path = stream_safetensors(Path(tempfile.mkdtemp()) / "x.safetensors", made, ["a", "b"], {})
    >>> {name: tensor.tolist() for name, tensor in read_safetensors(path)[0].items()}
    {'a': [0, 0], 'b': [1, 1]}

    Args:
        names: of all that will come, in any order: for them room is left in front.
    """
    metadata = {**metadata, CHECKSUM: _UNKNOWN, SEALED: "sha256"}
    longest = {"dtype": "F8_E4M3", "shape": [_FAR] * 6, "data_offsets": [_FAR, _FAR]}
    room = len(_canonical({"__metadata__": metadata} | dict.fromkeys(names, longest)))
    room += -room % 8  # so that the data begin where a number of eight bytes may
    with whole(path) as place:
        with place.open("wb") as file:
            header, end, names_of = {"__metadata__": metadata}, 0, {kind: name for name, kind in DTYPES.items()}
            file.write(room.to_bytes(8, "little") + b" " * room)
            for name, tensor in tensors:
                begin, end = end, end + tensor.nbytes
                held = {"dtype": names_of[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
                header[name] = held
                file.write(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
            file.seek(8)
            file.write(_canonical(header).ljust(room))
        _seal(place)
    return Path(path)


def read_safetensors(path: str | os.PathLike) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file; ValueError when it is not one, or is not what was written.

    A file without a checksum, from before there was one, is read with a warning.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            tensors, metadata = {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{os.fspath(path)} is not a readable safetensors file ({error})") from error
    said, sealed = metadata.pop(CHECKSUM, None), metadata.pop(SEALED, None)
    if said is None and sealed is None:
        warnings.warn(f"{os.fspath(path)} has no checksum: whether it is damaged cannot be told", stacklevel=2)
    elif said is None or sealed is None or said != _checksum(path):
        raise ValueError(f"{os.fspath(path)} is damaged: its checksum is not that of its content")
    return tensors, metadata


def _seal(path: Path) -> None:
    """Put the metadata in order, which safetensors writes in any, and the checksum in."""
    with path.open("r+b") as file:
        header, size = _header(file)
        header["__metadata__"][CHECKSUM] = _digest(header, file)
        text = _canonical(header)
        if len(text) > size:
            raise ValueError(f"the metadata of {path} cannot be put in order")
        file.seek(8)
        file.write(text.ljust(size))


def _checksum(path: str | os.PathLike) -> str:
    with open(path, "rb") as file:
        header, _ = _header(file)
        header["__metadata__"][CHECKSUM] = _UNKNOWN
        return _digest(header, file)


def _header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The header of an open file, which then stands at its data, and how many bytes it has."""
    size = int.from_bytes(file.read(8), "little")
    return json.loads(file.read(size)), size


def _digest(header: Mapping[str, Any], file: BinaryIO) -> str:
    digest = hashlib.sha256(_canonical(header))
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _canonical(header: Mapping[str, Any]) -> bytes:
    """One text for one content: metadata by name, tensors as they lie in the file."""
    tensors = sorted((n for n in header if n != "__metadata__"), key=lambda n: (header[n]["data_offsets"], n))
    ordered = {"__metadata__": dict(sorted(header["__metadata__"].items()))} | {n: header[n] for n in tensors}
    return json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()
