"""Charts show exactly what their data says."""

import json
import re

import plotly.graph_objects as go
import pytest

from app.charts import DARK, LIGHT, picking
from app.charts.curves import Ability, AbilityCurves
from app.charts.heatmap import SparsityGrid
from app.charts.modalities import ModalityShares
from app.look.words import percent

GRID = SparsityGrid(
    "text",
    blocks=("text 0", "text 1"),
    roles=("query", "cross key", "fc1"),
    size=((100, 100), (None, 100), (400, 400)),
    pruned=((50, 60), (None, 0), (399, 400)),
    keys=(("t.0.q", "t.1.q"), (None, "t.1.k"), ("t.0.fc1", "t.1.fc1")),
    selected="t.0.fc1",
)
SHARES = ModalityShares(("vision", "text"), (0.9, 0.36), 0.63, "OMP", "MULTIFLOW", (0.63, 0.63))
CURVES = AbilityCurves(
    (
        Ability(
            "Finding",
            "right first",
            0.9,
            (("OMP", ((0.3, 0.8), (0.63, 0.1))), ("MULTIFLOW", ((0.3, 0.85), (0.63, 0.5)))),
        ),
        Ability(
            "Describing", "true", 0.8, (("OMP", ((0.3, 0.7), (0.63, 0.2))), ("MULTIFLOW", ((0.3, 0.6), (0.63, 0.1))))
        ),
    ),
    "MULTIFLOW",
    0.6,
)
BLIP_BASE = SparsityGrid(
    "text",
    tuple(f"{part} {n}" for part in ("text", "decoder") for n in range(12)),
    tuple(f"role {n}" for n in range(10)),
    ((590_000,) * 24,) * 10,
    ((123_456,) * 24,) * 10,
)
CHARTS = {"grid": GRID, "shares": SHARES, "curves": CURVES, "large grid": BLIP_BASE}


@pytest.fixture(params=CHARTS.values(), ids=CHARTS.keys())
def chart(request):
    return request.param


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
def test_template_axes_and_size(chart, palette):
    figure = chart.figure(palette)
    assert isinstance(figure, go.Figure)
    assert figure.layout.template == palette.template
    assert figure.layout.template.layout.font.color == palette.ink
    for axis in [*figure.select_xaxes(), *figure.select_yaxes()]:
        names_itself = isinstance(chart, ModalityShares) and axis.plotly_name == "yaxis"
        assert axis.title.text or names_itself
    assert 100 < figure.layout.height < 700
    assert len(figure.to_json()) < 500_000
    assert "#000001" not in figure.to_json()  # streamlit's placeholder colours


def test_the_two_themes_differ(chart):
    assert chart.figure(LIGHT).to_json() != chart.figure(DARK).to_json()


def test_words(chart):
    for text in (chart.title(), chart.describe()):
        assert len(text) > 15 and "nan" not in text and "None" not in text and "\n" not in text
    assert len(chart.title()) < 90


def test_the_table_has_equal_columns(chart):
    table = chart.table()
    assert len({len(column) for column in table.values()}) == 1
    json.dumps(table)


def bare(text):
    """Without the colour that is written for its ground."""
    return re.sub(r"</?span[^>]*>", "", text)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
def test_numbers_can_be_read_on_every_ground(palette):
    """WCAG asks for 4.5 between words and their ground."""
    for scale in (palette.scale, palette.divergence, [(0.0, palette.surface), (1.0, palette.dense)]):
        for share in (i / 40 for i in range(41)):
            below = max(part for part in scale if part[0] <= share)
            above = min(part for part in scale if part[0] >= share)
            way = (share - below[0]) / ((above[0] - below[0]) or 1)
            ends = [[int(part[1][i : i + 2], 16) for i in (1, 3, 5)] for part in (below, above)]
            ground = [a + way * (b - a) for a, b in zip(*ends, strict=True)]
            words = re.search(r"color:#(\w{6})", palette.written("7", scale, share))[1]
            lights = sorted(map(luminance, (ground, [int(words[i : i + 2], 16) for i in (0, 2, 4)])))
            assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5


def luminance(color):
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_heatmap_cells():
    trace = GRID.figure(LIGHT).data[0]
    assert [list(row) for row in trace.z] == [[50, 60], [None, 0], [99.75, 100]]
    assert [[bare(cell) for cell in row] for row in trace.text] == [["50", "60"], ["", "0"], ["99.8", "100"]]
    assert (trace.zmin, trace.zmax) == (0, 100)
    assert trace.x == GRID.blocks and trace.y == GRID.roles
    assert "text 1 fc1" in GRID.title() and "0 %" in GRID.title()
    assert GRID.table()["sparsity"] == [0.5, 0.6, 0.0, 0.9975, 1.0]


def test_heatmap_cells_can_be_clicked_and_the_selected_one_has_a_frame():
    figure = GRID.figure(LIGHT)
    cells, targets = figure.data
    assert cells.hoverinfo == "skip"  # it would swallow the click
    assert list(zip(targets.x, targets.y, targets.customdata)) == [
        ("text 0", "query", "t.0.q"),
        ("text 1", "query", "t.1.q"),
        ("text 1", "cross key", "t.1.k"),
        ("text 0", "fc1", "t.0.fc1"),
        ("text 1", "fc1", "t.1.fc1"),
    ]
    assert "99.75 % pruned" in targets.text[3] and targets.hovertemplate
    assert targets.marker.opacity == targets.selected.marker.opacity == targets.unselected.marker.opacity == 0
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (-0.5, 0.5, 1.5, 2.5)


def test_a_click_without_hover_is_still_a_click():
    assert picking.targets([1], [1], ["a"], 10)["hoverinfo"] == "none"  # "skip" would swallow it


def test_even_heatmap_says_so():
    even = SparsityGrid("vision", ("vision 0",), ("a", "b"), ((10,), (10,)), ((5,), (5,)))
    assert even.title() == "Vision: every layer loses 50 %"


def test_modality_bars():
    figure = SHARES.figure(LIGHT)
    assert figure.data[0].x == (90, 36) and figure.data[0].y == ("vision", "text")
    assert figure.data[0].marker.color == (LIGHT.modality["vision"], LIGHT.modality["text"])
    assert figure.data[1].x == (63, 63) and figure.data[1].name == "MULTIFLOW at the same total"
    assert figure.layout.shapes[0].x0 == 63
    assert "27.0 points" in SHARES.title() and "vision" in SHARES.title()
    assert len(ModalityShares(("a",), (0.5,), 0.5, "OMP").figure(LIGHT).data) == 1


def test_curves():
    figure = CURVES.figure(LIGHT)
    chosen = [t for t in figure.data if t.name == "MULTIFLOW"]
    assert [t.line.color for t in chosen] == [LIGHT.pruned] * 2
    assert chosen[0].x == (0, 30, 63) and chosen[0].y == (90, 85, 50)
    assert [t.xaxis for t in chosen] == ["x", "x2"]
    assert [s.x0 for s in figure.layout.shapes] == [60, 60]
    assert CURVES.title() == "Of OMP and MULTIFLOW, MULTIFLOW keeps most in 1 of 2 tasks at 63 %"
    dense = [t for t in figure.data if t.name == "dense"]
    assert [t.y[0] for t in dense] == [90, 80] and {t.line.color for t in dense} == {LIGHT.dense}


def test_curves_name_the_winner_when_it_is_another():
    omp = AbilityCurves(CURVES.abilities[:1], "OMP", 0.6)
    assert omp.title() == "Of OMP and MULTIFLOW, MULTIFLOW keeps most in 1 of 1 tasks at 63 %, OMP in none"


def test_curves_at_the_dense_end():
    curves = AbilityCurves(CURVES.abilities, "MULTIFLOW", 0.0)
    assert "dense" in curves.title()


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50 %"),
        (0.9991, "99.9 %"),
        (0.00004, "<0.01 %"),
        (0.99999, ">99.99 %"),
        (0.997, "99.7 %"),
    ],
)
def test_percent(fraction, text):
    assert percent(fraction) == text


def test_a_method_that_was_not_measured_is_not_said_to_lose():
    ability = Ability("Retrieval", "right", 0.99, (("OMP", ((0.5, 0.4),)), ("Wanda", ((0.5, 0.6),))))
    title = AbilityCurves((ability,), "OMP (text dense)", 0.5).title()
    assert title == "Of OMP and Wanda, Wanda keeps most in 1 of 1 tasks at 50 %, OMP (text dense) was not measured"


def test_shares_that_differ_are_not_called_the_same():
    kept = ModalityShares(("vision", "text"), (0.8, 0.0), 0.8, "OMP (text dense)")
    assert kept.title() == "OMP (text dense) takes 80 % of vision and 0 % of text"
    nearly = ModalityShares(("vision", "text"), (0.64, 0.62), 0.63, "OMP")
    assert nearly.title() == "OMP takes nearly the same share of every modality"
