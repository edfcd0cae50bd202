"""N:M patterns: in every M consecutive inputs of an output row, N weights are kept."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def nm_mask(score: Tensor, n: int, m: int, name: str = "the layer") -> Tensor:
    """The N highest scores of every M consecutive inputs, ties by position: bool (out, in).

    >>> nm_mask(torch.tensor([[1.0, 4.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]]), 2, 4).int()
    tensor([[0, 1, 1, 0],
            [0, 0, 1, 1]], dtype=torch.int32)

    Raises:
        ValueError: N and M are not whole numbers with 1 <= N <= M, or the inputs are no multiple of M.
    """
    check_nm(n, m)
    rows, columns = score.shape
    if columns % m:
        raise ValueError(f"a {n}:{m} pattern needs inputs in groups of {m}, but {name} has {columns}")
    groups = score.numpy().reshape(-1, m)
    lowest = np.argsort(groups, axis=1, kind="stable")[:, : m - n]
    keep = np.ones(groups.shape, dtype=bool)
    np.put_along_axis(keep, lowest, False, axis=1)
    return torch.from_numpy(keep.reshape(rows, columns))


def check_nm(n: int, m: int) -> None:
    """ValueError unless N and M are whole numbers with 1 <= N <= M."""
    whole = all(isinstance(x, int) and not isinstance(x, bool) for x in (n, m))
    if not whole or not 1 <= n <= m:
        raise ValueError(f"an N:M pattern keeps N of M weights, 1 <= N <= M, not {n}:{m}")
