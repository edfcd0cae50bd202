"""What a long walk has solved so far, kept in files, so that another process can go on with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..support.files import read_safetensors, write_safetensors
from ..weights.masks import Bits
from .layer_by_layer import Pruned


class Shelf:
    """A folder with one file a block; without a folder nothing is kept.

    >>> import tempfile, numpy as np
    >>> shelf = Shelf(tempfile.mkdtemp(), "5621")
    >>> shelf.put(3, {7: (np.array([True, False]), torch.tensor([[2.0, 0.0]]))})
    >>> shelf.get(3), shelf.get(4)
    ({7: (array([ True, False]), tensor([[2., 0.]]))}, None)

    Args:
        folder: where. asked: digits that say what was asked of which model: what was solved for something else is left alone.
    """

    def __init__(self, folder: str | os.PathLike, asked: str):
        self._place = Path(folder) / asked if folder else None

    def get(self, block: int) -> dict[int, Pruned] | None:
        """{number of a layer: what was solved of it}; None where the block is not there, or its file is damaged."""
        try:
            held, _ = read_safetensors(self._file(block)) if self._place else ({}, {})
        except (OSError, ValueError):
            return None
        found = {}
        for name in (name for name in held if name.startswith("weight ")):
            weight = held[name]
            bits = Bits(held[name.replace("weight", "kept")].numpy(), tuple(weight.shape))
            found[int(name.split()[1])] = bits.mask().reshape(-1).numpy(), weight
        return found or None

    def put(self, block: int, solved: Mapping[int, Pruned]) -> None:
        if self._place is None:
            return
        self._place.mkdir(parents=True, exist_ok=True)
        held: dict[str, Tensor] = {}
        for i, (keep, weight) in solved.items():
            held |= {f"weight {i}": weight, f"kept {i}": torch.from_numpy(Bits.of(torch.from_numpy(keep)).packed)}
        write_safetensors(self._file(block), held, {})

    def clear(self) -> None:
        """All is solved, and nothing of it is needed any more."""
        if self._place is not None and self._place.is_dir():
            shutil.rmtree(self._place)

    def _file(self, block: int) -> Path:
        return self._place / f"block {block:04d}.safetensors"
