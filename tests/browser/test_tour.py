"""The guided tour in a real browser: by a link, by keys, with the notes in a window of their own."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_main_job import idle


def test_a_tour_is_given_by_keys_and_its_notes_follow(page: Page, server: str):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{server}/?tour=1")
    headline, place = page.locator(".st-key-tour h1"), page.locator(".st-key-presenter_bar strong")
    expect(place).to_contain_text("1 of")
    idle(page)
    expect(page.locator('[data-testid="stSidebar"]')).to_be_hidden()
    with page.context.expect_page() as opened:
        page.locator(".st-key-tour_notes").get_by_role("link").click()
    notes = opened.value
    expect(notes.locator("h1")).to_have_text(headline.inner_text())
    first = notes.locator(".st-key-notes_words").inner_text()
    page.bring_to_front()
    for key, number in (("ArrowRight", 2), ("PageDown", 3), ("ArrowLeft", 2), ("ArrowRight", 3), ("ArrowRight", 4)):
        page.keyboard.press(key)
        expect(place).to_contain_text(f"{number} of")
        expect(page.locator(".st-key-tour h1")).to_be_in_viewport()
    expect(notes.locator("h1")).to_have_text(headline.inner_text())
    assert first not in page.locator("body").inner_text()  # what is said stays with the presenter
    notes.close()
    page.keyboard.press("Escape")
    expect(page.locator('[data-testid="stSidebar"]')).to_be_visible()
    assert "tour" not in page.url


def test_who_types_does_not_turn_the_page(page: Page, server: str):
    page.goto(f"{server}/?tour=1&model=flatland-xvlm")
    place = page.locator(".st-key-presenter_bar strong")
    expect(place).to_contain_text("1 of")
    idle(page)
    box = page.get_by_role("textbox", name="Query")
    box.fill("a blue house")
    box.press("ArrowLeft")
    box.press("ArrowRight")
    box.press("Enter")
    expect(page).to_have_url(re.compile(r"q=a\+blue\+house"))
    idle(page)
    expect(place).to_contain_text("1 of")
