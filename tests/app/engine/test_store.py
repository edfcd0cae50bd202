"""Two lanes, shared results, and work that can be abandoned."""

import gc
import os
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import multiflow_core as mf
from app import warmup
from app.engine import lanes
from app.engine import store as stores
from app.engine.lanes import Abandoned
from app.engine.memory import buffers, total
from app.engine.store import Room, Store
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


# --- lanes ----------------------------------------------------------------------------------------------------------


class Held:
    """Something to make that begins and ends when the test says so."""

    def __init__(self, value="made"):
        self.value, self.begun, self.go, self.made = value, threading.Event(), threading.Event(), 0

    def __call__(self, report):
        self.made += 1
        self.begun.set()
        while not self.go.wait(0.01):
            report(0.5, f"making {self.value}")
        return self.value


@pytest.fixture
def ask():
    """ask(get, ...) -> a list, in which the result or error of get(...) on a thread of its own will be."""
    threads = []

    def asked(get, *args, **more) -> list:
        found = []

        def run():
            try:
                found.append(get(*args, **more))
            except BaseException as error:
                found.append(error)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        found_by[id(found)] = threads[-1]
        return found

    found_by = {}
    asked.end = lambda found: (found_by[id(found)].join(30), found)[1]
    yield asked
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def first_said(get, *args, **more) -> str:
    """What a session is told while it waits; then it goes."""
    said = []

    def hear(fraction, message):
        said.append(message)
        raise Interrupted

    with pytest.raises(Interrupted):
        get(*args, hear, **more)
    return said[0]


def test_a_short_job_is_done_beside_a_long_one(room, ask):
    long = Held()
    waiting = ask(room.get, "a", long, long=True)
    assert long.begun.wait(30)
    assert room.get("b", lambda report: "short") == "short" and not long.go.is_set()
    long.go.set()
    assert ask.end(waiting) == ["made"]


def test_a_short_job_that_needs_a_long_one_lets_others_go_ahead(room, ask):
    long, said = Held(), []
    waiting = ask(
        room.get, "a", lambda report: room.get("b", long, long=True) + "!", lambda _, message: said.append(message)
    )
    assert long.begun.wait(30)
    assert room.get("c", lambda report: "short") == "short"
    while "making made" not in said:  # it is told how far the other is
        assert not waiting
    long.go.set()
    assert ask.end(waiting) == ["made!"] and long.made == 1


@pytest.mark.parametrize("long", [True, False])
def test_what_one_lane_is_making_the_other_waits_for(store, ask, long):
    room, inner = store.room(9), Held()
    first = ask(room.get, "outer", lambda report: ("outer", room.get("inner", inner)), long=long)
    assert inner.begun.wait(30)
    heard = [threading.Event(), threading.Event()]
    hear = [lambda _, message, event=event: message == "making made" and event.set() for event in heard]
    second = ask(room.get, "other", lambda report: ("other", room.get("inner", inner)), hear[0], long=not long)
    third = ask(room.get, "inner", inner, hear[1])  # a session may wait for a part of a job as well
    assert all(event.wait(30) for event in heard)
    inner.go.set()
    assert (
        ask.end(first) == [("outer", "made")] and ask.end(second) == [("other", "made")] and ask.end(third) == ["made"]
    )
    assert inner.made == 1


def test_two_jobs_that_wait_for_parts_of_one_another_come_to_an_end(store, ask):
    """Each makes something that the other needs: they meet when both are made, and neither waits for ever."""
    room, meet = store.room(9), threading.Barrier(2)

    def both(first, second, report):
        def part(report):
            meet.wait(30)
            return first

        return room.get(first, part) + room.get(second, lambda report: 1 / 0)

    one = ask(room.get, "long", lambda report: both("x", "y", report), long=True)
    two = ask(room.get, "short", lambda report: both("y", "x", report))
    assert ask.end(one) == ["xy"] and ask.end(two) == ["yx"]


def test_a_job_takes_over_what_has_not_begun(store, ask):
    room, held, made = store.room(9), Held(), []

    def part(report):
        made.append(1)
        return "part"

    def whole(report):
        held(report)
        return room.get("part", part)

    outer = ask(room.get, "whole", whole)
    assert held.begun.wait(30)
    queued = threading.Event()
    waiting = ask(room.get, "part", part, lambda fraction, message: queued.set())
    assert queued.wait(30)
    held.go.set()
    assert ask.end(outer) == ask.end(waiting) == ["part"] and made == [1]


def test_who_waits_is_told_what_is_ahead(room, ask, monkeypatch):
    long = Held()
    waiting = ask(room.get, "a", long, long=True)
    assert long.begun.wait(30)
    assert first_said(room.get, "b", lambda report: 1, long=True) == "1 job ahead, now making made"
    queued = threading.Event()
    behind = ask(room.get, "b", lambda report: "b", lambda fraction, message: queued.set(), long=True)
    assert queued.wait(30)
    assert first_said(room.get, "c", lambda report: 1, long=True) == "2 jobs ahead, now making made"
    clock = time.monotonic
    monkeypatch.setattr(lanes.time, "monotonic", lambda: clock() + 300)
    assert first_said(room.get, "c", lambda report: 1, long=True).startswith(
        "2 jobs ahead, now making made (50%, about 5 min left)"
    )
    long.go.set()
    assert ask.end(waiting) == ["made"] and ask.end(behind) == ["b"]


def test_who_changes_their_mind_in_the_line_leaves_it(room, ask):
    long, made = Held(), []
    waiting = ask(room.get, "a", long, long=True)
    assert long.begun.wait(30)
    first_said(room.get, "b", lambda report: made.append(1), long=True)
    assert first_said(room.get, "c", lambda report: 1, long=True).startswith("1 job ahead")
    long.go.set()
    assert ask.end(waiting) == ["made"]
    assert room.get("d", lambda report: "d", long=True) == "d" and made == []


def test_a_changed_mind_ends_what_the_other_lane_does_for_it(room):
    long = Held()
    with pytest.raises(Interrupted):
        room.get("a", lambda report: room.get("b", long, long=True), hear_until(long.begun))
    assert room.get("c", lambda report: "free", long=True) == room.get("c", lambda report: 1) == "free"
    assert "a" not in room and "b" not in room


def hear_until(event):
    def hear(fraction, message):
        if event.is_set():
            raise Interrupted

    return hear


def test_an_error_reaches_all_who_wait(room, ask):
    held = Held()

    def fail(report):
        held(report)
        raise ZeroDivisionError

    sessions = [ask(room.get, "a", fail, long=True)]
    assert held.begun.wait(30)
    heard = [threading.Event() for _ in range(3)]
    sessions += [
        ask(room.get, "a", fail, lambda _, message, event=event: message == "making made" and event.set())
        for event in heard
    ]
    sessions.append(ask(room.get, "b", lambda report: room.get("a", fail, long=True)))
    assert all(event.wait(30) for event in heard)
    held.go.set()
    assert all(isinstance(ask.end(found)[0], ZeroDivisionError) for found in sessions)
    assert "a" not in room and "b" not in room


def test_a_job_that_takes_its_time_lets_others_go_ahead(room, ask, monkeypatch):
    monkeypatch.setattr(lanes, "TURN", 0.0)
    slow = Held()
    waiting = ask(room.get, "a", slow)
    assert slow.begun.wait(30)
    assert room.get("b", lambda report: "short") == "short" and not waiting
    slow.go.set()
    assert ask.end(waiting) == ["made"]


def test_look_ups_go_first_and_then_the_page_that_was_opened_first(store, ask):
    """Four pages wait, opened one after the other; the second looks two things up, the second of which comes last into the line."""
    asking, looking, made = store.room(8, asks=True), store.room(8), []
    held = Held()
    waiting = [ask(looking.get, "held", held)]
    assert held.begun.wait(30)

    def page(room, *names):
        store.open()
        for name in names:
            room.get(name, lambda report, name=name: (made.append(name), time.sleep(0.1)))

    for place, jobs in enumerate(
        ((asking, "asked"), (looking, "old 1", "old 2"), (looking, "new"), (looking, "newer"))
    ):
        waiting.append(ask(page, *jobs))
        while len(store._lanes._short.line) <= place:
            time.sleep(0.01)
    held.go.set()
    for found in waiting:
        ask.end(found)
    assert made == ["old 1", "new", "old 2", "newer", "asked"]


def test_the_long_lane_runs_at_a_lower_priority(room):
    def priority(report):
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    short, long = room.get("short", priority), room.get("long", priority, long=True)
    assert long == min(19, max(short, 10)) if sys.platform == "linux" else long == short


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


def test_what_grows_as_it_is_used_is_measured_anew_near_the_limit():
    room, grows = Store(limit=5 << 20).room(9), [MEGABYTES[1].copy()]
    room.get("a", lambda report: grows)
    grows.append(MEGABYTES[4])
    fill(room, b=1)
    assert kept(room) == "b"


def test_far_from_the_limit_only_what_is_new_is_measured(monkeypatch):
    measured = []
    monkeypatch.setattr(stores, "buffers", lambda value: measured.append(value) or buffers(value))
    room = Store(limit=60 << 20).room(9)
    fill(room, a=2, b=2, c=2, d=2, e=5)
    assert len(measured) == 5
    fill(room, f=5)  # 18 of 60: they may have grown to more than that
    assert kept(room) == "abcdef" and len(measured) == 6 + 6


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


def test_masks_that_are_kept_as_bits_take_as_much_as_the_bits(monkeypatch):
    monkeypatch.setattr("multiflow_core.pruning.nested_order.SNAPSHOT_LIMIT", 0)
    masks = mf.rank(nn.Linear(64, 32), "omp").masks(0.5)
    assert total(buffers(masks)) == 64 * 32 / 8 and masks["weight"].sum() == 1024


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
