"""A sweep is carried out: killed and stopped at any moment it goes on, what is there is not computed again, masks are shared."""

import json
import multiprocessing
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

import pytest

from multiflow_core.experiments.run import Run
from multiflow_core.sweeps import running
from multiflow_core.sweeps.cell import Cell
from multiflow_core.sweeps.running import Sweeping
from multiflow_core.sweeps.status import Status, refuse_second
from multiflow_core.sweeps.store import CELLS, Outcome, Store
from multiflow_core.sweeps.table import table_of
from multiflow_core.sweeps.work import jobs_of, needs

MANY = [Cell("m", Run("", method, s / 20), "vqa") for method in ("omp", "lamp", "snip", "l2") for s in range(1, 11)]
PAUSE = 0.04  # seconds of a cell


def outcome_of(cell: Cell) -> Outcome:
    return Outcome({"all": int(cell.digest, 16) / 16**16}, achieved=cell.run.sparsity)


def quick_work(job) -> list[tuple[Cell, Outcome]]:
    """What a worker does, without a model."""
    store = Store(job.folder)
    for cell in job.cells:
        time.sleep(PAUSE)
        if store.find(cell) is None:
            store.keep(cell, outcome_of(cell))
    return [(cell, outcome_of(cell)) for cell in job.cells]


@contextmanager
def two_threads(workers, threads):
    pool = ThreadPoolExecutor(2)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(running, "work", quick_work)
    monkeypatch.setattr(running, "processes", two_threads)
    monkeypatch.setattr(running, "EVERY", 0.01)


def silent(line: str) -> None:
    pass


def sweep(folder, cells=MANY, report=silent) -> Store:
    store = Store(folder)
    Sweeping(cells, store, report=report).run()
    return store


def told(store: Store) -> str:
    return json.dumps([str(entry) for entry in table_of(MANY, store, "T", "").entries])


def test_killed_five_times_it_gives_the_same_table(tmp_path):
    whole, rng = sweep(tmp_path / "whole"), random.Random(0)
    folder, left = tmp_path / "killed", []
    for _ in range(5):
        process = multiprocessing.get_context("fork").Process(target=sweep, args=(folder,))
        process.start()
        wanted = max(0, len(Store(folder).missing(MANY)) - rng.randint(1, 3))  # killed once these are there
        while len(Store(folder).missing(MANY)) > wanted:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        left.append(len(Store(folder).missing(MANY)))
        for file in (folder / CELLS).glob("*.json") if (folder / CELLS).is_dir() else ():
            Outcome.read(file.read_text())  # never half of one
    assert left == sorted(left, reverse=True) and 0 < left[-1] < len(MANY)
    assert told(sweep(folder)) == told(whole) and not Store(folder).missing(MANY)
    assert {file.name for file in (folder / CELLS).iterdir()} == {
        f"{cell.digest}.json" for cell in MANY
    }  # and nothing else


def test_stopped_it_says_so_and_goes_on(tmp_path):
    seen = []

    def stop(line: str) -> None:
        seen.append(line)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(tmp_path, report=stop)
    status = Status.of(tmp_path)
    assert status.state == "stopped" and not status.running and 0 < status.done < status.total == len(MANY)
    sweep(tmp_path)
    assert Status.of(tmp_path).state == "finished" and Status.of(tmp_path).done == len(MANY)


def test_what_is_there_is_not_computed_again(tmp_path, monkeypatch):
    store = sweep(tmp_path, MANY[:15])
    done = []
    monkeypatch.setattr(running, "work", lambda job: done.extend(job.cells) or quick_work(job))
    lines = []
    sweep(tmp_path, report=lines.append)
    assert sorted(done, key=MANY.index) == MANY[15:]
    assert len(lines) == len(MANY) - 15 and lines[-1].startswith("40 of 40  ") and "VQA 0." in lines[-1]
    assert not store.missing(MANY)


def test_outcomes_of_a_worker_that_sees_no_folder_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "work", lambda job: [(cell, outcome_of(cell)) for cell in job.cells])
    assert not sweep(tmp_path).missing(MANY)


def test_a_cell_that_fails_takes_no_other_with_it(tmp_path, monkeypatch):
    def fails(job):
        if job.cells[0].run.method == "snip":
            raise RuntimeError("no gradients here")
        return quick_work(job)

    monkeypatch.setattr(running, "work", fails)
    with pytest.raises(ValueError, match=r"10 cells could not be computed: m snip 5 % .*no gradients here"):
        sweep(tmp_path)
    assert {cell.run.method for cell in Store(tmp_path).missing(MANY)} == {"snip"}


def test_the_cells_of_a_lost_worker_are_computed_again(tmp_path, monkeypatch):
    lost = []

    def dies_once(job):
        if not lost:
            lost.append(job)
            raise BrokenProcessPool
        return quick_work(job)

    monkeypatch.setattr(running, "work", dies_once)
    lines = []
    assert not sweep(tmp_path, report=lines.append).missing(MANY)
    assert len([line for line in lines if "a worker was lost" in line]) == 1


def test_workers_that_are_lost_again_and_again_are_given_up(tmp_path, monkeypatch):
    def dies(job):
        raise BrokenProcessPool

    monkeypatch.setattr(running, "work", dies)
    with pytest.raises(ValueError, match="workers were lost 3 times on the same cells, m omp 5 %"):
        sweep(tmp_path)


def test_computed_again_the_figures_are_compared(tmp_path, monkeypatch):
    store = sweep(tmp_path, MANY[:4])
    assert Sweeping(MANY[:4], store, report=silent).again() == []
    store.keep(MANY[2], Outcome({"all": 0.123}))
    assert Sweeping(MANY[:4], store, report=silent).again() == [MANY[2]]
    assert store.find(MANY[2]).scores == {"all": 0.123}  # what is there stays


def test_masks_are_made_before_they_are_needed_and_once(tmp_path):
    tuned = [
        Cell("m", Run("", "omp", s), task, transfer="fine-tuned") for s in (0.5, 0.7) for task in ("vqa", "retrieval")
    ]
    dense = Cell("m", Run("", ""), "vqa", transfer="fine-tuned")
    cells = [Cell("m", Run("", "omp", 0.5), "vqa"), *tuned, dense]
    at_once, after = jobs_of(cells, Store(tmp_path))
    (order,) = at_once
    assert order.cells == (cells[0],) and [cell.run.sparsity for cell in order.keep] == [0.5, 0.7]
    assert [job.cells[0] for job in after] == [*tuned, dense]
    assert [needs(job, at_once) for job in after] == [order] * 4 + [None]


def test_tuned_cells_wait_for_their_masks(tmp_path, monkeypatch):
    began = []
    monkeypatch.setattr(running, "work", lambda job: began.append(job) or quick_work(job))
    tuned = Cell("m", Run("", "omp", 0.5), "vqa", transfer="fine-tuned")
    sweep(tmp_path, [tuned, Cell("m", Run("", "omp", 0.5), "vqa")])
    assert [job.tuned for job in began] == [False, True]


def test_two_at_once_in_one_folder_are_refused(tmp_path):
    Status(1, 2, 3.0, "running", os.getppid()).write(tmp_path)
    with pytest.raises(ValueError, match="is at work in"):
        refuse_second(tmp_path)
    Status(1, 2, 3.0, "running", 2**22 + 1).write(tmp_path)  # of a process that is no more
    refuse_second(tmp_path)
    (tmp_path / "status.json").write_text("{")
    assert Status.of(tmp_path) is None
