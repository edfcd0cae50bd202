"""Tables for notebooks: what they show, that names are text, and that they end."""

import re

import pytest

import multiflow_core as mf
from multiflow_core.models.vlm import ASSETS
from multiflow_core.support.tables import MOST, Share, table


def cells(html):
    return [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", html)]


def test_numbers_are_written_as_people_write_them():
    assert cells(table("A", ["x"], [[12345, 0.25, Share(0.25), "a<b"]])) == ["12,345", "0.250", "25.0 %", "a&lt;b"]
    assert "width:20px" in table("A", ["x"], [[Share(0.25)]])  # of 80


def test_a_long_table_ends():
    html = table("A", ["x"], [[i] for i in range(MOST + 7)])
    assert len(cells(html)) == MOST and "and 7 more" in html
    assert "more" not in table("A", ["x"], [[i] for i in range(MOST)])


@pytest.fixture(scope="module")
def held(vlm):
    return {"vlm": vlm, "layers": mf.prunable_layers(vlm.model), "order": mf.rank(vlm.model, "omp")}


def test_a_notebook_shows_a_model(held):
    shown = cells(held["vlm"]._repr_html_())
    by = {m: sum(layer.size for layer in held["layers"] if layer.modality == m) for m in ("vision", "text")}
    assert shown[0::5] == ["vision", "text"] and shown[2::5] == [f"{size:,}" for size in by.values()]


def test_a_notebook_shows_layers_and_masks(held):
    layers, masks = held["layers"], held["order"].masks(0.63)
    assert isinstance(layers, tuple) and layers == held["vlm"].layers
    assert cells(layers._repr_html_())[0::6] == [layer.name for layer in layers][:MOST]
    shares = [f"{100 * share:.1f} %" for share in masks.layer_sparsity().values()]
    assert cells(masks._repr_html_())[2::3] == shares[:MOST]


def test_a_notebook_shows_an_order(held):
    shown = cells(held["order"]._repr_html_())
    vision = held["order"].modality_sparsity(0.63)["vision"]
    assert shown[0::3] == ["30.0 %", "50.0 %", "63.0 %", "75.0 %", "90.0 %"] and shown[7] == f"{100 * vision:.1f} %"


def test_a_notebook_shows_what_was_measured():
    results = mf.Results.load(ASSETS / "results" / "flatland-xvlm.json")
    shown = cells(results._repr_html_())
    width = 2 + len(results.dense)
    first = shown[width : 2 * width]
    name, at = results.names[0], results.sparsities(results.names[0])[0]
    assert shown[0] == "dense" and first[:2] == [name, f"{100 * at:.1f} %"]
    assert first[2] == f"{results.figure(name, next(iter(results.dense)), at):.3f}"
