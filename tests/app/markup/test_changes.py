"""Bars of change: what is better, what is worse, and what nobody knows."""

import pytest

from app.markup.changes import Change, bar, legend, without


@pytest.mark.parametrize(
    ("change", "kind", "points"),
    [
        (Change(0.87, 0.95), "worse", "-8 points"),
        (Change(0.96, 0.95), "better", "+1 point"),
        (Change(0.951, 0.949), "same", "no change"),
        (Change(0.43, 1.0, thrifty=True), "better", "-57 %"),
        (Change(0.93, 0.95, sure=False), "same", "-2 points"),
        (Change(0.96, 0.995), "worse", "-3.5 points"),  # as the two figures are written
    ],
)
def test_a_change_has_a_sign_and_a_colour(change, kind, points):
    assert (change.kind, change.points) == (kind, points)
    assert f"mf-{kind}" in bar(change)


def test_the_stretch_is_what_was_lost_and_the_mark_is_the_other_method():
    drawn = bar(Change(0.3, 0.9, "right answers", ("<b>", 0.5)))
    assert "left:30.0%;width:60.0%" in drawn and '<b style="left:90.0%">' in drawn
    assert "left:50.0%" in drawn and "&lt;b&gt; 50\u00a0%" in drawn


def test_what_was_not_measured_is_no_change():
    for kind in ("better", "worse"):
        assert f"mf-{kind}" not in without("right answers")
    assert "<i" not in legend("<i>")
