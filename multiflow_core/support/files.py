"""Files: safetensors, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from .atomic import whole


def write_safetensors(path: str | os.PathLike, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Path:
    """Write a safetensors file atomically: a reader sees the old file or the whole new one.

    >>> import tempfile, torch
    >>> path = Path(tempfile.mkdtemp()) / "x.safetensors"
    >>> tensors, metadata = read_safetensors(write_safetensors(path, {"a": torch.ones(2)}, {"kind": "demo"}))
    >>> tensors["a"].tolist(), metadata["kind"]
    ([1.0, 1.0], 'demo')
    """
    with whole(path) as place:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, place, dict(metadata))
    return Path(path)


def read_safetensors(path: str | os.PathLike) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file; ValueError when it is not one."""
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{os.fspath(path)} is not a readable safetensors file ({error})") from error
