"""Figures and between what they lie: by hand, against a slow bootstrap, and whether 95 % means 95 %."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.tasks.figures import LEVEL, RESAMPLES, SEED, Figure, intervals

ROWS = st.lists(st.tuples(st.integers(0, 6), st.floats(0, 1)), min_size=1, max_size=40)


def figure(rows) -> Figure:
    return Figure([value for _, value in rows], [picture for picture, _ in rows])


def test_a_figure_is_a_number():
    share = Figure([True, False, True])
    assert share == 2 / 3 and json.dumps(share) == json.dumps(2 / 3)
    assert type(share + 0) is float
    assert type(pickle.loads(pickle.dumps(share))) is type(copy.deepcopy(share)) is float


def test_a_figure_of_sums():
    ratio = Figure([[1, 2], [3, 8]], of=lambda sums: sums[..., 0] / sums[..., 1])
    assert ratio == 0.4 and ratio != (1 / 2 + 3 / 8) / 2


def test_what_every_sample_gives_is_sure():
    assert intervals({"all": Figure([1, 1, 1]), "none": Figure([0, 0, 0])}) == {"all": (1, 1), "none": (0, 0)}
    assert intervals({"all": Figure([1, 0, 1, 0], [5, 5, 9, 9])}) == {"all": (0.5, 0.5)}  # each picture half
    assert intervals({}) == intervals({"a number": 0.5}) == {}


@given(ROWS)
@settings(deadline=None)
def test_a_figure_lies_in_its_interval_and_the_order_of_rows_does_not_matter(rows):
    (low, high) = intervals({"": figure(rows)})[""]
    assert 0 <= low <= figure(rows) <= high <= 1
    assert intervals({"": figure(rows[::-1])})[""] == pytest.approx((low, high), abs=1e-12)


@given(ROWS, st.integers(2, 4))
@settings(deadline=None)
def test_asking_the_same_again_makes_nothing_surer(rows, times):
    once, again = (intervals({"": figure(asked)})[""] for asked in (rows, rows * times))
    assert again == pytest.approx(once, abs=1e-12)


def test_against_a_slow_bootstrap():
    """Picture by picture, with the same numbers drawn."""
    rng = np.random.default_rng(1)
    pictures = [0, 0, 1, 2, 2, 2, 3, 4, 4, 5]
    values, kind = rng.random(len(pictures)).tolist(), [0, 1, 0, 0, 1, 0, 0, 0, 0, 0]
    chosen = [i for i in range(len(pictures)) if kind[i]]
    figures = {
        "all": Figure(values, pictures),
        "kind": Figure([values[i] for i in chosen], [pictures[i] for i in chosen]),
    }
    draws = np.random.default_rng(SEED).integers(6, size=(RESAMPLES, 6))
    found = {"all": [], "kind": []}
    for draw in draws:
        rows = [i for picture in draw for i in range(len(pictures)) if pictures[i] == picture]
        for name, wanted in (("all", rows), ("kind", [i for i in rows if kind[i]])):
            if wanted:
                found[name].append(sum(values[i] for i in wanted) / len(wanted))
    assert len(found["kind"]) < RESAMPLES  # there are samples without any of that kind
    for name, sampled in found.items():
        expected = np.percentile(sampled, [2.5, 97.5])
        assert intervals(figures)[name] == pytest.approx(tuple(expected), abs=1e-12)


def test_figures_of_one_exam_see_the_same_samples():
    """So that what a model answers right and what it answers wrong move against each other."""
    right = np.random.default_rng(2).random(50) < 0.7
    low, high = intervals({"right": Figure(right), "wrong": Figure(~right)}).values()
    assert low == pytest.approx((1 - high[1], 1 - high[0]))


def test_many_pictures_are_drawn_in_blocks(monkeypatch):
    rows = np.random.default_rng(3).random(200)
    whole = intervals({"": Figure(rows)})
    monkeypatch.setattr("multiflow_core.tasks.figures.AT_ONCE", 1300)
    assert intervals({"": Figure(rows)})[""] == pytest.approx(whole[""], abs=1e-12)


@pytest.mark.parametrize("questions", [1, 5])
def test_nineteen_of_twenty_intervals_hold_the_truth(questions):
    """Right answers to questions that all depend on how hard their picture is: the mean of the hardness is the truth."""
    rng, pictures, hits, trials = np.random.default_rng(4), 120, 0, 300
    for _ in range(trials):
        hardness = rng.beta(2, 1, size=(pictures, 1))
        right = rng.random((pictures, questions)) < hardness
        low, high = intervals({"": Figure(right.ravel(), np.repeat(np.arange(pictures), questions))})[""]
        hits += low <= 2 / 3 <= high
    assert hits / trials == pytest.approx(LEVEL, abs=0.03)
