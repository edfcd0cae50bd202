"""Sharing a sparsity out row by row."""

from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from multiflow_core.pruning import allocations


@settings(deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 7), st.integers(1, 9)), elements=st.integers(-2, 3).map(float)),
    st.booleans(),
    st.sampled_from([1, 4, 1 << 20]),
    st.data(),
)
def test_what_stays_row_by_row_is_what_has_a_later_place(scores, wide, part, data):
    """With many ties, in either precision, and whatever is looked at at once."""
    scores = scores.astype(np.float64) if wide else scores
    count = data.draw(st.integers(0, scores.size))
    with patch.object(allocations, "_PART", part):
        assert np.array_equal(allocations.row_keeps(scores, count), allocations.row_places(scores) >= count)
