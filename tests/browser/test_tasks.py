"""Asking, searching and describing in a real browser: own pictures, a changed mind, links."""

import time

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests.browser.test_main_job import idle, open_page, parameters


def ball(color: str, file) -> str:
    picture = Image.new("RGB", (320, 240), "skyblue")
    ImageDraw.Draw(picture).ellipse((100, 60, 220, 180), fill=color)
    picture.save(file)
    return str(file)


def test_a_question_is_answered_followed_and_handed_on(page: Page, server: str, browser):
    open_page(page, server, "vqa?scene=5&sparsity=0.75")
    box = page.get_by_role("textbox", name="Question")
    box.fill("Is there a purple car?")
    box.press("Enter")
    idle(page)
    expect(page.locator(".st-key-answer_dense")).to_contain_text("Right")
    title = page.locator(".st-key-chart_ladder h2")
    expect(title).to_contain_text("MULTIFLOW answers “yes” up to")
    before = title.inner_text()
    page.locator(".st-key-preset_90").get_by_role("button").first.click()
    idle(page)
    assert title.inner_text() == before  # the ladder is the same wherever the slider stands
    assert parameters(page)["ask"] == "Is there a purple car?"
    colleague = browser.new_context(viewport={"width": 1440, "height": 1600}).new_page()
    colleague.goto(page.url)
    idle(colleague)
    expect(colleague.locator(".st-key-chart_ladder h2")).to_have_text(before, use_inner_text=True)
    colleague.context.close()


def test_back_returns_to_the_text_before(page: Page, server: str):
    open_page(page, server, "retrieval?q=a red car")
    box = page.get_by_role("textbox", name="Query")
    for text in ("two cats", "a blue car"):
        box.fill(text)
        box.press("Enter")
        idle(page)
    page.go_back()
    expect(box).to_have_value("two cats")
    idle(page)
    assert parameters(page)["q"] == "two cats"
    page.go_back()
    expect(box).to_have_value("a red car")


def test_own_pictures_are_searched_and_stay_for_the_other_pages(page: Page, server: str, tmp_path):
    open_page(page, server, "retrieval?sparsity=0.3")
    page.get_by_text("add yours").click()
    files = [ball(color, tmp_path / f"{color}.png") for color in ("red", "green", "blue")]
    page.locator('input[type="file"]').set_input_files(files)
    expect(page.locator(".st-key-ranking_dense")).to_contain_text("of 163")
    page.get_by_text("Search my pictures only").click()
    expect(page.locator(".st-key-ranking_pruned img")).to_have_count(3)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="VQA").click()
    idle(page)
    expect(page.locator(".st-key-picture img")).to_have_attribute("alt", "blue.png, the picture asked about")
    page.locator(".st-key-scene_examples").get_by_role("button", name="own 1").click()
    expect(page.locator(".st-key-picture img")).to_have_attribute("alt", "red.png, the picture asked about")


def test_a_changed_mind_ends_a_ladder_and_a_second_thought_goes_on(page: Page, server: str):
    open_page(page, server, "retrieval?method=lamp&sparsity=0.5")
    switch = page.get_by_text("How does the rank fall with sparsity?")
    switch.click()
    expect(page.locator('[data-testid="stProgress"]').last).to_be_visible()
    box = page.get_by_role("textbox", name="Query")
    box.fill("a cat on the beach")
    box.press("Enter")
    switch.click()
    idle(page)
    assert parameters(page)["q"] == "a cat on the beach" and "ladder" not in parameters(page)
    expect(page.locator(".st-key-chart_ladder")).to_have_count(0)
    expect(page.locator('[data-testid="stProgress"]')).to_have_count(0)
    switch.click()
    expect(page.locator(".st-key-chart_ladder h2")).to_contain_text("true picture")
    idle(page)


@pytest.mark.parametrize("width", [800, 1440])
def test_vqa_does_not_scroll_sideways(page: Page, server: str, width: int):
    page.set_viewport_size({"width": width, "height": 1200})
    open_page(page, server, "vqa")
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    answers, controls = page.locator(".st-key-answer_dense"), page.locator(".st-key-asked_scene")
    if width == 800:  # what is asked and answered comes before what could be asked instead
        assert answers.bounding_box()["y"] < controls.bounding_box()["y"]


def test_a_query_is_answered_while_a_strip_is_being_filled(page: Page, server: str):
    """Nothing on the page or beside it waits for the strip: not the next answer, not Present, not the stories."""
    scene = time.time_ns() % 900 + 60  # that nobody has asked about: what is kept on disk fills the strip at once
    page.goto(f"{server}/vqa?method=lamp&sparsity=0.41&scene={scene}")
    strip = page.locator(".st-key-controls_climbing")
    expect(strip).to_contain_text("of at most")
    expect(page.locator(".st-key-answer_pruned")).to_contain_text("LAMP at 41 % answers")
    expect(page.get_by_role("button", name="Present").first).to_be_enabled()
    box = page.get_by_role("textbox", name="Question")
    box.fill("where is this")
    box.press("Enter")
    expect(page.locator(".st-key-title_answers")).to_contain_text("where is this")
    expect(strip).to_contain_text("of at most")  # that of the new question
    strip.get_by_role("button", name="Stop").click()
    expect(strip).to_contain_text("Stopped after")
    strip.get_by_role("button", name="Go on").click()
    expect(page.locator(".st-key-chart_ladder h2")).to_contain_text("LAMP answers", timeout=120_000)
    expect(strip).to_have_count(0)


def test_charts_move_while_the_slider_is_dragged_and_the_address_when_it_is_let_go(page: Page, server: str):
    open_page(page, server, "?sparsity=0.63")
    idle(page)
    weights = page.locator('[data-testid="stMetricValue"]').first
    expect(weights).to_have_text("63 %")
    track = page.locator(".st-key-sidebar_sparsity [role=group] > div").first.bounding_box()
    across, y = (lambda share: track["x"] + share * track["width"]), track["y"] + track["height"] / 2
    page.mouse.move(across(0.63), y)
    page.mouse.down()
    for share in (0.6, 0.5, 0.4, 0.3):
        page.mouse.move(across(share), y)
        page.wait_for_timeout(100)
    expect(weights).to_have_text("30 %")
    assert parameters(page).get("sparsity") in (None, "0.63")
    page.mouse.move(across(0.2), y)
    page.mouse.up()
    expect(weights).to_have_text("20 %")
    idle(page)
    assert float(parameters(page)["sparsity"]) == pytest.approx(0.2, abs=0.011)


def test_the_slider_plays_and_stops(page: Page, server: str):
    open_page(page, server, "distributions?sparsity=0.63")
    idle(page)
    page.locator(".st-key-play").get_by_role("button").click()
    slider = page.locator(".st-key-sidebar_sparsity input[type=range]")
    page.wait_for_function("e => Number(e.value) > 0.05 && Number(e.value) < 0.6", arg=slider.element_handle())
    page.locator(".st-key-play").get_by_role("button").click()
    expect(page.locator(".st-key-play")).to_contain_text("Play")
    idle(page)
    stopped = slider.input_value()
    page.wait_for_timeout(1500)
    assert slider.input_value() == stopped and 0 < float(stopped) < 0.95
