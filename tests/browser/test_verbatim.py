"""Texts that are not ours in a real browser: nothing is fetched (the fixture `page` watches), and no link comes of them."""

import io
import re
from urllib.parse import urlencode

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.app_pages import PAGES
from tests.browser.test_main_job import idle, open_page
from tests.nasty import ALL, nasty_model


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> str:
    """The part of a link that names a model, a method, a layer, a query and a question full of nasty texts."""
    folder = nasty_model(tmp_path_factory.mktemp("models"))
    return urlencode(
        {
            "model": folder,
            "method": "omp",
            "allocation": ALL,
            "layer": ALL,
            "a": f"{ALL},omp,own,0.5",
            "q": ALL,
            "ask": ALL,
        }
    )


def links(page: Page) -> list[str]:
    """Where the page leads: links, frames and forms, and pictures that are not drawn here."""
    return page.evaluate(
        """() => [...document.querySelectorAll("a[href], iframe[src], form[action], img[src], object[data], svg [href]")]
            .map(e => e.getAttribute("href") || e.getAttribute("src") || e.getAttribute("action") || e.getAttribute("data"))"""
    )


def harmless(page: Page) -> None:
    """No link, frame or picture leads to where the texts want it, and they are no formulas; headings have anchors."""
    assert not [
        link for link in links(page) if not link.startswith("#") and re.search("evil|javascript:", link, re.IGNORECASE)
    ]
    assert not [formula for formula in page.locator(".katex").all_inner_texts() if "x^2" in formula]


@pytest.mark.parametrize("path", [entry.url for entry in PAGES])
def test_names_and_results_stay_text(page: Page, server: str, asked: str, path: str):
    open_page(page, server, f"{path.removeprefix(PAGES[0].url)}?{asked}")
    assert "evil.example" in page.locator(".st-key-model").inner_html()  # it is this model that is shown
    harmless(page)


def test_uploads_stay_text(page: Page, server: str):
    open_page(page, server, "captioning?" + urlencode({"q": ALL}))
    file = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(file, "PNG")
    name = f"{ALL.replace('/', '')}.png"
    page.locator('input[type="file"]').first.set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for data in (file.getvalue(), b"no picture")]
    )
    idle(page)
    expect(page.locator('[data-testid="stMain"] [data-testid="stAlert"]').first).to_be_visible()
    harmless(page)
