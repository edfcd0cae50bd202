"""One worker, shared results, and work that can be abandoned."""

import gc
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from app import warmup
from app.engine.memory import buffers, total
from app.engine.store import Abandoned, Room, Store
from multiflow_core.pruning.solved_order import Request, Solved


class Interrupted(BaseException):
    """Stands for Streamlit's rerun exception."""


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def room(store) -> Room:
    return store.room(2)


def test_a_result_is_made_once_for_all(room):
    made = []

    def make(report):
        made.append(1)
        time.sleep(0.1)
        return object()

    found = []
    threads = [threading.Thread(target=lambda: found.append(room.get("k", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and len(set(map(id, found))) == 1 and len(found) == 8


def test_the_oldest_result_goes(room):
    for key in "abac":
        room.get(key, lambda report: 1)
    assert "a" in room and "c" in room and "b" not in room


def test_jobs_may_need_other_results(store, room):
    other = store.room(2)
    assert room.get("a", lambda report: 1 + other.get("b", lambda report: 41)) == 42
    assert "b" in other


def test_a_kept_function_is_run_once_for_the_same_arguments(store):
    made, told = [], []

    @store.keep(2)
    def added(a, b, report):
        """A sum."""
        report(0.5, "adding")
        made.append((a, b))
        time.sleep(0.1)
        return a + b

    assert added(1, 2, lambda fraction, message: told.append(message)) == added(1, 2) == 3
    assert made == [(1, 2)] and "adding" in told and added.__doc__ == "A sum."
    assert added.holds(1, 2) and not added.holds(2, 1)


def test_an_error_reaches_the_caller_and_is_not_kept(room):
    with pytest.raises(ZeroDivisionError):
        room.get("a", lambda report: 1 / 0)
    assert room.get("a", lambda report: 2) == 2


def test_progress_is_told_while_waiting(room):
    seen = []

    def make(report):
        report(0.5, "half way")
        time.sleep(0.3)
        return 1

    room.get("a", make, lambda fraction, message: seen.append((fraction, message)))
    assert (0.5, "half way") in seen


def test_a_changed_mind_ends_the_work(room):
    ended = threading.Event()

    def make(report):
        try:
            for step in range(1000):
                time.sleep(0.01)
                report(step / 1000, "long")
        except Abandoned:
            ended.set()
            raise

    def interrupt(fraction, message):
        if fraction > 0:
            raise Interrupted

    with pytest.raises(Interrupted):
        room.get("a", make, interrupt)
    assert ended.wait(5)
    assert "a" not in room
    assert room.get("a", lambda report: "new") == "new"


def test_work_goes_on_while_somebody_waits(room):
    go = threading.Event()

    def make(report):
        while not go.wait(0.01):
            report(0.5, "long")
        return "done"

    found = []
    patient = threading.Thread(target=lambda: found.append(room.get("a", make)))
    patient.start()
    time.sleep(0.1)

    def interrupt(fraction, message):
        raise Interrupted

    with pytest.raises(Interrupted):
        room.get("a", make, interrupt)
    go.set()
    patient.join(5)
    assert found == ["done"]


# --- memory ---------------------------------------------------------------------------------------------------------

MEGABYTES = [np.zeros(n << 20, np.uint8) for n in range(6)]  # MEGABYTES[n] takes n of them


def kept(room: Room) -> str:
    return "".join(key for key in "abcdef" if key in room)


def fill(room: Room, **megabytes: int) -> None:
    for key, size in megabytes.items():
        room.get(key, lambda report, size=size: MEGABYTES[size].copy())


def test_all_rooms_together_keep_no_more_than_the_limit():
    store = Store(limit=5 << 20)
    room, other = store.room(9), store.room(9)
    fill(room, a=2)
    fill(other, b=2)
    fill(room, c=1)
    assert kept(room) + kept(other) == "acb"
    room.get("a", lambda report: 1 / 0)  # used again, so that b is the oldest
    fill(other, d=1)
    assert kept(room) + kept(other) == "acd"


def test_what_results_share_counts_once():
    room = Store(limit=3 << 20).room(9)
    for key in "abc":
        room.get(key, lambda report: {"shared": MEGABYTES[3][:1000]})
    assert kept(room) == "abc"


def test_a_room_with_its_own_limit_keeps_its_last_and_gives_way_to_nobody():
    store = Store(limit=4 << 20)
    room, models = store.room(9), store.room(9, limit=3 << 20)
    fill(models, a=2, b=5)
    assert kept(models) == "b"
    fill(room, c=1, d=1)
    assert kept(models) == "b" and kept(room) == "d"  # the newest is kept, whatever the limit


def test_memory_is_found_wherever_it_is():
    linear, other = nn.Linear(8, 4), torch.zeros(16)
    order = Solved(Request(linear, (), SimpleNamespace(updates_weights=False)), lambda count, progress: other)
    assert total(buffers(linear)) == total(buffers([linear, linear.weight[:2]])) == 4 * (32 + 4)
    assert total(buffers(order)) == total(buffers((order, other))) == 4 * 16


def test_what_stays_is_no_garbage_to_be_looked_through():
    """After warming up, the collector of every page's run leaves libraries and the first model alone."""
    before = gc.get_freeze_count()
    warmup._warm()
    try:
        assert gc.get_freeze_count() > before + 100_000
    finally:
        gc.unfreeze()
