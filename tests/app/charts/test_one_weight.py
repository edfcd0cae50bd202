"""The charts of one weight show its numbers."""

import json

import pytest

from app.charts import DARK, LIGHT
from app.charts.fates import Fates
from app.charts.neighbours import Neighbours
from app.charts.rulers import Ruler, Rulers

RULERS = Rulers(
    (
        Ruler("size |w|", 0.10, "after 10 % of 36.9 k", rivals=True),
        Ruler("input 3", 0.99, "busiest", used=False),
        Ruler("output 9", 0.40, "77th quietest", used=False),
        Ruler("score", 0.69, "after 69 % of 36.9 k: kept", rivals=True),
    ),
    0.63,
    True,
)
FATES = Fates((("OMP", 0.09), ("MULTIFLOW", 0.81), ("Wanda", 0.63)), 0.63, "MULTIFLOW")
NEAR = Neighbours(
    (4, 5), (7, 8, 9), ((0.5, -1.0, 0.1), (0.2, 0.0, -2.0)), ((True, True, False), (False, False, True)), 2, 4, 8
)
SIDE = 15
LARGE = Neighbours(
    tuple(range(3000, 3000 + SIDE)),
    tuple(range(700, 700 + SIDE)),
    ((-0.012345678,) * SIDE,) * SIDE,
    ((True,) * SIDE,) * SIDE,
    0,
    3007,
    707,
)
CHARTS = {"rulers": RULERS, "fates": FATES, "neighbours": NEAR, "large neighbours": LARGE}


@pytest.fixture(params=CHARTS.values(), ids=CHARTS.keys())
def chart(request):
    return request.param


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
def test_template_axes_and_size(chart, palette):
    figure = chart.figure(palette)
    assert figure.layout.template == palette.template
    assert all(axis.title.text for axis in figure.select_xaxes())
    assert 100 < figure.layout.height < 700
    assert len(figure.to_json()) < 60_000 and "#000001" not in figure.to_json()


def test_words_and_table(chart):
    for text in (chart.title(), chart.describe()):
        assert len(text) > 15 and "nan" not in text and "None" not in text and "\n" not in text
    assert len(chart.title()) < 90
    table = chart.table()
    assert len({len(column) for column in table.values()}) == 1
    json.dumps(table)


def test_rulers_shade_what_goes_on_those_that_compete():
    figure = RULERS.figure(LIGHT)
    assert figure.data[0].x == (10, 99, 40, 69)
    assert figure.data[0].marker.color == (LIGHT.pruned, LIGHT.muted, LIGHT.muted, LIGHT.pruned)
    shaded = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(shape.x1, (shape.y0 + shape.y1) / 2) for shape in shaded] == [(63, 0), (63, 3)]
    assert RULERS.title() == "By size 10 % of its rivals go before it, by score 69 %; 63 % have to go"


def test_a_bar_ends_where_the_weight_goes():
    figure = FATES.figure(LIGHT)
    assert figure.data[0].x == (81, 63, 9) and figure.data[0].y == ("<b>MULTIFLOW</b>", "Wanda", "OMP")
    assert figure.layout.shapes[0].x0 == 63
    assert (
        FATES.title() == "At 63 % 1 of 3 methods keep it; MULTIFLOW until 81.0 %"
    )  # pruned at its critical sparsity itself
    assert FATES.table()["now"] == ["kept", "pruned", "pruned"]
    assert "every method" in Fates(FATES.rows, 0.05, "OMP").title() and "no method" in Fates(FATES.rows, 1, "").title()


def test_neighbours_cross_out_what_is_pruned():
    figure = NEAR.figure(LIGHT)
    cells, clicks = figure.data
    assert [list(row) for row in cells.z] == [[0.5, 1.0, 0.1], [0.2, 0.0, 2.0]]
    assert [list(row) for row in cells.text] == [["", "", "×"], ["×", "×", ""]]
    assert [data[0] for data in clicks.customdata] == ["4,7", "4,8", "4,9", "5,7", "5,8", "5,9"]
    frame = figure.layout.shapes[0]
    assert (frame.x0 + frame.x1, frame.y0 + frame.y1) == (2, 0)
    assert NEAR.title() == "Of 6 weights around it 3 are pruned; size alone would choose 2 of them otherwise"
