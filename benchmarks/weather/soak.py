"""Ten sessions at once, one of them at work that takes minutes: what the others wait, what memory does, whether answers are right.

The sessions are real ones: each link is opened as a browser does it, by a connection to a server in a process of its own.
Nine of them walk through the pages at random and look at each for five seconds; the tenth solves one sparsity after the other
with TAMT. A page counts as there when its run has ended, a page that asks a model when the pruned model's answer stands on
it: what comes after that, the ladder, is asked for bit by bit.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import threading
import time
import urllib.parse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

import multiflow_core as mf
from app.engine import checkpoints
from app.facts import gallery
from benchmarks.pages import serving

SESSIONS = 10
MODELS = ("flatland-blip", "flatland-xvlm")
METHODS = ("multiflow", "omp", "lamp", "l2", "localmp")
LOOK_UPS = ("overview", "layers", "neurons", "distributions", "flow", "compare", "benchmark", "learn", "why", "methods")
ASKING = ("vqa", "captioning", "retrieval", "two-runs")
PAUSE = 5.0  # seconds for which somebody looks at a page at least
QUESTIONS = ("how many things are there", "what color is the sky", "is there a boat", "what color is the car")
PRUNED = re.compile(r'class="[^"]*\bmf-pruned\b')  # what shows what the pruned model found or said
ANSWERED = re.compile(r'mf-says mf-pruned.*?<(?:span|del) class="mf-word[^>]*>([^<]*)', re.DOTALL)
BARS = {"look-up": 2.0, "asking": 8.0}  # seconds, of the 90th percentile
CHECKED = 12  # visits of each kind whose answers are computed again


@dataclass
class Visit:
    """A link that a session opened, and what came of it: seconds until it was there, and what stood on it."""

    page: str
    asked: dict[str, str]
    seconds: float = 0.0
    shown: dict[tuple[int, ...], str] = field(default_factory=dict)
    failed: str = ""

    @property
    def kind(self) -> str:
        return "asking" if self.page in ASKING else "look-up"

    @property
    def answers(self) -> list[str]:
        """What the pruned model says."""
        return [word for text in self.shown.values() for word in ANSWERED.findall(text)]


def soak(minutes: float, seed: int = 0) -> Iterator[str]:
    """Lines of a table: percentiles by kind of page, memory, and how many answers were the right ones."""
    ends = threading.Event()
    visits: list[Visit] = []  # appending is atomic
    memory: list[tuple[float, int]] = []
    yield f"what others run on this machine: a load of {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    with serving() as (url, server):
        _open(url, Visit("vqa", {}))  # the first visitor waits for the first model
        began = time.monotonic()
        walks = [_walk(random.Random(f"{seed} {n}")) for n in range(SESSIONS - 1)] + [_solve()]
        threads = [threading.Thread(target=_session, args=(url, walk, visits, ends)) for walk in walks]
        for thread in threads:
            thread.start()
        while time.monotonic() - began < 60 * minutes:
            time.sleep(1)
            memory.append((time.monotonic() - began, _resident(server)))
        ends.set()
        for thread in threads:
            thread.join()
    others = [visit for visit in visits if visit.asked["method"] != "tamt"]
    yield from _waits(others)
    solved = [visit.seconds for visit in visits if visit.asked["method"] == "tamt" and not visit.failed]
    yield f"sparsities solved with TAMT meanwhile, s: {', '.join(f'{seconds:.0f}' for seconds in solved) or 'none'}"
    yield _memory(memory)
    yield from _checked(others, random.Random(seed))


def _walk(rng: random.Random) -> Iterator[Visit]:
    """Endless links at random, a few pages with the same settings one after the other."""
    while True:
        asked = {
            "model": rng.choice(MODELS), "method": rng.choice(METHODS), "sparsity": f"{rng.randrange(101) / 100:.2f}",
            "scene": str(rng.randrange(1000)), "ask": rng.choice(QUESTIONS), "q": rng.choice(("a red car", "a boat at night")),
        }  # fmt: skip
        for _ in range(rng.randrange(1, 5)):
            yield Visit(rng.choice(ASKING if rng.random() < 0.3 else LOOK_UPS), asked)


def _solve() -> Iterator[Visit]:
    """Endless links to a mask that nobody has yet."""
    for step in count(50):
        yield Visit("layers", {"model": MODELS[step % 2], "method": "tamt", "sparsity": f"{step % 100 / 100:.2f}"})


def _session(url: str, walk: Iterator[Visit], visits: list[Visit], ends: threading.Event) -> None:
    while not ends.is_set():
        visit = next(walk)
        try:
            # at the end the others still get their pages, so that no long wait is left out
            if _open(url, visit, ends if visit.asked["method"] == "tamt" else None):
                visits.append(visit)
                ends.wait(PAUSE)
        except Exception as error:  # counted: a page that never came is no short wait
            visit.failed = f"{type(error).__name__}: {error}"
            visits.append(visit)


def _open(url: str, visit: Visit, ends: threading.Event | None = None) -> bool:
    """Open a link as a browser does and follow what comes, until the page is there; False where the soak ended first."""
    began = time.monotonic()
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    with connect(address, subprotocols=["streamlit"], max_size=None, proxy=None) as socket:
        ask = BackMsg()
        ask.rerun_script.query_string = urllib.parse.urlencode(visit.asked)
        ask.rerun_script.page_name = "" if visit.page == "overview" else visit.page
        socket.send(ask.SerializeToString())
        while ends is None or not ends.is_set():
            try:
                message = ForwardMsg.FromString(socket.recv(timeout=1))
            except TimeoutError:
                continue
            if _take(visit, message):
                visit.seconds = time.monotonic() - began
                return True
    return False


def _take(visit: Visit, message: ForwardMsg) -> bool:
    """Note what a message shows; True when it completes the page."""
    kind = message.WhichOneof("type")
    if kind == "delta":
        shown = message.delta.new_element if message.delta.HasField("new_element") else None
        sort = shown.WhichOneof("type") if shown else ""
        if sort == "exception":
            visit.failed = shown.exception.message
        text = shown.html.body if sort == "html" else shown.markdown.body if sort == "markdown" else ""
        path = tuple(message.metadata.delta_path)
        # what stood at this place, and in it, is gone
        visit.shown = {place: text for place, text in visit.shown.items() if place[: len(path)] != path} | {path: text}
        return visit.kind == "asking" and bool(PRUNED.search(text))
    if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
        visit.failed = "the script failed"
    return kind == "script_finished"


# --- what came of it ------------------------------------------------------------------------------------------------


def _waits(visits: list[Visit]) -> Iterator[str]:
    pages: dict[str, list[float]] = defaultdict(list)
    for visit in visits:
        pages[visit.page].append(visit.seconds)
        pages[f"all {visit.kind}"].append(visit.seconds)
    yield f"{'page':<15} {'visits':>7} {'median, s':>10} {'p90, s':>8} {'longest, s':>11}"
    for name, seconds in pages.items():
        yield f"{name:<15} {len(seconds):>7} {statistics.median(seconds):>10.2f} {_p90(seconds):>8.2f} {max(seconds):>11.2f}"
    for kind, bar in BARS.items():
        yield f"bar of {kind} pages: p90 <= {bar:.0f} s, " + (
            "held" if _p90(pages[f"all {kind}"]) <= bar else "NOT HELD"
        )
    failed = [f"{visit.page}: {visit.failed}" for visit in visits if visit.failed]
    yield f"{len(failed)} of {len(visits)} visits failed" + "".join(f"; {one}" for one in failed[:3])


def _p90(seconds: list[float]) -> float:
    """The time that nine of ten did not exceed.

    >>> _p90([1.0] * 9 + [5.0]), _p90([1.0, 5.0])
    (1.0, 5.0)
    """
    return sorted(seconds)[-(-9 * len(seconds) // 10) - 1] if seconds else 0.0


def _memory(found: list[tuple[float, int]]) -> str:
    """The plateau is the median of the second half; what grows goes on growing in it."""
    half = [size for _, size in found[len(found) // 2 :]]
    plateau = statistics.median(half)
    growth = statistics.median(half[-len(half) // 4 :]) / statistics.median(half[: len(half) // 4 + 1]) - 1
    return (
        f"memory of the server: plateau {plateau / 1e6:.0f} MB, {growth:+.1%} from the first to the last quarter of the second "
        f"half, at most {max(size for _, size in found) / plateau - 1:+.1%}"
    )


def _resident(process: int) -> int:
    line = next(x for x in Path(f"/proc/{process}/status").read_text().splitlines() if x.startswith("VmRSS"))
    return 1024 * int(line.split()[1])


def _checked(visits: list[Visit], rng: random.Random) -> Iterator[str]:
    """Answers are computed again from the checkpoint, without the dashboard; look-ups are opened again on a quiet, new server."""
    asked = [visit for visit in visits if visit.page == "vqa" and visit.answers]  # not every model can
    sample = rng.sample(asked, min(CHECKED, len(asked)))
    right = sum(visit.answers == [_answer(visit.asked)] for visit in sample)
    yield f"{right} of {len(sample)} answers are those of a direct computation"
    looked = [visit for visit in visits if visit.kind == "look-up" and not visit.failed]
    sample = rng.sample(looked, min(CHECKED, len(looked)))
    with serving() as (url, _):
        same = sum(_again(url, visit).shown == visit.shown for visit in sample)
    yield f"{same} of {len(sample)} look-up pages say the same on a quiet server"


def _again(url: str, visit: Visit) -> Visit:
    twin = Visit(visit.page, visit.asked)
    _open(url, twin)
    return twin


def _answer(asked: dict[str, str]) -> str:
    """What a pruned model answers, from the checkpoint alone."""
    vlm = mf.load(checkpoints.source(asked["model"]))
    shipped = mf.Statistics.load(vlm.folder / "statistics.safetensors")
    masks = mf.rank(vlm.model, asked["method"], statistics=shipped).masks(float(asked["sparsity"]))
    picture = gallery.picture("", int(asked["scene"]))
    pruned = vlm.prune(masks)
    return pruned.answer([picture.seen_by(pruned)], [asked["ask"]])[0].text or "(nothing)"
