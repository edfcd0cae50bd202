"""A telephone: nothing meets its neighbour, and nothing is cut."""

import itertools

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_main_job import open_page

BOXES = "es => es.map(e => e.getBoundingClientRect()).map(b => [b.left, b.right, b.top])"


@pytest.fixture
def narrow(page: Page) -> Page:
    page.set_viewport_size({"width": 390, "height": 900})
    return page


def test_numbers_in_cells_do_not_meet_and_thumbnails_stand_in_one_row(narrow: Page, server: str):
    open_page(narrow, server, "two-runs")
    numbers = narrow.locator(".st-key-chart_difference .heatmap-label text")
    expect(numbers.first).to_be_attached()
    boxes = sorted(numbers.evaluate_all(BOXES), key=lambda box: (round(box[2]), box[0]))
    assert len(boxes) > 50
    for (_, right, top), (left, _, below) in itertools.pairwise(boxes):
        assert round(top) != round(below) or right <= left
    thumbnails = narrow.locator(".st-key-scene_examples img")
    expect(thumbnails).to_have_count(6)
    assert len({top for *_, top in thumbnails.evaluate_all(BOXES)}) == 1


def test_formulas_are_not_cut(narrow: Page, server: str):
    open_page(narrow, server, "methods")
    formulas = narrow.locator("[data-testid='stMain'] .katex-display")
    expect(formulas.nth(5)).to_be_attached()
    assert all(formulas.evaluate_all("es => es.map(e => e.scrollWidth <= e.clientWidth)"))
