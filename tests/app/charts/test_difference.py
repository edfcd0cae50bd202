"""The difference of two runs, and dots that are no methods."""

import json

import pytest

from app.charts import DARK, LIGHT
from app.charts.difference import DifferenceGrid
from app.charts.dots import CHANCE, Dots
from tests.app.charts.test_charts import bare

GRID = DifferenceGrid(
    ("MULTIFLOW at 63 %", "OMP at 63 %"),
    ("vision 0", "text 0"),
    ("fc1", "cross key"),
    ((0.5, 0.3), (None, 0.25)),
    ((0.4, 0.35), (None, 0.75)),
)
LARGE = DifferenceGrid(
    ("A", "B"),
    tuple(f"block {n}" for n in range(36)),
    tuple(f"role {n}" for n in range(14)),
    ((0.123456,) * 36,) * 14,
    ((0.654321,) * 36,) * 14,
)


def test_the_title_names_the_largest_difference_and_who_keeps_more():
    assert (
        GRID.title()
        == "OMP at 63 % keeps 75 % of text 0 cross key, MULTIFLOW at 63 % keeps 25 %: the largest difference"
    )
    same = DifferenceGrid(("X", "Y"), ("b",), ("r",), ((0.5,),), ((0.501,),))
    assert same.title() == "X and Y keep the same share of every layer"


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
def test_cells_are_points_of_density_on_a_scale_with_nothing_in_the_middle(palette):
    trace = GRID.figure(palette).data[0]
    assert trace.z[0] == pytest.approx((10.0, -5.0)) and list(trace.z[1]) == [None, -50.0]
    assert trace.zmin == -trace.zmax == -30
    assert trace.colorscale[1] == (0.5, palette.surface) and trace.colorscale[2] == (1.0, palette.versus[0])
    assert [bare(text) for text in trace.text[0]] == ["+10", "−5"] and not trace.showscale
    assert GRID.figure(palette).layout.template == palette.template


def test_a_large_grid_has_a_scale_instead_of_numbers_and_fits():
    trace = LARGE.figure(LIGHT).data[0]
    assert trace.showscale and trace.text is None
    assert len(LARGE.figure(LIGHT).to_json()) < 500_000


def test_table_and_words_hold_the_same_numbers():
    table = GRID.table()
    assert table["block"] == ["vision 0", "text 0", "text 0"] and table["OMP at 63 %"] == [0.4, 0.35, 0.75]
    assert "3 layers" in GRID.describe()
    twin = DifferenceGrid(("X", "X"), ("b",), ("r",), ((0.5,),), ((0.5,),))
    assert list(twin.table()) == ["block", "weight", "A", "B"]


def test_what_chance_gives_is_drawn_muted():
    dots = Dots("f", "kept", ("vision 0",), (("kept by both", (60.0,)), (CHANCE, (20.0,))), " %", kind="block")
    figure = dots.figure(LIGHT)
    assert [trace.marker.color for trace in figure.data] == [LIGHT.pruned, LIGHT.muted]
    assert figure.layout.yaxis.title.text == "block" and "block" in dots.table()
    assert len(json.loads(figure.to_json())["data"]) == 2
