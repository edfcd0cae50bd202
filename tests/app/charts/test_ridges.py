"""Ridges, quantiles and survival show exactly what their histograms say."""

import json

import numpy as np
import pytest

from app.charts import DARK, LIGHT
from app.charts.bins import Histogram
from app.charts.quantiles import QuantileLines
from app.charts.ridges import PEAK, Ridges
from app.charts.survival import Survival

EDGES = np.array([0.5, 1.0, 2.0, 4.0])
VISION = Histogram("vision", "vision", np.array([300, 100, 0]), np.array([0, 300, 100]), (2, 1), threshold=1.5)
TEXT = Histogram("text", "text", np.array([0, 0, 0]), np.array([0, 200, 600]))
RIDGES = Ridges("A finding of some length", "|w|", "modality", EDGES, (VISION, TEXT))
SURVIVAL = Survival("MULTIFLOW", EDGES, (VISION, TEXT), 0.08, 0.86)
QUANTILES = QuantileLines(
    ("vision", "text"), ((0.1, 0.2, 0.3), (0.2, 0.4, 0.9)), (0.1, 0.25, 0.9), ((0.0, 0.7, 1.0), (0.0, 0.3, 1.0)), 0.5
)


def blip_base() -> Ridges:
    """As many ridges and bins as the largest models have, all of them different."""
    bins = np.arange(400)
    edges = np.geomspace(1e-8, 1e2, 401)
    shape = [1e5 * np.exp(-(((bins - 150 - 2 * n) / 60) ** 2)) for n in range(48)]
    ridges = (
        Histogram(
            f"decoder {n}",
            ("vision", "text", "fusion")[n % 3],
            (0.4 * h).astype(int),
            (0.6 * h).astype(int),
            threshold=0.01,
        )
        for n, h in enumerate(shape)
    )
    return Ridges("A finding of some length", "|w|", "block", edges, tuple(ridges))


CHARTS = {"ridges": RIDGES, "blip base": blip_base(), "survival": SURVIVAL, "quantiles": QUANTILES}


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
def test_template_axes_words_table_and_size(chart, palette):
    figure = chart.figure(palette)
    assert figure.layout.template == palette.template
    assert all(axis.title.text for axis in [*figure.select_xaxes(), *figure.select_yaxes()])
    assert 100 < figure.layout.height < 800
    spec = figure.to_json()
    assert len(spec) < 500_000 and "#000001" not in spec
    for text in (chart.title(), chart.describe()):
        assert len(text) > 15 and "nan" not in text and "None" not in text and "\n" not in text
    assert len({len(column) for column in chart.table().values()}) == 1
    json.dumps(chart.table())


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def test_cut_is_hatched_below_and_kept_plain_above():
    figure = RIDGES.figure(LIGHT)
    cut, kept = [t for t in figure.data if t.fill == "toself" and len(t.x) > 1][:2]
    assert cut.fillpattern.shape == "/" and cut.fillpattern.fgcolor == LIGHT.modality["vision"]
    assert kept.fillpattern.shape is None and kept.fillcolor == LIGHT.modality["vision"]
    # three bins of equal width: heights go with the counts, the highest bin (400 weights) fills PEAK of row 1
    high = [1 + PEAK * n / 400 for n in (300, 400, 100)]
    low = [1 + PEAK * n / 400 for n in (300, 100, 0)]
    assert cut.y[:3] == pytest.approx(low, abs=1e-6) and list(cut.y[3:6]) == [1, 1, 1]
    assert kept.y[:3] == pytest.approx(high, abs=1e-6) and kept.y[3:6] == pytest.approx(low[::-1], abs=1e-6)
    assert np.isnan(cut.y[6]) and cut.x[:3] == pytest.approx(np.sqrt(EDGES[:-1] * EDGES[1:]), rel=1e-6)
    outline = named(figure, "vision")[0]
    assert outline.customdata.tolist() == [[300, 100], [400, 25], [100, 0]]


def test_only_a_known_threshold_is_drawn():
    figure = RIDGES.figure(LIGHT)
    (line,) = named(figure, "threshold")
    assert line.x[:2] == (1.5, 1.5) and len(line.x) == 3
    assert not named(Ridges("", "|w|", "modality", EDGES, (TEXT,)).figure(LIGHT), "threshold")


def test_labels_say_the_share_cut_zeros_included():
    texts = [a.text for a in RIDGES.figure(LIGHT).layout.annotations]
    assert texts == ["50 % cut", "0 % cut"] and VISION.sparsity == 402 / 803


def test_the_ridges_table_has_every_weight():
    table = RIDGES.table()
    assert list(zip(*table.values())) == [
        ("vision", 0.0, 0.0, 3, 2),
        ("vision", 0.5, 4.0, 800, 400),
        ("text", 0.5, 4.0, 800, 0),
    ]
    large = blip_base()
    assert sum(large.table()["weights"]) == sum(int(r.total.sum()) for r in large.ridges)


def test_nothing_to_draw_is_no_error():
    empty = Histogram("vision", "vision", np.zeros(0, int), np.zeros(0, int), (7, 0))
    chart = Ridges("Everything is zero", "|w|", "modality", np.array([1.0]), (empty,))
    assert chart.table()["weights"] == [7] and "100 % cut" in chart.describe()
    assert chart.figure(LIGHT).layout.xaxis.title.text == "|w|"
    assert Survival("OMP", np.array([1.0]), (empty,), 0, 1).figure(DARK).data[0].name == "vision"


def test_survival_is_the_share_kept_where_there_are_enough():
    vision, text = SURVIVAL.figure(LIGHT).data
    assert list(vision.y) == [0, 75, 100] and list(text.y) == [100, 100]
    assert list(text.x) == pytest.approx([np.sqrt(2), np.sqrt(8)])
    assert [s.x0 for s in SURVIVAL.figure(LIGHT).layout.shapes] == [1.5]
    assert "half are kept from |w| = 1.4 on" in SURVIVAL.describe()
    assert SURVIVAL.title() == "MULTIFLOW keeps 8 % of what magnitude would cut, 86 % of the rest"
    few = Histogram("text", "text", np.array([0, 3, 0]), np.array([0, 26, 900]))
    assert len(Survival("OMP", EDGES, (few,), 0, 1).figure(LIGHT).data[0].x) == 1


def test_quantiles_say_who_pays():
    assert QUANTILES.title() == "One threshold on size is not fair: it takes 70 % of vision and 30 % of text"
    figure = QUANTILES.figure(LIGHT)
    assert [t.name for t in figure.data if t.showlegend is None] == [
        "vision: 70 % under the dashed line",
        "text: 30 % under the dashed line",
    ]
    dashed, dotted = figure.layout.shapes
    assert dashed.y0 == 0.25 and dotted.x0 == 50
    circles = [(t.x[0], t.y[0]) for t in figure.data if t.mode == "markers" and t.marker.symbol is None]
    assert circles == [(70, 0.25), (30, 0.25)]
    diamonds = [(t.x[0], t.y[0]) for t in figure.data if t.marker.symbol == "diamond"]
    assert diamonds == [(50, 0.2), (50, 0.4)]
    over = [list(t.y) for t in figure.data if t.yaxis == "y2"]
    assert over == [pytest.approx([0, 20, 0]), pytest.approx([0, -20, 0])]


def test_quantiles_of_an_even_model_and_at_the_ends():
    even = QuantileLines(QUANTILES.modalities, QUANTILES.sizes, QUANTILES.common, ((0, 0.51, 1), (0, 0.49, 1)), 0.5)
    assert even.title() == "One threshold on size is nearly fair: it takes 51 % of vision and 49 % of text"
    equal = QuantileLines(QUANTILES.modalities, QUANTILES.sizes, QUANTILES.common, ((0, 0.5, 1), (0, 0.502, 1)), 0.5)
    assert equal.title() == "One threshold on size is fair: it takes 50 % of every modality"
    dense = QuantileLines(QUANTILES.modalities, QUANTILES.sizes, QUANTILES.common, QUANTILES.under, 0.0)
    assert dense.title() == "The median weight of text is 2 times that of vision"
    alone = QuantileLines(("unknown",), ((0.1, 0.2, 0.3),), (0.1, 0.2, 0.3), ((0, 0.5, 1),), 0.5)
    assert alone.title() == "Half the weights of unknown are smaller than 0.2"


def test_quantiles_of_a_checkpoint_that_was_pruned_before():
    pruned = QuantileLines(("vision", "text"), ((0, 0, 0.3), (0, 0.2, 0.4)), (0, 0, 0.4), ((0, 0.5, 1),) * 2, 0.5)
    assert pruned.title().startswith("Half the weights of vision are exactly zero")
    layout = pruned.figure(LIGHT).layout
    assert layout.yaxis.range == pytest.approx(np.log10([0.2, 0.4])) and len(layout.shapes) == 1
