"""A matrix too large for a screen, pooled to a grid of cells whose edges are whole weights."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

_REDUCE = {"sum": np.add, "mean": np.add, "max": np.maximum}


def edges(span: range, most: int) -> np.ndarray:
    """Where cells begin and end that cover a span of rows or columns: int64 (cells + 1,), at most `most` cells.

    >>> edges(range(10), 4).tolist()
    [0, 3, 6, 9, 10]
    >>> edges(range(2, 5), 4).tolist()
    [2, 3, 4, 5]

    All cells are equally wide but the last, which may be narrower. ValueError for an empty span, or a step that is not 1.
    """
    if not span or span.step != 1 or most < 1:
        raise ValueError(f"cells need a span of consecutive places and room for at least one, not {span} and {most}")
    width = -(-len(span) // most)
    return np.append(np.arange(span.start, span.stop, width), span.stop)


def pool(matrix: np.ndarray, rows: np.ndarray, columns: np.ndarray, how: str = "mean") -> np.ndarray:
    """One value a cell: the "sum", "mean" or "max" of the weights in it. The mean of a mask is the share that is kept.

    >>> matrix = np.arange(12.0).reshape(3, 4)
    >>> pool(matrix, edges(range(3), 2), edges(range(4), 2), "sum").tolist()
    [[10.0, 18.0], [17.0, 21.0]]
    >>> pool(matrix > 5, edges(range(3), 1), edges(range(1, 4), 2)).tolist()
    [[0.5, 0.6666666666666666]]

    Args:
        matrix: (out, in), real or bool; only what lies between the first and the last edges is read.
        rows, columns: edges, ascending whole numbers, as `edges` makes them.
        how: what becomes of the weights of a cell.

    Returns:
        float64 (len(rows) - 1, len(columns) - 1), added up in float64.

    Raises:
        ValueError: another `how`, edges that do not ascend, or that lie outside the matrix.
    """
    if how not in _REDUCE:
        raise ValueError(f"cells hold the {', '.join(_REDUCE)} of their weights, not the {how}")
    for name, places, size in (("row", rows, matrix.shape[0]), ("column", columns, matrix.shape[1])):
        if len(places) < 2 or places[0] < 0 or places[-1] > size or (np.diff(places) < 1).any():
            raise ValueError(f"the {name} edges must ascend from 0 or more to at most {size}")
    reduce = _REDUCE[how]
    part = matrix[:, columns[0] : columns[-1]]
    # whole rows first: that is one pass over the matrix, in the order in which it lies in memory
    flat = np.stack([reduce.reduce(part[top:bottom], axis=0, dtype=np.float64) for top, bottom in pairwise(rows)])
    cells = reduce.reduceat(flat, np.asarray(columns[:-1]) - columns[0], axis=1)
    return cells / np.outer(np.diff(rows), np.diff(columns)) if how == "mean" else cells
