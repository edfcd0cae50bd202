"""The pictures of a block's flow, dense and pruned, differ in colour only; the lines say what is left."""

import json

import numpy as np
import pytest

from app.charts import DARK, LIGHT
from app.charts.flow import BlockFlow
from app.charts.retained import Retained

# two hidden neurons, one input, one output shown; of the layers' whole flow, 1.0 each
FLOW = (np.array([[0.10, 0.30], [0.05, 0.15], [0.1, 0.3]]), np.array([[0.20, 0.10, 0.1], [0.20, 0.10, 0.3]]))
CUT = (np.array([[0.00, 0.20], [0.05, 0.05], [0.1, 0.1]]), np.array([[0.00, 0.10, 0.1], [0.10, 0.00, 0.3]]))
DENSE, PRUNED = (
    BlockFlow(who, pruned, ("fc1", "fc2"), (7,), (40, 3), (5,), FLOW, CUT)
    for who, pruned in (("Dense", False), ("MULTIFLOW at 63 %", True))
)
RETAINED = Retained("MULTIFLOW", (1.0, 0.9, 0.0), (1.0, 0.6, 0.0), 0.5, ("OMP", (1.0, 0.7, 0.0), (1.0, 0.5, 0.0)))
LARGE = BlockFlow(
    "Dense",
    False,
    ("fc1", "fc2"),
    tuple(range(12)),
    tuple(range(12)),
    tuple(range(12)),
    (np.full((13, 13), 1 / 169),) * 2,
    (np.full((13, 13), 1 / 400),) * 2,
)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
@pytest.mark.parametrize("chart", [DENSE, PRUNED, LARGE, RETAINED])
def test_template_words_table_and_size(chart, palette):
    figure = chart.figure(palette)
    assert figure.layout.template == palette.template
    assert 100 < figure.layout.height < 800
    assert len(figure.to_json()) < 500_000 and "#000001" not in figure.to_json()
    for text in (chart.title(), chart.describe()):
        assert len(text) > 15 and "nan" not in text and "None" not in text and "\n" not in text
    assert len({len(column) for column in chart.table().values()}) == 1
    json.dumps(chart.table())


def bands(chart):
    """{(from, to): [(width, opacity), ...]}"""
    (trace,) = chart.figure(LIGHT).data
    found = {}
    for source, target, value, color in zip(trace.link.source, trace.link.target, trace.link.value, trace.link.color):
        key = trace.node.label[source], trace.node.label[target]
        found.setdefault(key, []).append((value, float(color.rstrip(")").split(",")[3])))
    return found


def test_both_pictures_have_the_same_links_in_the_same_places():
    dense, pruned = (chart.figure(LIGHT).data[0] for chart in (DENSE, PRUNED))
    for part in ("source", "target", "value"):
        assert dense.link[part] == pruned.link[part]
    assert (dense.node.x, dense.node.y, dense.node.label) == (pruned.node.x, pruned.node.y, pruned.node.label)
    assert dense.node.label == (
        "input 7",
        "hidden 40",
        "all other inputs",
        "hidden 3",
        "output 5",
        "all other outputs",
    )


def test_what_is_cut_is_faint_in_the_dense_picture_and_absent_from_the_pruned_one():
    assert DENSE.scale() == 2  # others: 0.75 of flow, strongest: 0.45
    links, after = bands(DENSE), bands(PRUNED)
    # 0.6 of the first layer's flow passes the two hidden neurons
    assert links["input 7", "hidden 40"] == [(pytest.approx(0.10 / 0.6), 0.55)]
    assert links["input 7", "hidden 3"] == [(pytest.approx(0.05 / 0.6), 0.14)]
    assert after["input 7", "hidden 3"] == [(pytest.approx(0.05 / 0.6), 0.0)]
    assert links["all other inputs", "hidden 40"] == [
        (pytest.approx(0.05 / 0.6), 0.55),
        (pytest.approx(0.1 / 0.6), 0.14),
    ]
    assert after["hidden 40", "all other outputs"] == [
        (pytest.approx(0.05 / 0.6), 0.55),
        (pytest.approx(0.05 / 0.6), 0.0),
    ]
    assert "1/2 of their width" in [a.text for a in DENSE.figure(LIGHT).layout.annotations][-1]


def test_nodes_do_not_overlap():
    for chart in (DENSE, LARGE):
        trace = chart.figure(LIGHT).data[0]
        for x in (0.001, 0.5, 0.999):
            y = [b for a, b in zip(trace.node.x, trace.node.y) if a == x]
            assert y and all(0 < v < 1 for v in y) and np.diff(y).min(initial=1) > 0


def test_flow_titles_count_what_is_left():
    assert DENSE.title() == "Dense: 60 % of the flow passes the 2 strongest hidden neurons"
    # first layer: 0.15 of strong flow, 0.05 cut; second: 0.3, 0.1 cut
    assert PRUNED.title() == "MULTIFLOW at 63 %: 67 % of the flow between them is left"
    assert "hidden 40 to output 5 20 %" in PRUNED.describe()
    table = PRUNED.table()
    assert table["flow"][0] == 0.1 and table["from"][0] == "input 7" and sum(table["cut"]) == pytest.approx(0.3 + 0.2)


def test_a_link_without_flow_keeps_its_place():
    none = np.zeros((2, 2))
    dead = BlockFlow("Dense", False, ("fc1", "fc2"), (0,), (0,), (0,), (none, none), (none, none))
    assert all(len(b) == 1 and 0 < b[0][0] < 1e-6 for b in bands(dead).values())
    assert dead.title() == "Dense: 0 % of the flow passes the 1 strongest hidden neurons"


def test_retained_lines():
    figure = RETAINED.figure(LIGHT)
    assert [list(t.y) for t in figure.data] == [[100, 90, 0], [100, 60, 0], [100, 70, 0], [100, 50, 0]]
    assert [t.line.color for t in figure.data] == [LIGHT.pruned] * 2 + [LIGHT.muted] * 2
    assert figure.layout.shapes[0].x0 == 50
    assert RETAINED.title() == "The strongest paths outlast the others: 90 % against 60 % of all flow"
    even = Retained("Random", (1.0, 0.5, 0.0), (1.0, 0.5, 0.0), 0.5)
    assert "go no later" in even.title() and len(even.figure(LIGHT).data) == 2
    assert [Retained("A", (1.0, 0.0), (1.0, 0.0), s).title() for s in (0.0, 1.0)] == [
        "Everything flows",
        "Nothing flows any more",
    ]
