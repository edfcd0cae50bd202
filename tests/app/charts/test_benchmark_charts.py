"""Wins, mean ranks and recovery as charts: what they say, and what they draw."""

import pytest

from app.charts import DARK, LIGHT
from app.charts.mean_ranks import MeanRanks
from app.charts.recovery import Recovery
from app.charts.wins import Wins

WINS = Wins("A wins", (("A", 3, 1), ("B <b>", 0, 2)), 6, "A")
RANKS = MeanRanks("A is ahead", (("A", 1.5), ("B", 2.0), ("C", 4.0)), 1.0, 9, "B")
CURVES = Recovery("VQA", 0.75, (("A", ((0, 0.1), (10, 0.5))), ("B", ((0, 0.2), (10, 0.3), (20, 0.6)))), 0.9, "A")


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda palette: palette.name)
@pytest.mark.parametrize("chart", [WINS, RANKS, CURVES], ids=lambda chart: type(chart).__name__)
def test_a_chart_has_all_that_a_page_needs(chart, palette):
    assert chart.figure(palette).data and chart.title() and chart.describe().endswith(".")
    assert len({len(column) for column in chart.table().values()}) == 1


def test_wins_are_stacked_clear_ones_first():
    clear, near = WINS.figure(LIGHT).data
    assert list(clear.x) == [3, 0] and list(near.x) == [1, 2] and "&lt;b&gt;" in clear.y[1]


def test_bars_reach_half_the_critical_difference():
    *bars, dots = RANKS.figure(LIGHT).data
    assert [tuple(bar.x) for bar in bars] == [(1.0, 2.0), (1.5, 2.5), (3.5, 4.5)] and list(dots.x) == [1.5, 2.0, 4.0]
    assert RANKS.table()["told apart from the first"] == ["no", "no", "yes"]


def test_the_dense_model_has_a_line_with_its_name():
    *methods, dense = CURVES.figure(LIGHT).data
    assert [line.name for line in methods] == ["A", "B"]
    assert (dense.name, tuple(dense.x), tuple(dense.y)) == ("dense", (0, 20), (90.0, 90.0))
    assert len(Recovery("VQA", 0.75, CURVES.lines, None, "A").figure(LIGHT).data) == 2


def test_who_recovers_first_is_who_is_half_way_first():
    assert CURVES.title() == "VQA at 75 %: A is first half-way to the dense model, after 10 steps"
    there = Recovery("VQA", 0.75, (("A", ((0, 0.5), (10, 0.6))),), 0.9, "A")
    assert there.title() == "VQA at 75 %: A is first half-way to the dense model, before the first step"
    slow = Recovery("VQA", 0.75, (("A", ((0, 0.1), (10, 0.2))),), 0.9, "A")
    assert "nobody comes half-way" in slow.title()


def test_who_are_half_way_at_the_same_check_are_named_together():
    soon, late = ((0, 0.1), (10, 0.5)), ((0, 0.1), (10, 0.2), (20, 0.6))
    level = Recovery("VQA", 0.75, (("A", soon), ("B", late), ("C", soon)), 0.9, "A")
    assert level.title() == "VQA at 75 %: A and C are first half-way to the dense model, after 10 steps"
    assert Recovery("VQA", 0.75, (("A", soon), ("C", soon)), 0.9, "A").title() == (
        "VQA at 75 %: all are half-way to the dense model after 10 steps"
    )
