"""For the room: stories, presenter mode, and links that restore what is on the screen."""

from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from app.app_pages import PAGES
from tests.browser.test_main_job import idle, open_page, parameters

MOVED = ("overview", "layers", "neurons", "distributions", "flow", "captioning", "vqa", "why")


@pytest.mark.parametrize("path", ["", "compare?sparsity=0.75", "two-runs?sparsity=0.5&q=a+blue+house"])
def test_a_story_is_told_where_it_is_asked_for(page: Page, server: str, path: str):
    open_page(page, server, path)
    title = page.locator('[data-testid="stMain"] h1').first.inner_text()
    page.locator(".st-key-story_sidebar_0").get_by_role("button").first.click()
    idle(page)
    expect(page.locator(".st-key-story")).to_contain_text("Modality collapse")
    expect(page.locator('[data-testid="stMain"] h1').first).to_have_text(title)
    assert "allocation=global" in page.url


def test_presenter_mode_has_no_controls_and_can_be_left(page: Page, server: str):
    open_page(page, server, "?present=1&sparsity=0.5")
    expect(page.locator('[data-testid="stSidebar"]')).to_be_hidden()
    expect(page.locator(".st-key-story")).to_contain_text("The sweet spot")
    page.locator(".st-key-presenter_bar").hover()
    page.locator(".st-key-leave").get_by_role("button").first.click()
    idle(page)
    expect(page.locator('[data-testid="stSidebar"]')).to_be_visible()
    assert "present" not in page.url


@pytest.mark.parametrize(
    ("path", "name", "text"),
    [
        ("retrieval", "Query", "a blue house"),
        ("two-runs", "Query", "a blue house"),
        ("vqa", "Question", "where is this"),
    ],
)
def test_a_room_sees_what_is_asked_and_can_ask_something_else(page: Page, server: str, path: str, name: str, text: str):
    page.set_viewport_size({"width": 1440, "height": 900})
    open_page(page, server, f"{path}?present=1&sparsity=0.5")
    box = page.get_by_role("textbox", name=name)
    expect(box).to_be_in_viewport()
    size = box.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert size > 1.5 * page.locator('[data-testid="stMain"] p').first.evaluate(
        "e => parseFloat(getComputedStyle(e).fontSize)"
    )
    found = page.locator(":is(.st-key-title_ranking,.st-key-title_found,.st-key-title_answers) h2")
    before = found.inner_text()
    box.fill(text)
    box.press("Enter")
    expect(found).not_to_have_text(before)
    assert parameters(page)["ask" if name == "Question" else "q"] == text


@pytest.mark.parametrize("path", ["captioning", "vqa"])
def test_a_room_chooses_the_picture(page: Page, server: str, path: str):
    open_page(page, server, f"{path}?present=1&sparsity=0.5")
    page.locator(".st-key-scene_examples").get_by_role("button", name="12").click()
    expect(page.locator(".st-key-picture img")).to_have_attribute("alt", "Scene 12, the picture asked about")
    assert parameters(page)["scene"] == "12"


# a moment is enough, and a fast answer leaves no more: looked for at every change, where a poll would miss it
WATCH = """() => {
  const stale = place => document.querySelectorAll(place + ' [data-stale="true"]').length
  window.fresh = false
  new MutationObserver(() => {
    window.fresh ||= stale('[data-testid="stMain"]') > 0 && stale(':is(.st-key-stories_sidebar, .st-key-share)') === 0
  }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["data-stale"]})
}"""


def test_stories_and_present_can_be_pressed_while_a_page_works(page: Page, server: str):
    """What is greyed out is the old answer, and not what leads away from it."""
    open_page(page, server, "retrieval?method=lamp&sparsity=0.4")
    page.evaluate(WATCH)
    page.locator(".st-key-preset_75").get_by_role("button").first.click()
    page.wait_for_function("window.fresh")
    page.locator(".st-key-start_presenting").get_by_role("button").first.click()
    expect(page.locator(".st-key-presenter_bar")).to_be_visible()


def test_a_copied_link_restores_two_pinned_runs(page: Page, server: str, browser):
    open_page(page, server, "two-runs?sparsity=0.75&q=a+blue+house")
    page.locator(".st-key-hold_A").get_by_role("button").first.click()
    idle(page)
    page.locator(".st-key-sidebar_sparsity").get_by_role("slider").press("ArrowLeft")
    idle(page)
    page.get_by_role("button", name="Link").click()
    code = page.locator('[data-testid="stPopoverBody"] code').first
    expect(code).to_contain_text("sparsity=0.74")
    link = code.inner_text()
    kept = {key: values[0] for key, values in parse_qs(urlparse(link).query).items()}
    assert kept["a"] == "flatland-blip,multiflow,own,0.75" and kept["q"] == "a blue house"
    assert float(kept["sparsity"]) == pytest.approx(0.74)
    context = browser.new_context(viewport={"width": 1440, "height": 1600})
    colleague = context.new_page()
    colleague.goto(link)
    idle(colleague)
    for letter in "AB":
        expect(colleague.locator(f".st-key-pin_{letter}")).to_contain_text("75 %" if letter == "A" else "74 %")
    context.close()


@pytest.mark.parametrize("path", MOVED)
def test_a_step_of_the_slider_moves_every_chart_where_it_stands(page: Page, server: str, path: str):
    """None is torn down and built anew, which would be a white flash."""
    open_page(page, server, f"{path if path != 'overview' else ''}?sparsity=0.7")
    charts = page.locator(".js-plotly-plot")
    expect(charts.first).to_be_visible()
    page.wait_for_timeout(1000)
    before = charts.evaluate_all(
        "charts => charts.map((chart, i) => { chart.dataset.mark = i; return chart.innerHTML })"
    )
    slider = page.locator(".st-key-sidebar_sparsity").get_by_role("slider")
    for _ in range(4):
        slider.press("ArrowRight")
    idle(page)
    page.wait_for_timeout(1000)
    after = charts.evaluate_all("charts => charts.map(chart => [chart.dataset.mark, chart.innerHTML])")
    assert [mark for mark, _ in after] == [str(i) for i in range(len(before))]
    assert all(drawn != was for (_, drawn), was in zip(after, before))


def test_a_chart_that_cannot_be_drawn_says_so(server: str, browser):
    page = browser.new_context().new_page()
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto(server)
    expect(page.locator(".st-key-plot_modalities")).to_contain_text("cannot be drawn")
    page.unroute("**/plotly.min.js")
    page.locator(".st-key-preset_75").get_by_role("button").first.click()
    expect(page.locator(".st-key-plot_modalities .main-svg").first).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("width", [800, 1440])
@pytest.mark.parametrize("path", [entry.url for entry in PAGES])
def test_no_page_scrolls_sideways(page: Page, server: str, path: str, width: int):
    page.set_viewport_size({"width": width, "height": 1200})
    open_page(page, server, path if path != "overview" else "")
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
