"""The lens in a real browser: click deeper, choose a weight, move the slider, hand the link on."""

import re

from playwright.sync_api import Page, TimeoutError, expect

from tests.browser.test_main_job import idle, open_page, parameters

FC1 = "vision_model.encoder.layers.3.mlp.fc1.weight"


def click(page: Page, key: str, across: float, down: float, leads_to: str) -> None:
    """A click into a chart's first plot, at shares of its width and height, that makes the address match a pattern.

    A chart knows what is clicked from what was pointed at before, and forgets it when it is drawn anew; so, as people do,
    click again if nothing happens.
    """
    area = page.locator(f".st-key-plot_{key} .nsewdrag").first
    for patience in (20_000, 20_000, 60_000):
        expect(area).to_be_visible()
        box = area.bounding_box()
        place = box["x"] + across * box["width"], box["y"] + down * box["height"]
        page.mouse.move(*place, steps=3)
        expect(page.locator(f".st-key-plot_{key} .hovertext").first).to_be_visible()
        page.mouse.click(*place)
        try:
            page.wait_for_url(re.compile(leads_to), timeout=patience)
            break
        except TimeoutError:
            page.mouse.move(0, 0)
    idle(page)
    assert re.search(leads_to, page.url)


def test_clicks_lead_to_a_weight_that_the_slider_and_a_link_keep(page: Page, server: str, browser):
    open_page(page, server, f"neurons?layer={FC1}&view=mask&sparsity=0.5")
    click(page, "lens", 0.51, 0.51, "window=384-479%2C96-127")
    click(page, "lens", 0.5 / 32, 0.5 / 96, "weight=384%2C96")
    card = page.locator(".st-key-weight_card")
    expect(card).to_contain_text("Weight (384, 96) is")
    before = page.locator(".st-key-chart_lens h2").inner_text()
    page.locator(".st-key-preset_90").get_by_role("button").first.click()
    expect(card).to_contain_text("at 90 % sparsity")
    idle(page)
    assert parameters(page)["window"] == "384-479,96-127" and parameters(page)["weight"] == "384,96"
    assert page.locator(".st-key-chart_lens h2").inner_text() != before
    colleague = browser.new_context(viewport={"width": 1440, "height": 1600}).new_page()
    colleague.goto(page.url)
    expect(colleague.locator(".st-key-weight_card")).to_have_text(card.inner_text(), use_inner_text=True)
    expect(colleague.locator(".st-key-steps")).to_contain_text("outputs 384–479, inputs 96–127")
    colleague.context.close()


def test_a_neuron_of_the_list_is_one_click_away(page: Page, server: str):
    open_page(page, server, f"neurons?layer={FC1}")
    strongest = int(page.locator(".st-key-chart_top_input h2").inner_text().split(":")[0].removeprefix("Input "))
    click(page, "top_input", 0.3, 0.05, "window=")
    first, last = map(int, parameters(page)["window"].split(",")[1].split("-"))
    assert first <= strongest <= last < first + 32
    page.get_by_role("button", name="Whole layer").click()
    expect(page.locator(".st-key-steps")).to_contain_text("the whole layer")
    expect(page).not_to_have_url(re.compile("window="))
