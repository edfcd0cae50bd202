"""Digits that stand for what decides a result, so that it can be found again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor


def digits(parts: Iterable[Any]) -> str:
    """Digits that stand for numbers, words, tensors and mappings of them.

    >>> digits(["a", torch.ones(2)]) == digits(["a", torch.ones(2)]) != digits(["a", torch.zeros(2)])
    True
    """
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, Mapping):
            part = digits(value for pair in sorted(part.items(), key=lambda pair: str(pair[0])) for value in pair)
        if isinstance(part, Tensor):
            found.update(f"{part.dtype} {tuple(part.shape)}".encode())
            found.update(part.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        else:
            found.update(f"{part!r};".encode())
    return found.hexdigest()[:16]
