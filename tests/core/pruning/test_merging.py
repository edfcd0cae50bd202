"""Merging and selecting by halves of float32, against plain sorts in Python."""

from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.pruning import exact_cut, merging
from multiflow_core.pruning.exact_cut import ascending_ranks, keep_all_but, kth_lowest
from multiflow_core.pruning.merging import Binned, Counted, Merged

# ties, both zeros, neighbours that differ in the last bit only, the ends of the range
_NEXT = float(np.nextafter(np.float32(1), np.float32(2)))
_FEW = st.sampled_from([0.0, -0.0, 1.0, _NEXT, -1.0, -_NEXT, 2.0**-149, 2.0**127, float("inf"), -float("inf")])
_ANY = st.floats(width=32, allow_nan=False)
_VALUES = st.lists(_FEW | _ANY, max_size=30)
_WIDE = st.sampled_from([np.float32, np.float64])


def array(values, kind=np.float32):
    return np.array(values, dtype=kind)


@settings(deadline=None)
@given(
    st.lists(_VALUES, min_size=1, max_size=5),
    st.sampled_from([1, 3, 1 << 16]),
    st.sampled_from([0, 1, 4]),
    st.randoms(),
)
def test_merged_lists_are_one_stable_sort(lists, chunk, part, random):
    """Whether they are grouped at once or only counted, and whatever is asked first."""
    entries = sorted((value, source) for source, values in enumerate(lists) for value in values)
    arrays = [array(values) for values in lists]
    with patch.object(merging, "_PART", part):  # so many values at once, or all are grouped from the start
        merged = Merged([Counted(len(held), held.__getitem__) if part else Binned(held) for held in arrays])

    def sources():
        with patch.object(merging, "_CHUNK", chunk):
            assert merged.sources().tolist() == [source for _, source in entries]

    def counts(k):
        taken = [source for _, source in entries[:k]]
        assert merged.counts(k).tolist() == [taken.count(source) for source in range(len(lists))]

    def highest(k):
        assert merged.highest(k) == entries[k - 1][0]

    asked = [
        (sources,),
        *((counts, k) for k in range(len(entries) + 1)),
        *((highest, k + 1) for k in range(len(entries))),
    ]
    random.shuffle(asked)
    for question, *argument in asked:
        question(*argument)


def test_a_few_look_ups_read_values_again_and_many_group_them():
    values, read = np.arange(1, 2000, dtype=np.float32), []
    merged = Merged([Counted(len(values), lambda part: read.append(part) or values[part])])
    assert len(read) == 1  # to count them
    begins = np.flatnonzero(np.diff(values.view(np.uint32) >> 16)) + 1
    inside = [int(k) + 1 for k in begins if values.view(np.uint32)[k + 1] >> 16 == values.view(np.uint32)[k] >> 16]
    for k in inside[: merging._FEW]:
        assert merged.counts(k).tolist() == merged.counts(k).tolist() == [k]  # the same bin again: not read again
    assert len(read) == 1 + merging._FEW
    for k in inside[merging._FEW : merging._FEW + 9]:
        assert merged.counts(k).tolist() == [k]
    assert len(read) == 1 + merging._FEW + 1


@settings(deadline=None)
@given(_VALUES, _WIDE, st.sampled_from([1, 2, 9, 1 << 14]))
def test_the_kth_lowest_is_where_a_sort_has_it(values, kind, sample):
    with patch.object(exact_cut, "_SAMPLE", sample):
        assert [kth_lowest(array(values, kind), k + 1) for k in range(len(values))] == sorted(values)


def test_a_sample_that_misleads_costs_time_only():
    """Every value that the sample sees is low, every other one high; and the other way round."""
    seen = np.zeros(300_000, dtype=bool)
    seen[:: (len(seen) // exact_cut._SAMPLE) | 1] = True
    for values in (np.where(seen, -1.0, np.arange(len(seen))), np.where(seen, 1e6, np.arange(len(seen)))):
        order = np.sort(values.astype(np.float32))
        for k in (1, 1000, 150_000, 299_999, 300_000):
            assert kth_lowest(values.astype(np.float32), k) == order[k - 1]


@settings(deadline=None)
@given(_VALUES, _WIDE)
def test_ranks_and_masks_break_ties_by_position(values, kind):
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    ranks = ascending_ranks(array(values, kind))
    assert [order[rank] for rank in ranks] == list(range(len(values)))
    for k in range(len(values) + 1):
        keep = keep_all_but(array(values, kind), k)
        assert [i for i in range(len(values)) if not keep[i]] == sorted(order[:k])


def test_threads_that_group_and_look_up_at_once_agree():
    """Sessions share an order: one may group its values while another looks some up."""
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(20_000, dtype=np.float32) for _ in range(4)]
    ks = [1, 100, 40_000, 79_999, *range(1_000, 80_000, 3_000)]
    expected = [Merged([Binned(held) for held in values]).counts(k).tolist() for k in ks]
    for _ in range(5):
        merged = Merged([Counted(len(held), held.__getitem__) for held in values])
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda k, merged=merged: merged.counts(k).tolist(), ks)) == expected
