"""Two lanes for all work that takes longer than a moment.

Sessions are threads that share two things: the processor and the dense model. So what they need is made by *jobs*, and
sessions that need the same wait for the same job. A waiting session keeps reporting progress, which is where Streamlit
may interrupt it; a job that nobody waits for any more is told to stop at its next report.

Each lane runs one job at a time: the short one, and one for what is known to be long, which runs beside it at a lower
priority. In the short lane look-ups go before jobs that ask a model, these before what is made in spare time, and among
equals the page that was opened first: a page of ten jobs waits in line once, not ten times. A job that waits for another one
lets the next of its lane go ahead meanwhile; a short job that turns out to take its time lets the others go ahead between two
steps, and one of spare time does so at every step.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from bisect import insort
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from multiflow_core.support.threads import Progress

POLL = 0.05
TURN = 1.0  # seconds that a short job may keep others waiting between two steps
LOOK_UP, ASKS, SPARE = range(3)  # the places in the line of the short lane
THREADS = 256  # of a lane: one that runs, and those that wait for jobs of the other


class Abandoned(BaseException):
    """Raised inside a job that nobody waits for any more."""


class Job:
    """What makes one thing; `within` another job it runs on that one's thread and in its turn."""

    def __init__(self, name: Hashable, make: Callable[[Progress], Any], lane: Lane, place: tuple[int, float]):
        self.name, self.make, self.lane = name, make, lane
        self.place = place  # in the line: what kind of job it is, and when the page that wants it was opened
        self.within: Job | None = None
        self.begun, self.turn, self.done = False, threading.Event(), threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None
        self.state: tuple[float, str] = (0.0, "starting")
        self.turned = self.stepped = time.monotonic()  # when its turn began, and the step that it reports
        self.waiters = 0

    @property
    def wanted(self) -> bool:
        return self.waiters > 0 or (self.within is not None and self.within.wanted)

    @property
    def outermost(self) -> Job:
        return self if self.within is None else self.within.outermost

    def tell(self, fraction: float, message: str) -> None:
        if fraction < self.state[0]:
            self.stepped = time.monotonic()
        self.state = (fraction, message)
        if self.within is not None:
            self.within.tell(fraction, message)

    def outlook(self) -> str:
        """What it is doing, and about how long that still takes."""
        (fraction, message), passed = self.state, time.monotonic() - self.stepped
        if not 0.02 < fraction < 1 or passed < 1:
            return message
        return f"{message} ({fraction:.0%}, about {_duration(passed * (1 / fraction - 1))} left)"


class Lane:
    """Jobs that run one at a time."""

    def __init__(self, name: str, prepare: Callable[[], None] | None = None):
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix=f"multiflow-{name}", initializer=prepare)
        self.runs: Job | None = None
        self.line: list[Job] = []

    def join(self, job: Job) -> None:
        """Stand in line behind all that go first."""
        insort(self.line, job, key=lambda other: other.place)

    def ahead(self, job: Job) -> str:
        """What a job in the line waits for."""
        place = self.line.index(job) + 1
        return (
            f"{place} {'job' if place == 1 else 'jobs'} ahead, now {self.runs.outlook() if self.runs else 'starting'}"
        )


class Lanes:
    """Make things, each once for all who ask for it meanwhile.

    >>> lanes = Lanes()
    >>> lanes.get("a square", lambda report: 7 * 7)
    49

    Two jobs never wait for one another, as long as no thing needs itself: a job waits only for what it needs.
    """

    def __init__(self) -> None:
        self._jobs: dict[Hashable, Job] = {}
        self._lock = threading.Lock()  # of all jobs and lanes
        self._short, self._long = Lane("short"), Lane("long", _step_back)
        # its `job`: what this thread is at; `opened`: when the page that it runs was; `spare`: whether nobody waits for it
        self._here = threading.local()

    def open(self) -> None:
        """A page begins on this thread: what it needs stands in line as from now."""
        self._here.opened = time.monotonic()

    def give_way(self) -> None:
        """Whatever this thread asks for from now on is made in spare time."""
        self._here.spare = True

    def get(
        self,
        name: Hashable,
        make: Callable[[Progress], Any],
        progress: Progress | None = None,
        long: bool = False,
        asks: bool = False,
    ) -> Any:
        """What `make(report)` returns, or raises; see `Room.get`."""
        inside: Job | None = getattr(self._here, "job", None)
        told = progress if inside is None else partial(self._report, inside)
        while True:
            with self._lock:
                job, mine = self._job(name, make, inside, self._long if long else self._short, asks)
                job.waiters += not mine
            if mine:
                self._do(job)
            else:
                self._wait(job, told, inside)
            if job.error is None:
                return job.value
            if mine or not isinstance(job.error, Abandoned):
                raise job.error
            # all others had left it when this one came: once more

    def _job(
        self, name: Hashable, make: Callable[[Progress], Any], inside: Job | None, lane: Lane, asks: bool
    ) -> tuple[Job, bool]:
        """The job that makes a thing, and whether it is for the job `inside` to do itself: what has not begun elsewhere."""
        known = self._jobs.get(name)
        place = inside.outermost.place if inside else self._place(asks)
        job = known or Job(name, make, lane, place)
        self._jobs[name] = job
        self._hurry(job.outermost, place)
        if inside is not None and not job.begun and job.lane in (self._short, inside.lane):
            if known:
                job.lane.line.remove(job)
            job.within, job.lane, job.begun = inside, inside.lane, True
            return job, True
        if not known:
            lane.join(job)
            self._advance(lane)
        return job, False

    def _place(self, asks: bool) -> tuple[int, float]:
        """Where what this thread asks for stands in line."""
        if getattr(self._here, "spare", False):
            return SPARE, time.monotonic()
        return ASKS if asks else LOOK_UP, getattr(self._here, "opened", time.monotonic())

    def _hurry(self, job: Job, place: tuple[int, float]) -> None:
        """Let a job go as early as the most urgent of those who want it."""
        if place >= job.place:
            return
        job.place = place
        if job in job.lane.line:
            job.lane.line.remove(job)
            job.lane.join(job)

    def _wait(self, job: Job, told: Progress | None, inside: Job | None) -> None:
        """Wait until a job is done; the job `inside` gives up its turn meanwhile."""
        waiting = inside and inside.outermost
        if waiting:
            self._step_aside(waiting)
        try:
            while not job.done.wait(POLL):
                if told is not None:
                    told(*self._said(job))
        finally:
            with self._lock:
                job.waiters -= 1
                if not job.wanted and not job.begun and job in job.lane.line:
                    job.lane.line.remove(job)
                    del self._jobs[job.name]
            if waiting:
                self._step_back_in(waiting, first=True)

    def _said(self, job: Job) -> tuple[float, str]:
        with self._lock:
            first = job.outermost
            return (job.state[0], first.lane.ahead(first)) if first in first.lane.line else job.state

    def _report(self, job: Job, fraction: float, message: str) -> None:
        if not job.wanted:
            raise Abandoned
        job.tell(fraction, message)
        first = job.outermost
        if first.lane is self._short and first.lane.line and self._overdue(first):
            first.place = (first.place[0], time.monotonic())  # behind all that wait now
            self._step_aside(first)
            self._step_back_in(first)

    def _overdue(self, job: Job) -> bool:
        if job.lane.runs is not job:
            return False
        if job.place[0] == SPARE:
            return job.lane.line[0].place[0] < SPARE
        return time.monotonic() - job.turned >= TURN

    def _do(self, job: Job) -> None:
        before = getattr(self._here, "job", None)
        self._here.job = job
        try:
            if before is None:
                all_cores()
                self._report(job, 0.0, "starting")
            job.value = job.make(partial(self._report, job))
        except BaseException as error:  # handed to whoever waits
            job.error = error
        finally:
            self._here.job = before
            with self._lock:
                self._end(job)

    def _end(self, job: Job) -> None:
        del self._jobs[job.name]
        job.done.set()
        if job.within is None:
            job.lane.runs = None
            self._advance(job.lane)

    # --- turns ------------------------------------------------------------------------------------------------------

    def _advance(self, lane: Lane) -> None:
        """Where nobody has the turn, give it to the first in line."""
        if lane.runs is not None or not lane.line:
            return
        job = lane.runs = lane.line.pop(0)
        job.turned = time.monotonic()
        if job.begun:
            job.turn.set()
            return
        job.begun, job.stepped = True, job.turned
        try:
            lane.pool.submit(self._do, job)
        except RuntimeError as error:  # the interpreter shuts down
            job.error = error
            self._end(job)

    def _step_aside(self, job: Job) -> None:
        with self._lock:
            job.lane.runs = None
            self._advance(job.lane)

    def _step_back_in(self, job: Job, first: bool = False) -> None:
        with self._lock:
            job.lane.line.insert(0, job) if first else job.lane.join(job)
            self._advance(job.lane)
        job.turn.wait()
        job.turn.clear()


def all_cores() -> None:
    """Let PyTorch use all cores on this thread: a new thread starts with what any other chose last."""
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))


def _step_back() -> None:
    """Lower the priority of this thread, and so of those it starts, where the system knows one of threads."""
    with suppress(AttributeError, OSError):
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def _duration(seconds: float) -> str:
    """A time to wait.

    >>> _duration(42.4), _duration(200)
    ('42 s', '3 min')
    """
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
