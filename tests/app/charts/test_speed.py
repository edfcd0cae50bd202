"""Charts of speed say what their numbers say."""

import pytest

from app.charts import DARK, LIGHT
from app.charts.speed import Race, Runner, Trade

RUNNERS = (
    Runner("dense", "dense", 1.0, 1.0, 1.0, 0.99),
    Runner("2:4", "mask", 1.01, 0.95, 1.05, 0.5),
    Runner("neurons, 50 %", "neurons", 1.5, 1.4, 1.7, 0.9),
    Runner("Torch-Pruning, Taylor, 50 %", "peer", 1.5, 1.4, 1.6, 0.2),
)
RACE, TRADE = Race("looking at pictures", 8, RUNNERS), Trade("Retrieval", "right first", RUNNERS)


def test_the_race_by_its_numbers():
    assert RACE.title() == "Neurons, 50 %: 1.50 times as fast; zeros alone make nothing faster"
    (bars,) = RACE.figure(LIGHT).data
    assert list(bars.x) == [1.0, 1.01, 1.5, 1.5]
    assert list(bars.error_x.array) == pytest.approx([0, 0.04, 0.2, 0.1])
    assert list(bars.error_x.arrayminus) == pytest.approx([0, 0.06, 0.1, 0.1])
    assert RACE.table()["kind"][1] == "zeros in dense matrices"


def test_nothing_faster_is_said():
    assert Race("x", 1, RUNNERS[:2]).title() == "No model is faster than the dense one here"
    quick = Race("x", 1, (RUNNERS[0], Runner("2:4", "mask", 1.6, 1.5, 1.7)))
    assert quick.title() == "2:4: 1.60 times as fast"


def test_the_trade_has_a_dot_for_each_model_that_was_asked():
    assert TRADE.title() == "1.5 times as fast, 90 % right first"
    figure = TRADE.figure(LIGHT)
    assert {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data}["smaller matrices"] == ([1.5], [90.0])
    assert sum(len(trace.x) for trace in figure.data) == 4
    unknown = Trade("VQA", "right answers", (RUNNERS[0], Runner("neurons", "neurons", 2.0, 2.0, 2.0)))
    assert "was not measured" in unknown.title() and unknown.table()["model"] == ["dense"]


@pytest.mark.parametrize("chart", [RACE, TRADE], ids=["race", "trade"])
def test_both_themes_and_words(chart):
    assert chart.figure(LIGHT).to_json() != chart.figure(DARK).to_json()
    assert len(chart.title()) < 90 and len({len(column) for column in chart.table().values()}) == 1
    assert "1.5" in chart.describe()
