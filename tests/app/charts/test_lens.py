"""The lens and the lists beside it show exactly what their data says."""

import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from app.charts import DARK, LIGHT
from app.charts.lens import VIEWS, Lens, Strip
from app.charts.neurons import SHOWN, TopNeurons

# 4 outputs by 6 inputs, in cells of 2 x 2; output 1 and inputs 4 and 5 are dead
OUTPUTS = Strip("output", np.array([0, 2, 4]), np.array([2.0, 3.0]), np.array([1.0, 0.0]), 2, 1, 4)
INPUTS = Strip("input", np.array([0, 2, 4, 6]), np.array([1.0, 5.0, 0.5]), np.array([0.0, 0.0, 2.0]), 1, 2, 6)
CELLS = np.array([[0.25, 0.5, 0.0], [1.0, 0.75, 0.125]])
EXTREMES = np.array([[0.5, 0.5, 0.25], [1.0, 1.0, 0.5]])
LENS = Lens("vision 3 fc1", "vision", "signal", OUTPUTS, INPUTS, CELLS, EXTREMES, 0.63, ("MULTIFLOW", "OMP"), (3, 2))
SINGLE = Lens(
    "text 0 query",
    "text",
    "mask",
    Strip("output", np.array([7, 8]), np.ones(1), np.zeros(1), 1, 0, 9),
    Strip("input", np.arange(40, 43), np.ones(2), np.array([0, 1]), 5, 1, 64),
    np.array([[1.0, 0.0]]),
    np.array([[1.0, 0.0]]),
    0.5,
)
TOP = TopNeurons("input", "vision", tuple((100 + n, 20.0 - n, n / 20) for n in range(20)), 210.0)


def views(lens: Lens) -> dict[str, Lens]:
    return {view: replace(lens, view=view) for view in VIEWS}


CHARTS = views(LENS) | {f"single {v}": lens for v, lens in views(SINGLE).items()} | {"top": TOP}


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
@pytest.mark.parametrize("name", CHARTS)
def test_template_axes_words_and_table(name, palette):
    chart = CHARTS[name]
    figure = chart.figure(palette)
    assert isinstance(figure, go.Figure)
    assert figure.layout.template == palette.template
    if isinstance(chart, Lens):
        titles = [axis.title.text for axis in [*figure.select_xaxes(), *figure.select_yaxes()]]
        assert titles == ["input neuron", "output saliency", "output neuron", "input saliency"]
    assert 100 < figure.layout.height < 700
    for text in (chart.title(), chart.describe()):
        assert len(text) > 15 and "nan" not in text and "None" not in text and "\n" not in text
    assert len(chart.title()) < 120
    table = chart.table()
    assert len({len(column) for column in table.values()}) == 1
    json.dumps(table)


@pytest.mark.parametrize("view", VIEWS)
def test_a_full_picture_fits_its_budget(view):
    outputs = Strip("output", np.arange(0, 3073, 32), np.ones(96), np.ones(96), 1, 96, 3072)
    inputs = Strip("input", np.arange(0, 769, 6), np.ones(128), np.ones(128), 1, 128, 768)
    cells = np.random.default_rng(0).random((96, 128))
    figure = Lens("vision 11 fc1", "vision", view, outputs, inputs, cells, cells, 0.9).figure(LIGHT)
    assert len(figure.to_json()) < 500_000


def heat(lens: Lens):
    return lens.figure(LIGHT).data[0]


def test_cells_lie_at_the_first_neuron_of_each():
    trace = heat(LENS)
    assert (trace.x0, trace.dx, trace.y0, trace.dy) == (0, 2, 0, 2)
    assert np.array_equal(trace.z, CELLS.astype(np.float32))
    figure = LENS.figure(LIGHT)
    assert figure.layout.xaxis.range == (-1, 5) and figure.layout.yaxis.range == (3, -1)  # row 0 is on top
    top, left = figure.data[1], figure.data[2]
    assert list(top.x) == [0, 2, 4] and list(top.y) == [1, 5, 0.5] and top.xaxis is None and top.yaxis == "y2"
    assert list(left.y) == [0, 2] and list(left.x) == [2, 3] and left.xaxis == "x2" and left.yaxis is None
    assert top.marker.color == LIGHT.modality["vision"]


def test_crosses_mark_dead_neurons():
    inputs, outputs = LENS.figure(LIGHT).data[3:5]
    assert list(inputs.x) == [4] and list(inputs.customdata) == [2] and inputs.yaxis == "y2"
    assert list(outputs.y) == [0] and list(outputs.customdata) == [1] and outputs.xaxis == "x2"
    assert inputs.marker.color == LIGHT.pruned
    alive = replace(LENS, inputs=replace(INPUTS, dead=np.zeros(3)), outputs=replace(OUTPUTS, dead=np.zeros(2)))
    assert len(alive.figure(LIGHT).data) == len(LENS.figure(LIGHT).data) - 2


def test_every_cell_can_be_clicked_and_says_its_numbers():
    trace = LENS.figure(LIGHT).data[-1]
    assert list(zip(trace.y, trace.x)) == [(0, 0), (0, 2), (0, 4), (2, 0), (2, 2), (2, 4)]
    assert [row[0] for row in trace.customdata] == list(range(6))
    assert [row[1] for row in trace.customdata] == CELLS.ravel().tolist()
    assert [LENS.place(n) for n in range(6)] == list(zip(trace.y, trace.x))
    assert SINGLE.place(1) == (7, 41)
    assert trace.mode == "text" and trace.text is None  # nothing to draw
    assert "2 × 2 weights" in trace.hovertemplate and trace.hoverinfo is None
    shares = replace(LENS, view="mask").figure(LIGHT).data[-1]
    assert [row[1] for row in shares.customdata] == (100 * CELLS).ravel().tolist()
    assert "input %{x}" in SINGLE.figure(LIGHT).data[-1].hovertemplate


def test_colours_mean_what_they_mean_elsewhere():
    mask = heat(replace(LENS, view="mask"))
    assert (mask.zmin, mask.zmax) == (0, 100) and [c for _, c in mask.colorscale] == list(LIGHT.sparsity)
    assert np.array_equal(mask.z, (100 * CELLS).astype(np.float32))
    other = heat(replace(SINGLE, view="disagreement", methods=("MULTIFLOW", "OMP")))
    assert (other.zmin, other.zmax) == (-100, 100) and [c for _, c in other.colorscale][::2] == [*LIGHT.versus[::-1]]
    assert list(other.colorbar.ticktext) == ["OMP<br>only", "agreed", "MULTIFLOW<br>only"]


def test_a_pooled_difference_is_spread_over_what_there_is():
    trace = heat(replace(LENS, view="disagreement", cells=np.array([[0.0, 0.2, -0.1], [0.0, 0.0, 0.0]])))
    assert trace.zmax == -trace.zmin and 15 < trace.zmax <= 20
    assert trace.colorbar.ticktext[2].startswith("MULTIFLOW<br>+")


def test_scores_are_on_a_scale_of_powers():
    trace = heat(replace(LENS, view="score", cells=np.array([[1e-4, 1e-3, 0.0], [1.0, 1e-2, 1e-1]])))
    assert np.isnan(trace.z[0][2]) and trace.z[1][0] == 0 and trace.z[0][1] == np.float32(-3)
    assert list(trace.colorbar.tickvals) == [-3, -2, -1]
    flat = heat(replace(LENS, view="score", cells=np.zeros((2, 3))))
    assert flat.zmin < flat.zmax


def test_the_chosen_weight_is_framed():
    shapes = LENS.figure(
        LIGHT
    ).layout.shapes  # output 3 lies in the cell of outputs 2 and 3, input 2 in that of 2 and 3
    assert {(s.x0, s.x1, s.y0, s.y1) for s in shapes} == {(1, 3, 1, 3)}
    assert not replace(LENS, weight=(4, 2)).figure(LIGHT).layout.shapes
    assert not replace(LENS, weight=None).figure(LIGHT).layout.shapes


def test_ticks_are_round_and_inside():
    assert INPUTS.ticks() == [0, 1, 2, 3, 4, 5]
    assert replace(INPUTS, edges=np.array([96, 144, 192])).ticks() == [100, 120, 140, 160, 180]
    assert replace(INPUTS, edges=np.array([5, 6])).ticks() == [5]


def test_titles_state_the_finding():
    assert LENS.title() == (
        "vision 3 fc1: 63 % pruned; 1 of 6 inputs carry half of the saliency; 2 inputs and 1 output are dead"
    )
    assert SINGLE.title().endswith("1 input is dead")
    nothing = replace(LENS, inputs=replace(INPUTS, carriers=0, all_dead=0), outputs=replace(OUTPUTS, all_dead=0))
    assert nothing.title() == "vision 3 fc1: 63 % pruned; no input carries any saliency; no neuron is dead"
    # (2 + 2 + 1 + 4 + 4 + 2) of 24 weights
    assert "MULTIFLOW and OMP disagree on 62 %" in replace(LENS, view="disagreement").title()


def test_the_table_has_one_line_a_cell():
    table = LENS.table()
    assert table == {
        "from output": [0, 0, 0, 2, 2, 2],
        "from input": [0, 2, 4, 0, 2, 4],
        "mean |w| a": CELLS.ravel().tolist(),
        "largest": EXTREMES.ravel().tolist(),
    }
    assert list(SINGLE.table()) == ["from output", "from input", "pruned"]


def test_the_strongest_neurons():
    figure = TOP.figure(LIGHT)
    bars = figure.data[0]
    assert len(bars.x) == SHOWN and list(bars.customdata) == list(range(100, 100 + SHOWN))
    assert bars.y[1] == "input 101" and bars.x[1] == 19 and bars.text[1] == "5 % kept" and bars.text[0] == "dead"
    assert TOP.title() == "Input 100: 10 % of the saliency, no weight left"
    assert len(TOP.table()["saliency"]) == 20
    assert replace(TOP, total=0.0).title() == "No input carries any saliency"


def test_the_pointer_marks_the_row_and_the_column_up_to_their_bars():
    layout = LENS.figure(LIGHT).layout
    for axis in (layout.xaxis, layout.yaxis):
        assert axis.showspikes and axis.spikemode == "across" and axis.spikecolor == LIGHT.ink
    assert not layout.xaxis2.showspikes and not layout.yaxis2.showspikes
