"""Measuring from a page: the command that a reader could type as well, run beside the server at a lower priority.

It is the command line's own `evaluate`, so that repeating it gives the same numbers. It writes its result file after every run
and repeats nothing that the file holds: stopping loses one run at most, and starting again goes on.
"""

from __future__ import annotations

import shlex
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from multiflow_core.experiments.sweep import plan as runs_of

from . import calibration, checkpoints, data_sets, runs, swept
from .beside import Beside, started
from .store import Progress

FORWARDS = {
    "captioning": 12,
    "vqa": 2,
}  # what a picture costs in passes of the whole model, where that is more than one


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes:
        pictures: at most so many of the data's test split.
        pairs: of the data's train split that the methods are calibrated with.
    """

    model: str
    data: str
    methods: tuple[str, ...]
    sparsities: tuple[float, ...]
    tasks: tuple[str, ...]
    pictures: int
    pairs: int

    @property
    def file(self) -> Path:
        """Where the figures go."""
        return checkpoints.result_file(self.model, self.data)

    @property
    def what(self) -> str:
        """What is being measured, as the beginning of a sentence."""
        return f"{checkpoints.title(self.model)} on {data_sets.title(self.data)}"

    @property
    def total(self) -> int:
        """How many models are measured, the dense one among them."""
        return 1 + len(runs_of(self.methods, self.sparsities))

    @property
    def command(self) -> str:
        """What does the same on the command line."""
        return shlex.join(["python", *self._arguments])

    @property
    def _arguments(self) -> list[str]:
        model, data = str(checkpoints.address_of(self.model)), data_sets.source(self.data)
        said = ["-m", "multiflow_core", "evaluate", model]
        if data:
            said += ["--data", data]
        said += ["--items", str(self.pictures), "--pairs", str(self.pairs), "--tasks", *self.tasks]
        said += ["--methods", *self.methods, "--sparsities", *(f"{s:g}" for s in self.sparsities)]
        return [*said, "--out", str(self.file)]

    def seconds(self, progress: Progress | None = None) -> float:
        """About how long it takes on two cores: the passes through the model, and what the methods need."""
        pair = runs.work(self.model, progress)
        passes = sum(FORWARDS.get(task, 1) for task in self.tasks) * self.pictures * self.total
        passes += self.pairs * any(runs.method(name).needs for name in self.methods)
        return passes * pair / calibration.MINUTE * 60


@dataclass(kw_only=True)
class Measurement(Beside):
    """A plan that is being carried out, or was: what was measured stays in its file."""

    plan: Plan
    began: float = field(default_factory=time.monotonic)

    @property
    def other(self) -> bool:
        """Whether it ended because the file holds figures of something else, such as of fewer pictures."""
        return self.problem.endswith("a file of their own.")

    @property
    def done(self) -> int:
        """How many models were measured, or found in the file."""
        return min(len(self.lines), self.plan.total)

    @property
    def left(self) -> float | None:
        """About how many seconds it still takes, from what it took so far; None before the first model is measured."""
        if not self.done:
            return None
        return (time.monotonic() - self.began) / self.done * (self.plan.total - self.done)


_LOCK = threading.Lock()
_HELD: dict[tuple[str, str], Measurement] = {}  # the last of every model and data set


class Busy(ValueError):
    """Another measurement is going on; the text is a sentence."""


def start(plan: Plan) -> Measurement:
    """Carry out a plan. Busy while another one, or a sweep, is carried out: two at once would only take twice as long."""
    with _LOCK:
        _check_free()
        plan.file.parent.mkdir(parents=True, exist_ok=True)
        held = _HELD[plan.model, plan.data] = Measurement(plan=plan, process=started(plan._arguments))
    held.follow("measuring")
    return held


def _check_free() -> None:
    """Busy while something is measured, or a sweep goes on."""
    if (sweep := swept.status()) and sweep.running:
        raise Busy("A sweep is going on on this machine (Benchmark says how far it is). Try again when it has ended.")
    if other := next((one for one in _HELD.values() if one.running), None):
        raise Busy(
            f"{other.plan.what} is being measured on this server: {other.done} of {other.plan.total} done. Try again later."
        )


def running() -> bool:
    """Whether anything is being measured."""
    return any(one.running for one in _HELD.values())


def anew(plan: Plan) -> Measurement:
    """Carry out a plan into a new file; the one that holds figures of something else stays beside it, with a number."""
    _check_free()
    if plan.file.is_file():
        names = (plan.file.with_stem(f"{plan.file.stem} until {n}") for n in count(1))
        plan.file.rename(next(name for name in names if not name.exists()))
    return start(plan)


def of(model: str, data: str) -> Measurement | None:
    """The last measurement of a model on a data set, since the server was started."""
    return _HELD.get((model, data))
