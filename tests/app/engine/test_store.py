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
from app.engine.store import Abandoned, Store
from multiflow_core.pruning.solved_order import Request, Solved


class Interrupted(BaseException):
    """Stands for Streamlit's rerun exception."""


@pytest.fixture
def store() -> Store:
    return Store({"room": 2, "other": 2})


def test_a_result_is_made_once_for_all(store):
    made = []

    def make(report):
        made.append(1)
        time.sleep(0.1)
        return object()

    found = []
    threads = [threading.Thread(target=lambda: found.append(store.get("room", "k", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and len(set(map(id, found))) == 1 and len(found) == 8


def test_the_oldest_result_goes(store):
    for key in "abac":
        store.get("room", key, lambda report: 1)
    assert ("room", "a") in store and ("room", "c") in store and ("room", "b") not in store


def test_jobs_may_need_other_results(store):
    assert store.get("room", "a", lambda report: 1 + store.get("other", "b", lambda report: 41)) == 42
    assert ("other", "b") in store


def test_an_error_reaches_the_caller_and_is_not_kept(store):
    with pytest.raises(ZeroDivisionError):
        store.get("room", "a", lambda report: 1 / 0)
    assert store.get("room", "a", lambda report: 2) == 2


def test_progress_is_told_while_waiting(store):
    seen = []

    def make(report):
        report(0.5, "half way")
        time.sleep(0.3)
        return 1

    store.get("room", "a", make, lambda fraction, message: seen.append((fraction, message)))
    assert (0.5, "half way") in seen


def test_a_changed_mind_ends_the_work(store):
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
        store.get("room", "a", make, interrupt)
    assert ended.wait(5)
    assert ("room", "a") not in store
    assert store.get("room", "a", lambda report: "new") == "new"


def test_work_goes_on_while_somebody_waits(store):
    go = threading.Event()

    def make(report):
        while not go.wait(0.01):
            report(0.5, "long")
        return "done"

    found = []
    patient = threading.Thread(target=lambda: found.append(store.get("room", "a", make)))
    patient.start()
    time.sleep(0.1)

    def interrupt(fraction, message):
        raise Interrupted

    with pytest.raises(Interrupted):
        store.get("room", "a", make, interrupt)
    go.set()
    patient.join(5)
    assert found == ["done"]


# --- memory ---------------------------------------------------------------------------------------------------------

MEGABYTES = [np.zeros(n << 20, np.uint8) for n in range(6)]  # MEGABYTES[n] takes n of them


def kept(store: Store, room: str) -> str:
    return "".join(key for key in "abcdef" if (room, key) in store)


def test_all_rooms_together_keep_no_more_than_the_limit():
    store = Store({"room": 9, "other": 9}, limit=5 << 20)
    for room, key, size in (("room", "a", 2), ("other", "b", 2), ("room", "c", 1)):
        store.get(room, key, lambda report, size=size: MEGABYTES[size].copy())
    assert kept(store, "room") + kept(store, "other") == "acb"
    store.get("room", "a", lambda report: 1 / 0)  # used again, so that b is the oldest
    store.get("other", "d", lambda report: MEGABYTES[1].copy())
    assert kept(store, "room") + kept(store, "other") == "acd"


def test_what_results_share_counts_once():
    store = Store({"room": 9}, limit=3 << 20)
    for key in "abc":
        store.get("room", key, lambda report: {"shared": MEGABYTES[3][:1000]})
    assert kept(store, "room") == "abc"


def test_a_room_with_its_own_limit_keeps_its_last_and_gives_way_to_nobody():
    store = Store({"room": 9, "models": 9}, limits={"models": 3 << 20}, limit=4 << 20)
    store.get("models", "a", lambda report: MEGABYTES[2])
    store.get("models", "b", lambda report: MEGABYTES[5])
    assert kept(store, "models") == "b"
    for key in "cd":
        store.get("room", key, lambda report: MEGABYTES[1].copy())
    assert kept(store, "models") == "b" and kept(store, "room") == "d"  # the newest is kept, whatever the limit


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
