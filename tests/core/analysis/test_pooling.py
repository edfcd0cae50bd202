"""Pooling a matrix to a grid, against a loop over every weight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.analysis.pooling import edges, pool


def slow_pool(matrix, rows, columns, how):
    """Cell by cell, weight by weight."""
    found = np.empty((len(rows) - 1, len(columns) - 1))
    for r in range(len(rows) - 1):
        for c in range(len(columns) - 1):
            inside = [
                float(matrix[i, j]) for i in range(rows[r], rows[r + 1]) for j in range(columns[c], columns[c + 1])
            ]
            found[r, c] = {"sum": sum(inside), "mean": sum(inside) / len(inside), "max": max(inside)}[how]
    return found


@st.composite
def windows(draw):
    """A matrix, the part of it that is looked at, and how many cells there is room for."""
    height, width = draw(st.integers(1, 23)), draw(st.integers(1, 23))
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    bottom, right = draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["float32", "float64", "bool"]))
    matrix = generator.normal(size=(height, width))
    matrix = matrix > 0 if kind == "bool" else matrix.astype(kind)
    return matrix, range(top, bottom), range(left, right), draw(st.integers(1, 9)), draw(st.integers(1, 9))


@given(windows(), st.sampled_from(["sum", "mean", "max"]))
@settings(max_examples=60, deadline=None)
def test_pool_equals_a_loop_over_every_weight(window, how):
    matrix, tall, wide, most_rows, most_columns = window
    rows, columns = edges(tall, most_rows), edges(wide, most_columns)
    found = pool(matrix, rows, columns, how)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, slow_pool(matrix, rows, columns, how), rtol=1e-12, atol=1e-12)


@given(windows())
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_and_nothing_counted_twice(window):
    matrix, tall, wide, most_rows, most_columns = window
    inside = matrix[tall.start : tall.stop, wide.start : wide.stop]
    rows, columns = edges(tall, most_rows), edges(wide, most_columns)
    assert pool(matrix, rows, columns, "sum").sum() == pytest.approx(inside.sum(dtype=np.float64), abs=1e-9)
    assert pool(matrix, rows, columns, "max").max() == inside.max()
    means, sizes = pool(matrix, rows, columns), np.outer(np.diff(rows), np.diff(columns))
    assert sizes.sum() == inside.size
    assert (means * sizes).sum() == pytest.approx(inside.sum(dtype=np.float64), abs=1e-9)


@given(st.integers(0, 9999), st.integers(1, 4000), st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_edges_cover_the_span_in_equal_cells(start, size, most):
    found = edges(range(start, start + size), most)
    widths = np.diff(found)
    assert found[0] == start and found[-1] == start + size
    assert len(widths) <= most and (widths[:-1] == widths[0]).all() and 1 <= widths[-1] <= widths[0]
    assert len(widths) == size if size <= most else widths[0] > 1  # no cell holds two where there is room for all


def test_float32_sums_are_kept_in_float64():
    """2^24 + 1 is no float32: a sum in float32 would stay at 2^24."""
    matrix = np.full((2, 1), 1, dtype=np.float32)
    matrix[0] = 2**24
    assert pool(matrix, np.array([0, 2]), np.array([0, 1]), "sum").tolist() == [[2**24 + 1]]


@pytest.mark.parametrize(
    ("rows", "columns", "how", "part"),
    [
        ([0, 2], [0, 2], "median", "median"),
        ([0, 3], [0, 2], "mean", "row edges"),
        ([0, 2], [-1, 2], "mean", "column edges"),
        ([0, 0, 2], [0, 2], "mean", "row edges"),
        ([0, 2], [1], "mean", "column edges"),
    ],
)
def test_what_cannot_be_pooled_is_said(rows, columns, how, part):
    with pytest.raises(ValueError, match=part):
        pool(np.zeros((2, 2)), np.array(rows), np.array(columns), how)


@pytest.mark.parametrize(("span", "most"), [(range(0), 4), (range(0, 8, 2), 4), (range(8), 0)])
def test_edges_need_a_span(span, most):
    with pytest.raises(ValueError, match="consecutive"):
        edges(span, most)
