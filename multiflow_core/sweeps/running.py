"""A sweep that is carried out: which cells there are, who does them, how long it takes, and how it is told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager

from .cell import Cell
from .durations import Estimate, estimate
from .executors import cores, dask, processes, shared_out
from .status import Status
from .store import Outcome, Store
from .table import COLUMNS, Column
from .work import Job, jobs_of, needs, pairwise_same, work

EVERY = 1.0  # seconds between two looks
TRIES = 3  # for one job, where its worker was lost
Report = Callable[[str], None]


class Sweeping:
    """Cells that are computed into a folder. What the folder holds is not computed again, unless that is what is asked.

    Args:
        cells: of the sweep, or those that were chosen. store: the folder.
        workers: processes of this machine; 0: as many as its cores are enough for.
        scheduler: of a Dask cluster, in place of processes of this machine.
        report: is told a line at every step.
    """

    def __init__(
        self, cells: Sequence[Cell], store: Store, workers: int = 0, scheduler: str = "", report: Report = print
    ):
        self.cells, self.store, self.scheduler, self.report = list(cells), store, scheduler, report
        self.threads = max((cell.setting.threads for cell in cells), default=1)
        self._failed: dict[str, str] = {}  # {cell: why it could not be computed}
        self._asked_workers = workers

    @property
    def workers(self) -> int:
        at_once, after = jobs_of(self.store.missing(self.cells), self.store)
        return shared_out(cores(), self.threads, max(len(at_once), len(after)), self._asked_workers)

    def estimate(self) -> Estimate:
        """How long what is missing will take."""
        return estimate(self.cells, self.store, self.workers)

    def run(self) -> None:
        """Compute what is missing. Whatever ends it, KeyboardInterrupt included, what was computed stays in the folder."""
        missing = self.store.missing(self.cells)
        self._state("running" if missing else "finished", missing)
        if not missing:
            return
        try:
            self._carry_out(missing)
        except BaseException:
            self._state("stopped", self.store.missing(missing))
            raise
        self._state("finished", left := self.store.missing(missing))
        if self._failed:
            name, why = next(iter(self._failed.items()))
            raise ValueError(f"{len(left)} cells could not be computed: {name} ({why})")

    def again(self) -> list[Cell]:
        """Compute all cells anew, beside the folder, and return those whose figures differ from the folder's."""
        beside = Store(self.store.folder / "again")
        shutil.rmtree(beside.folder, ignore_errors=True)
        Sweeping(self.cells, beside, self._asked_workers, self.scheduler, self.report).run()
        differ = []
        for cell in self.cells:
            now, before = beside.find(cell), self.store.find(cell)
            if before is None:
                self.store.keep(cell, now)
            elif not pairwise_same(before, now):
                differ.append(cell)
        shutil.rmtree(beside.folder, ignore_errors=True)
        return differ

    def _executor(self) -> AbstractContextManager:
        return dask(self.scheduler, self.threads) if self.scheduler else processes(self.workers, self.threads)

    def _carry_out(self, missing: list[Cell]) -> None:
        tries: dict[str, int] = {}
        while missing:
            try:
                with self._executor() as executor:
                    self._go(executor, missing)
            except BrokenProcessPool:  # a worker was killed; all that were going on are lost
                left = self.store.missing(missing)
                for cell in left:
                    tries[cell.digest] = tries.get(cell.digest, 0) + 1
                if len(left) == len(missing) and max(tries.values()) >= TRIES:
                    raise ValueError(
                        f"workers were lost {TRIES} times on the same cells, {left[0].name} first"
                    ) from None
                self.report("a worker was lost; its cells are computed again")
            missing = [cell for cell in self.store.missing(missing) if cell.name not in self._failed]

    def _go(self, executor, missing: list[Cell]) -> None:
        """Submit jobs as they can be done, look what has come, until everything is there."""
        at_once, after = jobs_of(missing, self.store)
        waiting = [(job, needs(job, at_once)) for job in after]
        going: dict[Future, Job] = {executor.submit(work, job): job for job in at_once}
        left = {cell.digest: cell for cell in missing}
        finished: list[Job] = []
        while going or waiting:
            ready = [pair for pair in waiting if pair[1] is None or pair[1] in finished]
            waiting = [pair for pair in waiting if pair not in ready]
            going |= {executor.submit(work, job): job for job, _ in ready}
            done, _ = wait(going, EVERY, FIRST_COMPLETED)
            for future in done:
                finished.append(going.pop(future))
                self._take(future, finished[-1])
            self._look(left)

    def _take(self, future: Future, job: Job) -> None:
        """Keep what a job has brought. One that failed takes none of the others with it."""
        try:
            brought = future.result()
        except BrokenProcessPool:
            raise
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            self._failed |= {cell.name: why for cell in self.store.missing(job.cells or job.keep)}
            self.report(f"failed: {', '.join(cell.name for cell in job.cells or job.keep)} ({why})")
            return
        for cell, outcome in brought:
            if self.store.find(cell) is None:  # a worker that does not see this folder
                self.store.keep(cell, outcome)

    def _look(self, left: dict[str, Cell]) -> None:
        """Tell of the cells that have come since the last look."""
        come = [cell for cell in left.values() if self.store.file(cell).is_file() and self.store.find(cell)]
        for cell in come:
            del left[cell.digest]
            outcome = self.store.find(cell)
            told = "  ".join(f"{c.title} {outcome.scores[c.figure]:.3f}" for c in COLUMNS if _tells(c, cell, outcome))
            self.report(
                f"{len(self.cells) - len(left)} of {len(self.cells)}  {cell.name}  {told}  {outcome.took:.0f} s"
            )
        if come:
            self._state("running", list(left.values()))

    def _state(self, state: str, missing: Sequence[Cell]) -> None:
        guess = estimate(self.cells, self.store, self.workers) if missing else Estimate(0, 0, 0)
        Status(len(self.cells) - len(missing), len(self.cells), guess.seconds, state, os.getpid(), f"{guess}").write(
            self.store.folder
        )


def _tells(column: Column, cell: Cell, outcome: Outcome) -> bool:
    return column.task == cell.task and column.figure in outcome.scores
