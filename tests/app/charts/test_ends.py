"""Names at the ends of lines."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.ends import Ends, apart


def test_names_that_would_touch_are_moved_alike():
    assert apart([40, 41, 42], 10, 100) == pytest.approx([31, 41, 51])


@given(st.lists(st.floats(0, 100), max_size=9))
def test_names_never_touch_and_stay_in_the_chart(values):
    values.sort()
    places = apart(values, 11, 100)
    assert all(b - a >= 11 - 1e-9 for a, b in itertools.pairwise(places))
    assert all(-1e-9 <= place <= 100 + 1e-9 for place in places)
    if all(b - a >= 11 for a, b in itertools.pairwise(values)):
        assert places == pytest.approx(values)


def test_a_name_has_the_colour_of_its_line_and_is_led_to():
    ends = Ends(430, 104)
    ends.add("OMP", 90, 2, "#111111")
    ends.add("MULTIFLOW", 95, 1, "#222222", strong=True)
    labels, leaders = ends.drawn()
    assert [label["text"] for label in labels] == ["<b>MULTIFLOW</b>", "OMP"]
    assert [(label["font"]["color"], leader["line"]["color"]) for label, leader in zip(labels, leaders)] == [
        ("#222222", "#222222"),
        ("#111111", "#111111"),
    ]
    assert [leader["y1"] for leader in leaders] == [label["y"] for label in labels] and leaders[0]["y0"] == 1
