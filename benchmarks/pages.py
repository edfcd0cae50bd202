"""What a step of the sparsity slider costs on every page, in a real browser.

    python -m benchmarks.pages                       # flatland-blip
    python -m benchmarks.pages --model FOLDER        # any model that the dashboard opens

Starts the dashboard on a free port, opens every page in Chromium, moves the slider by keyboard and watches: the server's
processor time for the step (all its threads together), the time from the message that says so until the browser has taken the
last answer in (it draws meanwhile, on the same processor), all bytes of the answer, and its largest message, which holds at most
one chart. Of the pages that ask a model, also: when a fresh page shows what the pruned model says, when it does so at a sparsity
that nobody has asked about, when the page is complete there (from the message on that says where the slider went: what the
browser takes to send it is its own), and what the server does when the slider goes back to one that was
visited, and to one that was fetched ahead. Times are those of this machine; the bars are the project's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, WebSocket, sync_playwright

from app.app_pages import PAGES

ROOT = Path(__file__).resolve().parent.parent
QUIET = 0.6  # seconds without a message after which an answer is complete
BARS = "Bars: 150 ms of the server a step for the built-in checkpoints, 400 ms for 220 M weights; 500 kB a chart."
HEADS = (
    "page", "opens after, s", "server, ms (median)", "server, ms (longest)", "until taken in, ms", "answer, kB",
    "largest message, kB",
)  # fmt: skip
ASKING = {  # the pages that ask a model, and where each shows what the pruned one says
    "retrieval": ".st-key-ranking_pruned", "captioning": ".st-key-caption_pruned", "vqa": ".st-key-answer_pruned",
    "two-runs": ".st-key-wrap_found",
}  # fmt: skip
ASKED_HEADS = (
    "page", "opened: answers after, s", "unseen: first after, s", "unseen: complete after, s", "visited: server, ms",
    "fetched ahead: shown after, s",
)  # fmt: skip
ASKED_BARS = (
    "Bars: unseen 0.5 s on flatland-blip, 2 s at 150 M weights; visited or fetched ahead 150 ms of the server. What is fetched "
    "ahead is made by the same process: of these pages the first table counts that, too."
)
UNSEEN = 0.31  # the first of the sparsities that are asked about; they are far enough apart to be no neighbours
TICKS = os.sysconf("SC_CLK_TCK")  # of processor time, a second


@dataclass
class Traffic:
    """The messages of one page: when the last one was sent, and (time, bytes) of all that came since."""

    sent: float = 0.0
    received: list[tuple[float, int]] = field(default_factory=list)

    def watch(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: self._send())
        socket.on("framereceived", lambda payload: self.received.append((time.perf_counter(), len(payload))))

    def _send(self) -> None:
        self.sent = time.perf_counter()
        self.received.clear()

    def settle(self, page: Page, limit: float = 300) -> None:
        """Wait until nothing has come for a while."""
        began = time.perf_counter()
        while time.perf_counter() - began < limit:
            page.wait_for_timeout(50)
            last = max([self.sent, *(t for t, _ in self.received)])
            if time.perf_counter() - max(last, began) > QUIET and not busy(page):
                return

    @property
    def seconds(self) -> float:
        return self.received[-1][0] - self.sent if self.received else 0.0

    @property
    def sizes(self) -> list[int]:
        return [size for _, size in self.received]


def busy(page: Page) -> bool:
    return bool(page.locator('[data-testid="stStatusWidget"], [data-testid="stSkeleton"]').count())


def spent(process: int) -> float:
    """Processor seconds of a process and its threads so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(page: Page, traffic: Traffic, url: str, steps: int, server: int) -> list[str]:
    """One row of the table."""
    began = time.perf_counter()
    page.goto(url)
    traffic.settle(page)
    opened = time.perf_counter() - began - QUIET
    slider = page.locator(".st-key-sidebar_sparsity").get_by_role("slider")
    times, answers, largest, work = [], [], [], []
    for step in range(steps + 1):
        before = spent(server)
        slider.press("ArrowRight")
        traffic.settle(page)
        if step:  # the first step may have to make what later ones look up
            work.append(1000 * (spent(server) - before))
            times.append(1000 * traffic.seconds)
            answers.append(sum(traffic.sizes) / 1000)
            largest.append(max(traffic.sizes, default=0) / 1000)
    name = urllib.parse.urlsplit(url).path.strip("/") or "overview"
    figures = (statistics.median(work), max(work), statistics.median(times), max(answers), max(largest))
    return [name, f"{opened:.1f}", *(f"{figure:,.0f}" for figure in figures)]


def asked(page: Page, traffic: Traffic, url: str, server: int) -> list[str]:
    """One row of the table of pages that ask a model."""
    name = urllib.parse.urlsplit(url).path.strip("/")
    began = time.perf_counter()
    page.goto(url.replace("sparsity=0.55", f"sparsity={UNSEEN}"))
    says(page, name, UNSEEN)
    opened = time.perf_counter() - began
    rest(page, traffic, server)
    firsts, wholes = [], []
    for jump in range(1, 4):
        at = round(UNSEEN + 0.2 * jump, 2)
        move(page, at)
        says(page, name, at)
        firsts.append(time.perf_counter() - traffic.sent)
        traffic.settle(page)
        wholes.append(time.perf_counter() - traffic.sent - QUIET)
        rest(page, traffic, server)
    back = [work(page, traffic, server, at) for at in (0.51, 0.71, 0.91)]
    near = []
    for at in (0.92, 0.9):
        move(page, at)
        says(page, name, at)
        near.append(time.perf_counter() - traffic.sent)
        rest(page, traffic, server)
    return [name, f"{opened:.1f}", f"{statistics.median(firsts):.2f}", f"{statistics.median(wholes):.2f}",
            f"{statistics.median(back):,.0f}", f"{max(near):.2f}"]  # fmt: skip


def says(page: Page, name: str, sparsity: float) -> None:
    """Wait until the pruned model's answer at a sparsity is on screen."""
    wanted = f"at {100 * sparsity:.0f}"
    page.wait_for_function(
        "([place, text]) => [...document.querySelectorAll(place)].some(e => e.innerText.replace(/\\u00a0/g, ' ').includes(text))",
        arg=[ASKING[name], wanted],
        timeout=300_000,
        polling=30,
    )


def move(page: Page, sparsity: float) -> None:
    """The slider to a sparsity, in one message to the server."""
    slider = page.locator(".st-key-sidebar_sparsity").get_by_role("slider")
    track = page.locator(".st-key-sidebar_sparsity [role=group] > div").first.bounding_box()
    page.mouse.click(track["x"] + sparsity * track["width"], track["y"] + track["height"] / 2)
    now = round(float(slider.input_value()), 2)
    for _ in range(round(100 * abs(sparsity - now))):  # a click is a pixel or two beside it
        slider.press("ArrowRight" if now < sparsity else "ArrowLeft")


def work(page: Page, traffic: Traffic, server: int, sparsity: float) -> float:
    """What the server does, in ms of its processor, to go to a sparsity that is at hand."""
    before = spent(server)
    move(page, sparsity)
    traffic.settle(page)
    took = 1000 * (spent(server) - before)
    rest(page, traffic, server)
    return took


def rest(page: Page, traffic: Traffic, server: int, limit: float = 300) -> None:
    """Wait until the server has nothing to do, also in spare time."""
    began = time.perf_counter()
    while time.perf_counter() - began < limit:
        traffic.settle(page)
        before = spent(server)
        page.wait_for_timeout(1500)
        if spent(server) - before < 0.08:
            return


@contextmanager
def served() -> Iterator[str]:
    """The address of a dashboard of its own."""
    with serving() as (url, _):
        yield url


@contextmanager
def serving() -> Iterator[tuple[str, int]]:
    """The address of a dashboard of its own, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ, HF_HUB_OFFLINE="1"), stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        for _ in range(300):
            try:
                opener.open(f"{url}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.2)
        yield url, server.pid
    finally:
        server.terminate()
        server.wait(20)


def table(rows: list[list[str]], heads: tuple[str, ...] = HEADS) -> str:
    """Rows under the heads, aligned.

    >>> print(table([["overview", "1.5", "90", "110", "400", "60", "20"]]).splitlines()[-1].split())
    ['overview', '1.5', '90', '110', '400', '60', '20']
    """
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = (
        "  ".join(cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths)))
        for row in [heads, *rows]
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__.split("\n")[0])
    parser.add_argument("--model", help="a built-in name or a folder; default: the dashboard's own")
    parser.add_argument("--steps", type=int, default=5, help="steps of the slider on every page")
    parser.add_argument("--pages", nargs="+", help="only these, by their addresses")
    options = parser.parse_args()
    query = urllib.parse.urlencode({"sparsity": "0.55"} | ({"model": options.model} if options.model else {}))
    rows, asking = [], []
    os.environ["MULTIFLOW_CACHE"] = ""  # what earlier servers were asked does not count
    with serving() as (url, server), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), headless=True)
        page, traffic = browser.new_page(), Traffic()
        page.on("websocket", traffic.watch)
        page.goto(f"{url}/?{query}")  # the server starts with its first visitor
        rest(page, traffic, server)
        page.close()
        for entry in PAGES:
            if options.pages and entry.url not in options.pages:
                continue
            page, traffic = browser.new_page(viewport={"width": 1440, "height": 1200}), Traffic()
            page.on("websocket", traffic.watch)
            place = "" if entry is PAGES[0] else entry.url
            if entry.url in ASKING:
                asking.append(asked(page, traffic, f"{url}/{place}?{query}", server))
            rows.append(measure(page, traffic, f"{url}/{place}?{query}", options.steps, server))
            page.close()
        browser.close()
    print(table(rows))
    print(f"\n{BARS}")
    if asking:
        print(f"\n{table(asking, ASKED_HEADS)}\n\n{ASKED_BARS}")


if __name__ == "__main__":
    main()
