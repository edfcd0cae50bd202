"""The charts of all layers, small ones worked out by hand and one of a full-size model."""

import json

import pytest

from app.charts import DARK, LIGHT
from app.charts.layer_bars import LayerBar, LayerBars
from app.charts.layer_curves import LayerCurve, LayerCurves

BARS = LayerBars(
    "OMP",
    (
        LayerBar("v.qkv", "vision 0 qkv", "vision 0", "vision", 0.7),
        LayerBar("v.fc1", "vision 0 fc1", "vision 0", "vision", 0.5),
        LayerBar("t.fc1", "text 0 fc1", "text 0", "text", 0.6),
    ),
    0.63,
    "t.fc1",
    ("vision 0 qkv", 0.8),
)
CURVES = LayerCurves(
    (
        LayerCurve("v.qkv", "vision 0 qkv", "vision", 0.7, (0.0, 0.2, 0.5, 0.9, 1.0)),
        LayerCurve("v.fc1", "vision 0 fc1", "vision", 0.5, (0.0, 0.1, 0.4, 0.6, 1.0)),
        LayerCurve("t.fc1", "text 0 fc1", "text", 0.6, (0.0, 0.2, 0.5, 0.8, 1.0)),
    ),
    (0.75, 0.94, 0.875),
    0.63,
    "t.fc1",
)
NAMES = [
    (f"{part}.layer.{n}.attention.self.role{role}.weight", f"{part} {n} role {role}", f"{part} {n}", modality)
    for part, modality in (("vision", "vision"), ("text", "text"), ("decoder", "text"))
    for n in range(12)
    for role in range(8)
]
LARGE_BARS = LayerBars("OMP", tuple(LayerBar(*name, 0.63) for name in NAMES), 0.63, NAMES[0][0])
LARGE_CURVES = LayerCurves(
    tuple(
        LayerCurve(key, name, modality, 0.63123, tuple((i / 100) ** 1.1 for i in range(101)))
        for key, name, _, modality in NAMES
    ),
    (0.9,) * len(NAMES),
    0.63,
    NAMES[-1][0],
)
CHARTS = {"bars": BARS, "curves": CURVES, "large bars": LARGE_BARS, "large curves": LARGE_CURVES}


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
def test_template_axes_words_and_size(chart, palette):
    figure = chart.figure(palette)
    assert figure.layout.template == palette.template
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    assert len(figure.to_json()) < 500_000
    for text in (chart.title(), chart.describe()):
        assert len(text) > 15 and "nan" not in text and "None" not in text
    table = chart.table()
    assert len({len(column) for column in table.values()}) == 1
    json.dumps(table)


def test_the_large_charts_are_as_large_as_a_full_model():
    assert len(NAMES) == 288


def test_bars_are_in_the_order_of_the_model():
    vision, text, pointer = BARS.figure(LIGHT).data
    assert (list(vision.x), list(vision.y), list(text.x), list(text.y)) == ([0, 1], [70, 50], [2], [60])
    assert (vision.marker.color, text.marker.color) == (LIGHT.modality["vision"], LIGHT.modality["text"])
    assert list(vision.customdata) == ["v.qkv", "v.fc1"]
    assert list(pointer.x) == [2]
    axis = BARS.figure(LIGHT).layout.xaxis
    assert (list(axis.tickvals), list(axis.ticktext)) == ([0.5, 2], ["0<br>vision", "0<br>text"])


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "OMP empties vision 0 qkv first: 90 % of it is gone at a target of 80 %"),
        ({"first": None}, "OMP takes most of vision 0 qkv: 70 % at a target of 63 %"),
        ({"first": None, "layers": BARS.layers[2:]}, "OMP takes the same share of every layer: 60 %"),
    ],
)
def test_bars_name_what_goes_first(changes, title):
    assert LayerBars(**vars(BARS) | changes).title() == title


def test_curves_show_every_layer_and_the_selected_one_strongly():
    *lines, vision, text, even, strong, ring, dots = CURVES.figure(LIGHT).data
    assert [line.line.color for line in lines] == [LIGHT.modality[m] for m in ("vision", "vision", "text")]
    assert list(lines[0].y) == [0, 20, 50, 90, 100] and (lines[0].x0, lines[0].dx) == (0, 25)
    assert [(entry.name, entry.line.color) for entry in (vision, text)] == list(LIGHT.modality.items())[:2]
    assert list(even.x) == list(even.y) == [0, 100]
    assert list(strong.y) == list(lines[2].y) and strong.line.width > 2 * lines[2].line.width
    assert (list(ring.x), list(ring.y), ring.hoverinfo) == ([63], [60], "skip")
    assert list(dots.y) == [70, 50, 60] and set(dots.x) == {63} and list(dots.customdata) == ["v.qkv", "v.fc1", "t.fc1"]
    assert "text 0 fc1" in lines[2].hovertemplate


def test_curves_say_when_the_selected_layer_goes():
    assert CURVES.title() == "text 0 fc1 is 90 % pruned at a target of 88 %, 2nd of 3"
    assert "it has lost 60 %" in CURVES.describe()


def test_the_table_of_curves_shows_every_tenth_of_the_way():
    table = LARGE_CURVES.table()
    assert table["at 50 %"][0] == LARGE_CURVES.layers[0].sparsity[50]
    assert table["at 100 %"][0] == 1
