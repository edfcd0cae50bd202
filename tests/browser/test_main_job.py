"""The main job: prune, see what it costs, search, caption an own picture, hand the link on."""

import re
from urllib.parse import parse_qs, urlparse

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

QUERY = "a red boat below a white cloud at night"


def open_page(page: Page, server: str, path: str) -> None:
    page.goto(f"{server}/{path}")
    idle(page)


def idle(page: Page) -> None:
    """Until the script has run to its end."""
    expect(page.locator('[data-testid="stMain"] h1').first).to_be_visible()
    page.wait_for_timeout(300)
    expect(page.locator('[data-testid="stStatusWidget"]')).to_have_count(0)
    expect(page.locator('[data-testid="stSkeleton"]')).to_have_count(0)


def choose(page: Page, method: str, preset: str) -> None:
    box = page.locator(".st-key-method").get_by_role("combobox")
    box.click()
    page.get_by_role("option", name=method, exact=True).click()
    idle(page)
    page.locator(f".st-key-preset_{preset}").get_by_role("button").first.click()
    idle(page)


def parameters(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlparse(page.url).query).items()}


def chart_numbers(page: Page, key: str) -> str:
    return page.locator(f".st-key-chart_{key} .js-plotly-plot").first.inner_text()


def test_overview_follows_the_sidebar(page: Page, server: str):
    open_page(page, server, "")
    choose(page, "MULTIFLOW", "63")
    weights = page.locator('[data-testid="stMetric"]', has_text="Weights pruned")
    expect(weights).to_contain_text("63")
    before = chart_numbers(page, "grid_vision")
    choose(page, "OMP", "90")
    expect(weights).to_contain_text("90")
    assert chart_numbers(page, "grid_vision") != before
    assert parameters(page)["method"] == "omp"
    assert float(parameters(page)["sparsity"]) == pytest.approx(0.9)


def test_the_slider_moves_by_keyboard(page: Page, server: str):
    open_page(page, server, "?sparsity=0.4")
    page.locator(".st-key-sidebar_sparsity").get_by_role("slider").press("ArrowRight")
    idle(page)
    expect(page.locator('[data-testid="stMetric"]', has_text="Weights pruned")).to_contain_text("41")
    expect(page.locator(".st-key-sidebar_sparsity")).to_contain_text(re.compile(r"41\s%"))  # as everywhere else


def test_retrieval_answers_an_own_query(page: Page, server: str):
    open_page(page, server, "retrieval?sparsity=0.63")
    box = page.get_by_role("textbox", name="Query")
    box.fill(QUERY)
    box.press("Enter")
    idle(page)
    for side in ("dense", "pruned"):
        expect(page.locator(f".st-key-ranking_{side} img").first).to_be_visible()
    assert parameters(page)["q"] == QUERY


@pytest.mark.parametrize(("query", "sentence"), [("a red giraffe", "giraffe"), ("", "ype")])
def test_a_query_that_cannot_be_searched_gets_a_sentence(page: Page, server: str, query: str, sentence: str):
    open_page(page, server, "retrieval")
    box = page.get_by_role("textbox", name="Query")
    box.fill(query)
    box.press("Enter")
    idle(page)
    expect(page.locator('[data-testid="stMain"] [data-testid="stAlert"]').first).to_contain_text(sentence)


def test_an_own_picture_is_captioned_by_both(page: Page, server: str, tmp_path):
    picture = Image.new("RGB", (640, 480), "skyblue")
    ImageDraw.Draw(picture).ellipse((200, 120, 440, 360), fill="red")
    picture.save(tmp_path / "ball.png")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    open_page(page, server, "captioning?sparsity=0.63")
    upload = page.locator('input[type="file"]')
    upload.set_input_files(tmp_path / "ball.png")
    expect(page.locator(".st-key-remove_own")).to_be_visible()
    expect(upload).to_have_count(1)  # an emptied one has taken the place of the first
    idle(page)
    for side in ("dense", "pruned"):
        expect(page.locator(f".st-key-caption_{side}")).to_contain_text("says")
    upload.set_input_files(tmp_path / "broken.png")
    idle(page)
    expect(page.locator('[data-testid="stMain"] [data-testid="stAlert"]').first).to_be_visible()


def test_a_link_restores_the_page_for_somebody_else(page: Page, server: str, browser):
    open_page(page, server, "")
    choose(page, "OMP", "75")
    page.get_by_role("link", name="Captioning").click()
    idle(page)
    link = page.url
    colleague = browser.new_context(viewport={"width": 1440, "height": 1600}).new_page()
    colleague.goto(link)
    idle(colleague)
    expect(colleague.locator(".st-key-caption_pruned")).to_contain_text("OMP at 75")
    colleague.context.close()


@pytest.mark.parametrize("bad", ["sparsity=1.7", "sparsity=lots", "method=magic", "scene=-3"])
def test_a_bad_address_is_explained(page: Page, server: str, bad: str):
    open_page(page, server, f"?{bad}")
    expect(page.locator('[data-testid="stAlert"]').first).to_contain_text("showing")
