"""Best and second best, wins, ranks, critical differences: by hand, and against what others have printed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiflow_core.sweeps.ranking import critical_difference, marks, nemenyi, ranking, ranks, tally, wins
from multiflow_core.sweeps.table import COLUMNS, Entry, Part

VQA, CIDER = COLUMNS[4], COLUMNS[2]
# Demsar, JMLR 7 (2006), table 5a: critical values of the two-tailed Nemenyi test at 5 %, for 2 to 10 classifiers
PRINTED = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
PRINTED_TENTH = {2: 1.645, 3: 2.052, 4: 2.291, 5: 2.459, 6: 2.589, 7: 2.693, 8: 2.780, 9: 2.855, 10: 2.920}


def part(**figures: list[float]) -> Part:
    """VQA figures of methods at 0.5, 0.6, ...; intervals reach 0.05 to either side."""
    found = []
    for method, values in figures.items():
        for i, value in enumerate(values):
            between = {"all": (value - 0.05, value + 0.05)}
            found.append(Entry("m", method, 0.5 + i / 10, "vqa", "zero-shot", {"all": value}, intervals=between))
    return Part("m", "zero-shot", tuple(found))


def test_what_reads_alike_is_marked_alike():
    assert marks({"a": 0.5, "b": 0.5004, "c": 0.4996}, VQA) == ({"a", "b", "c"}, frozenset())
    assert marks({"a": 0.5, "b": 0.501, "c": 0.5}, VQA) == ({"b"}, {"a", "c"})
    assert marks({"a": 1.234, "b": 1.2301, "c": 1.1}, CIDER) == ({"a", "b"}, {"c"})
    assert marks({"a": 0.1, "b": 0.0}, VQA) == ({"a"}, frozenset())  # nothing is no second place
    assert marks({"a": 0.0, "b": 0.0001}, VQA) == marks({}, VQA) == (frozenset(), frozenset())
    assert wins(part(a=[0.0], b=[0.0])) == []


@given(st.dictionaries(st.text(max_size=3), st.sampled_from([0.0, 0.1, 0.2, 0.3]), min_size=1))
def test_ranks_are_shared_and_add_up(values):
    found = ranks(values)
    count = len(values)
    assert math.isclose(sum(found.values()), count * (count + 1) / 2)
    for a, b in [(a, b) for a in values for b in values]:
        assert (found[a] < found[b]) == (values[a] > values[b])


@pytest.mark.parametrize(("level", "printed"), [(0.05, PRINTED), (0.1, PRINTED_TENTH)])
def test_quantiles_are_those_that_are_printed(level, printed):
    assert {k: round(nemenyi(k, level), 3) for k in printed} == pytest.approx(printed, abs=0.0011)


def test_the_quantile_is_that_of_numbers_drawn():
    drawn = np.random.default_rng(0).normal(size=(200_000, 20))
    spans = drawn.max(1) - drawn.min(1)
    assert np.quantile(spans, 0.95) / math.sqrt(2) == pytest.approx(nemenyi(20), abs=0.02)


def test_the_critical_difference_by_hand():
    assert critical_difference(5, 30) == pytest.approx(2.728 * math.sqrt(5 * 6 / (6 * 30)), abs=1e-3)
    assert critical_difference(5, 120) == pytest.approx(critical_difference(5, 30) / 2)


def test_mean_ranks_and_groups_by_hand():
    found = ranking(part(a=[0.9, 0.8, 0.7], b=[0.5, 0.8, 0.6], c=[0.1, 0.2, 0.3]))
    assert found.ranks == {"a": pytest.approx((1 + 1.5 + 1) / 3), "b": pytest.approx((2 + 1.5 + 2) / 3), "c": 3}
    assert found.cells == 3 and found.difference == pytest.approx(2.343 * math.sqrt(12 / 18), abs=1e-3)
    assert found.groups == (("a", "b", "c"),) and not found.apart("a", "c")  # three cells tell little apart


def test_a_method_with_holes_is_left_out_of_ranks_and_said():
    found = ranking(part(a=[0.9, 0.8], b=[0.5, 0.6], c=[0.99]))
    assert list(found.ranks) == ["a", "b"] and found.left_out == ("c",) and found.cells == 2
    assert ranking(part(a=[0.9, 0.8])) is None and ranking(part(a=[0.9], b=[0.8])) is None and ranking(part()) is None


def test_wins_inside_the_noise_are_counted_apart():
    found = wins(part(a=[0.9, 0.80, 0.5, 0.4], b=[0.7, 0.77, 0.5, 0.4], c=[0.1, 0.1, 0.1]))
    assert [win.winners for win in found] == [("a",), ("a",), ("a", "b"), ("a", "b")]
    assert [win.clear for win in found] == [True, False, False, False]
    assert [win.runner_up for win in found] == ["b"] * 4
    assert tally(found, "abc") == {"a": (1, 3), "b": (0, 2), "c": (0, 0)}


def test_several_seeds_widen_what_is_noise():
    def of(method: str, *values: float) -> list[Entry]:
        return [Entry("m", method, 0.5, "vqa", "zero-shot", {"all": v}, seed) for seed, v in enumerate(values)]

    (win,) = wins(Part("m", "zero-shot", (*of("a", 0.9, 0.5), *of("b", 0.6, 0.6))))
    assert win.winners == ("a",) and not win.clear
    (win,) = wins(Part("m", "zero-shot", (*of("a", 0.9, 0.7), *of("b", 0.6, 0.6))))
    assert win.clear
