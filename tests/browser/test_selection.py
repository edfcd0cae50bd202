"""A layer chosen by a click is the layer of every page, and stays it."""

from playwright.sync_api import Page, expect
from test_main_job import idle, open_page, parameters


def click_in(page: Page, chart: str, across: float, down: float) -> None:
    """Click into a chart, at shares of its width and height."""
    area = page.locator(f".st-key-chart_{chart} .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
    idle(page)


def test_a_cell_of_the_heatmap_selects_its_layer_for_good(page: Page, server: str):
    open_page(page, server, "?sparsity=0.63")
    click_in(
        page, "grid_vision", 1.5 / 6, 1.2 / 4
    )  # the second of six blocks, the second of four roles; off its centre
    layer = parameters(page)["layer"]
    page.get_by_role("link", name="Layers", exact=True).click()
    idle(page)
    expect(page.locator(".st-key-layer")).to_contain_text("vision 1 · attn out")
    page.locator(".st-key-sidebar_sparsity").get_by_role("slider").press("ArrowRight")
    idle(page)
    expect(page.locator(".st-key-layer")).to_contain_text("vision 1 · attn out")
    assert parameters(page) == {"layer": layer, "sparsity": "0.64"}
    page.get_by_role("link", name="Overview", exact=True).click()
    idle(page)
    expect(page.locator(".st-key-controls_chosen")).to_contain_text("vision 1 · attn out")
    assert parameters(page)["layer"] == layer


def test_bars_and_rows_select_too(page: Page, server: str):
    open_page(page, server, "layers?sparsity=0.63")
    click_in(page, "layer_bars", 0.005, 0.9)
    first = parameters(page)["layer"]
    click_in(page, "layer_bars", 0.995, 0.9)
    last = parameters(page)["layer"]
    assert first != last
    rows = page.locator(".st-key-layer_table canvas").first
    rows.scroll_into_view_if_needed()
    rows.click(position={"x": 100, "y": 50}, force=True)  # the first row: the layer that goes first
    idle(page)
    assert parameters(page)["layer"] not in (first, last)
    expect(page.locator(".st-key-layer")).to_contain_text("vision 0 · attn out")
