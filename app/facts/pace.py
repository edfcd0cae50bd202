"""How long a smaller model takes beside the dense one: timed when a page shows it, on this machine, in a second."""

from __future__ import annotations

from multiflow_core.experiments.run import SMALLER, Run
from multiflow_core.experiments.speed import WORDS, Timing, pace

from ..engine import runs, shipped
from ..engine.store import STORE, Progress
from . import gallery

PICTURES = 16
WHAT = {
    "retrieval": f"Looking at {PICTURES} pictures",
    "captioning": f"Describing {PICTURES} pictures in {WORDS} words",
}


@STORE.keep(64, asks=True)
def timed(key: Run, task: str, report: Progress) -> tuple[Timing, Timing, Timing]:
    """Seconds of the dense model and of a run's, and how many times as fast that is."""
    report(0.5, "timing both models")
    images = gallery.gallery(key.model, key.data).images
    images = [images[i % len(images)] for i in range(PICTURES)]
    return pace(runs.vlm(key.model), shipped.asked(key, task), task, images)


def sentence(key: Run, task: str, progress: Progress | None = None) -> str:
    """What was timed, for people; "" of models that are as large as the dense one, which take as long."""
    if key.form != SMALLER:
        return ""
    dense, small, faster = timed(key, task, progress)
    return (
        f"{WHAT[task]} took the dense model {_seconds(dense)} and this one {_seconds(small)} on this machine: "
        f"{faster.seconds:.2f} times as fast (quartiles of five turns: {faster.low:.2f} and {faster.high:.2f})."
    )


def _seconds(time: Timing) -> str:
    return f"{time.seconds:.2f} s" if time.seconds >= 1 else f"{1000 * time.seconds:.0f} ms"
