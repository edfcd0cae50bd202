"""axe-core finds nothing that is ours to mend, on any page, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext

from app.app_pages import PAGES
from tests.browser.test_main_job import idle

# what Streamlit's own widgets get wrong, {rule: the only elements that may break it}
STREAMLITS = {
    "list": "stSidebarNavItems",  # sections inside the list of pages
    "listitem": '<li class="st-emotion-cache',  # and so its items
    "presentation-role-conflict": "stFileUploaderDropzone",
    "empty-table-header": "columnheader",  # the corner of a table of numbers that can be edited
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("url", [entry.url for entry in PAGES])
def test_axe_finds_nothing_of_ours(context: BrowserContext, server: str, url: str, scheme: str):
    page = context.new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{server}/{'' if url == PAGES[0].url else url}")
    idle(page)
    page.wait_for_timeout(700)  # what fades in has
    found = [
        f"{broken['id']}: {node['html'][:200]}"
        for broken in Axe().run(page).response["violations"]
        for node in broken["nodes"]
        if STREAMLITS.get(broken["id"], "nothing") not in node["html"]
    ]
    page.close()
    assert not found
