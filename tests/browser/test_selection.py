"""A layer chosen by a click is the layer of every page, and stays it."""

import re

import numpy as np
from playwright.sync_api import Page, expect

from app.charts.layer_bars import GONE
from app.engine import runs
from app.facts.layers import reached
from app.state import METHOD, MODEL, Run
from multiflow_core import PrunableLayer
from tests.browser.test_main_job import idle, open_page, parameters

RUN = Run(MODEL.default, METHOD.default)


def click_in(page: Page, chart: str, across: float, down: float) -> None:
    """Click into a chart, at shares of its width and height, as soon as it answers to the mouse."""
    area = page.locator(f".st-key-chart_{chart} .nsewdrag").first
    expect(area).to_be_visible()
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    expect(page.locator(f".st-key-chart_{chart} .hovertext").first).to_be_visible()
    page.mouse.down()
    page.mouse.up()
    idle(page)


def expect_layer(page: Page, name: str) -> None:
    expect(page.locator(".st-key-layer").get_by_role("combobox")).to_have_value(re.compile(re.escape(name)))


def named(layer: PrunableLayer) -> str:
    return f"{layer.block} · {layer.role}"


def lonely(sparsity: float) -> tuple[float, PrunableLayer]:
    """The layer whose share of pruned weights lies farthest from those of all others, and that share."""
    order = runs.order(RUN.order)
    shares = order.layer_sparsity(sparsity)
    ranked = sorted(order.layers, key=lambda layer: shares[layer.name])
    places = [-1.0, *(shares[layer.name] for layer in ranked), 2.0]
    room = [min(here - below, above - here) for below, here, above in zip(places, places[1:], places[2:])]
    best = max(range(len(ranked)), key=room.__getitem__)
    return places[best + 1], ranked[best]


def first_gone() -> list[PrunableLayer]:
    """The layers as the table has them: first the one that has lost 90 % first."""
    order = runs.order(RUN.order)
    sizes = np.array([layer.size for layer in order.layers])
    gone = reached(order.count_table() / sizes[:, None], GONE)
    return [order.layers[n] for n in np.argsort(gone, kind="stable")]


def test_a_cell_of_the_heatmap_selects_its_layer_for_good(page: Page, server: str):
    open_page(page, server, "?sparsity=0.63")
    click_in(page, "grid_vision", 1.6 / 6, 1.3 / 4)  # the second of six blocks, the second of four roles
    layer = parameters(page)["layer"]
    page.get_by_role("link", name="Layers", exact=True).click()
    idle(page)
    expect_layer(page, "vision 1 · attn out")
    page.locator(".st-key-sidebar_sparsity").get_by_role("slider").press("ArrowRight")
    idle(page)
    expect_layer(page, "vision 1 · attn out")
    assert parameters(page) == {"layer": layer, "sparsity": "0.64"}
    page.get_by_role("link", name="Overview", exact=True).click()
    idle(page)
    expect(page.locator(".st-key-controls_chosen")).to_contain_text("vision 1 · attn out")
    assert parameters(page)["layer"] == layer


def test_bars_dots_and_rows_select_too(page: Page, server: str):
    open_page(page, server, "layers?sparsity=0.63")
    click_in(page, "layer_bars", 0.995, 0.9)  # the last of all layers
    expect_layer(page, "decoder 3 · fc2")
    share, alone = lonely(0.63)
    click_in(page, "layer_curves", 63 / 101, 1 - 100 * share / 103)  # its dot, at the slider's place
    expect_layer(page, named(alone))
    rows = page.locator(".st-key-layer_table canvas").first
    rows.scroll_into_view_if_needed()
    rows.click(position={"x": 100, "y": 85}, force=True)  # the second row
    idle(page)
    expect_layer(page, named(first_gone()[1]))
