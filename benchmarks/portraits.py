"""The pictures of the README: pages of the dashboard in a real browser, and scenes of Flatland.

python -m benchmarks.portraits              # all, into assets/pictures
python -m benchmarks.portraits overview     # one of them
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.pages import ROOT, Traffic, served
from multiflow_core.data import flatland
from multiflow_core.data.flatland.draw import render

PLACE = ROOT / "assets" / "pictures"
WIDE, HIGH = 1440, 1000
PAGES = {
    "overview": "?allocation=global&sparsity=0.63",
    "neurons": "neurons",
    "why": "why",
}
FLATLAND = "flatland"
ACROSS, DOWN, SIDE, GAP = 8, 2, 150, 3


def scenes() -> Image.Image:
    """The first scenes of the gallery, side by side.

    >>> scenes().size
    (1227, 309)
    """
    sheet = Image.new("RGB", (GAP + ACROSS * (SIDE + GAP), GAP + DOWN * (SIDE + GAP)), "white")
    for n in range(ACROSS * DOWN):
        at = GAP + n % ACROSS * (SIDE + GAP), GAP + n // ACROSS * (SIDE + GAP)
        sheet.paste(render(flatland.scene("test", n), SIDE), at)
    return sheet


def photograph(page: Page, url: str, file: Path) -> None:
    """A page as it is when nothing comes any more."""
    traffic = Traffic()
    page.on("websocket", traffic.watch)
    page.goto(url)
    traffic.settle(page)
    page.wait_for_timeout(1500)  # what fades in has
    page.screenshot(path=file)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.portraits", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PAGES)}, {FLATLAND} (default: all)")
    chosen = parser.parse_args().names or [*PAGES, FLATLAND]
    if unknown := set(chosen) - {*PAGES, FLATLAND}:
        parser.error(f"there is no picture {', '.join(sorted(unknown))}")
    if FLATLAND in chosen:
        scenes().save(PLACE / f"{FLATLAND}.png", optimize=True)
    with sync_playwright() as play, served() as address:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), headless=True)
        for name in (name for name in chosen if name in PAGES):
            page = browser.new_page(viewport={"width": WIDE, "height": HIGH})
            photograph(page, f"{address}/{PAGES[name]}", PLACE / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
