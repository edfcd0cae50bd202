"""Opening a model in a real browser: refusals, the dialog, the link; and a slow method that is given up."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from benchmarks.models import save
from tests.app.engine.test_archives import packed
from tests.browser.test_main_job import choose, idle, open_page, parameters
from tests.core.data.made import picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A very small X-VLM."""
    return save("xvlm-base", tmp_path_factory.mktemp("models") / "my-xvlm", small=True)


def test_a_folder_is_opened_and_a_link_opens_it_for_somebody_else(page: Page, server: str, browser, folder: Path):
    open_page(page, server, "")
    page.get_by_role("button", name="Open another model").click()
    dialog, field = page.get_by_role("dialog"), page.get_by_role("textbox", name="Folder or hub name")
    for wrong, part in ((folder.parent, "holds no config.json"), (folder / "nothing", "There is no folder")):
        field.fill(str(wrong))
        field.press("Enter")
        expect(dialog.locator('[data-testid="stAlert"]')).to_contain_text(part)
    field.fill(str(folder))
    field.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator(".st-key-model").get_by_role("combobox")).to_have_value("my-xvlm")
    idle(page)
    assert parameters(page)["model"] == str(folder)
    expect(page.locator(".st-key-chart_grid_fusion")).to_be_visible()
    page.get_by_role("link", name="Captioning").click()
    expect(page.locator('[data-testid="stMain"] [data-testid="stAlert"]')).to_contain_text("my-xvlm has no")
    colleague = browser.new_context(viewport={"width": 1440, "height": 1600}).new_page()
    open_page(colleague, server, f"?model={folder}")
    expect(colleague.locator(".st-key-chart_grid_fusion")).to_be_visible()
    colleague.context.close()


def test_the_dialog_goes_as_it_came(page: Page, server: str):
    open_page(page, server, "")
    for _ in range(2):
        page.get_by_role("button", name="Open another model").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        idle(page)
    assert "model" not in parameters(page)


def test_a_slow_method_is_given_up_by_choosing_another(page: Page, server: str):
    open_page(page, server, "?method=omp")
    page.locator(".st-key-method").get_by_role("combobox").click()
    page.get_by_role("option", name="SNIP · slow", exact=True).click()
    bar = page.locator('[data-testid="stMain"] [data-testid="stProgress"]')
    expect(bar).to_contain_text("radients")  # Gradients: n batches
    choose(page, "OMP", "75")
    expect(bar).to_have_count(0)
    expect(page.locator('[data-testid="stMetric"]', has_text="Weights pruned")).to_contain_text("75")
    assert parameters(page)["method"] == "omp"


def test_a_zip_of_own_pictures_is_searched_and_the_link_opens_it(page: Page, server: str, browser):
    files = {f"{n}.png": picture(n, (48, 48)) for n in range(12)}
    rows = "".join(f"{n}.png,my own red picture {n}\n" for n in range(12))
    archive = packed(files | {"captions.csv": f"image,caption\n{rows}".encode()}).getvalue()
    open_page(page, server, "retrieval?method=omp")
    page.get_by_role("button", name="Open your data").click()
    dialog = page.get_by_role("dialog")
    upload = {"name": "mine.zip", "mimeType": "application/zip"}
    dialog.locator('input[type="file"]').set_input_files([upload | {"buffer": b"no zip"}])
    expect(dialog.locator('[data-testid="stAlert"]')).to_contain_text("mine.zip")
    dialog.locator('input[type="file"]').set_input_files([upload | {"buffer": archive}])
    expect(dialog).to_have_count(0)
    idle(page)
    assert parameters(page)["data"].startswith("upload-")
    expect(page.locator(".st-key-examples")).to_contain_text("my own red picture")
    expect(page.locator(".st-key-ranking_pruned img").first).to_be_visible()
    colleague = browser.new_context(viewport={"width": 1440, "height": 1600}).new_page()
    open_page(colleague, server, f"retrieval?method=omp&data={parameters(page)['data']}")
    expect(colleague.locator(".st-key-examples")).to_contain_text("my own red picture")
    colleague.context.close()
