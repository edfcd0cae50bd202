"""The dashboard as a visitor gets it: a real server, a real Chromium, and nothing allowed to leave the machine."""

import re
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from benchmarks.pages import served

LOCAL = re.compile(r"(https?|wss?)://127\.0\.0\.1|data:|blob:")
PATIENCE = 90_000  # ms; what a slow machine may take

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def server():
    """The address of a freshly started server."""
    with served() as url:
        yield url


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), headless=True)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def context(browser):
    """What pages share: the scripts of the dashboard, which take a second to fetch and to read."""
    context = browser.new_context(viewport={"width": 1440, "height": 1600})
    yield context
    context.close()


@pytest.fixture
def page(context):
    """A fresh visitor. Errors in the console and requests to anywhere else fail the test."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    problems = []

    def on_console(message):
        # Streamlit probes page/_stcore/... first on a deep link and falls back: those 404s are normal
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            problems.append(message.text)

    def on_request(request):
        if not LOCAL.match(request.url):
            problems.append(f"left the machine: {request.url}")

    page.on("console", on_console)
    page.on("request", on_request)
    yield page
    assert page.locator('[data-testid="stException"]').count() == 0
    page.evaluate("localStorage.clear()")
    context.clear_cookies()
    page.close()
    assert not problems
