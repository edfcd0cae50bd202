"""Spare time: what nobody waits for gives way to every page, is done in turn, and ends when it is not wanted any more."""

import threading

import pytest

from app.engine import spare
from app.engine.spare import Spare
from app.engine.store import Store


@pytest.fixture
def store() -> Store:
    return Store()


def test_sessions_are_served_in_turn_and_the_urgent_wishes_of_all_go_first(store):
    done, begin = [], threading.Event()
    wishes = Spare(store)

    def steps(name, number):
        return lambda: iter([lambda report, n=n: done.append(f"{name}{n}") for n in range(number)])

    wishes.want("anybody", "waits", lambda: iter([lambda report: begin.wait(10)]))
    wishes.want("anna", "near", steps("near ", 2), first=False)
    wishes.want("anna", "strip", steps("a", 3))
    wishes.want("bert", "strip", steps("b", 2))
    begin.set()
    assert wishes.settle(10)
    assert done == ["a0", "b0", "a1", "b1", "a2", "near 0", "near 1"]


def test_a_page_goes_before_what_is_made_in_spare_time_between_two_of_its_steps(store):
    order, inside, asked = [], threading.Event(), threading.Event()
    room = store.room(9, asks=True)

    def long(report):
        report(0.1, "first half")
        order.append("first half")
        inside.set()
        assert asked.wait(10)
        report(0.5, "second half")  # here it steps aside
        order.append("second half")

    wishes = Spare(store)
    wishes.want("me", "a strip", lambda: iter([lambda report: room.get("long", long, report)]))
    assert inside.wait(10)
    page = threading.Thread(
        target=lambda: room.get("page", lambda report: order.append("page"), lambda *_: asked.set())
    )
    page.start()
    assert asked.wait(10)
    page.join(10)
    assert wishes.settle(10)
    assert order == ["first half", "page", "second half"]


def test_what_a_page_needs_itself_is_no_longer_spare(store):
    """A page that waits for a job of spare time lends it its place in line."""
    lanes, busy, begin, order = store._lanes, threading.Event(), threading.Event(), []
    running = threading.Thread(target=lambda: lanes.get("first", lambda report: (busy.set(), begin.wait(10))))
    running.start()
    assert busy.wait(10)  # else it may stand in the line itself

    def at(name, spare=False):
        def go():
            if spare:
                lanes.give_way()
            lanes.get(name, lambda report: order.append(name), asks=True)

        thread = threading.Thread(target=go)
        thread.start()
        return thread

    threads = [at("shared", spare=True)]
    while len(lanes._short.line) < 1:
        pass
    threads += [at("other")]
    while len(lanes._short.line) < 2:
        pass
    assert [job.name for job in lanes._short.line] == ["other", "shared"]
    lanes._here.opened = 0.0  # a page that was opened before the other one
    waiting = threading.Thread(
        target=lambda: (setattr(lanes._here, "opened", 0.0), lanes.get("shared", None, asks=True))
    )
    waiting.start()
    while lanes._short.line[0].name != "shared":
        pass
    begin.set()
    for thread in (running, waiting, *threads):
        thread.join(10)
    assert order == ["shared", "other"]


def test_a_wish_about_something_else_takes_the_place_of_the_last_one(store):
    wishes, inside, go, done = Spare(store), threading.Event(), threading.Event(), []

    def slow(report):
        inside.set()
        assert go.wait(10)
        report(0.5, "half")
        done.append("old")

    wishes.want("me", "old", lambda: iter([slow, slow]))
    assert inside.wait(10)
    new = wishes.want("me", "new", lambda: iter([lambda report: done.append("new")]))
    go.set()
    assert wishes.settle(10) and new.over and done == ["new"]


def test_the_same_wish_goes_on_and_what_was_stopped_does_so_only_when_asked(store):
    wishes, done = Spare(store), []
    inside, go = threading.Event(), threading.Event()

    def first(report):
        inside.set()
        assert go.wait(10)
        done.append(1)

    def steps():
        return iter([first, lambda report: done.append(2)])

    wish = wishes.want("me", "numbers", steps)
    assert inside.wait(10)
    wishes.stop(wish)
    go.set()
    assert wishes.want("me", "numbers", steps) is wish and wish.stopped
    assert wishes.settle(10) and 2 not in done
    wishes.resume(wish)
    assert wishes.settle(10) and done == [1, 2] and wish.over and not wish.stopped


def test_an_error_ends_one_wish_and_no_other(store):
    wishes, done = Spare(store), []

    def wrong(report):
        raise ValueError("wrong")

    failed = wishes.want("me", "wrong", lambda: iter([wrong, lambda report: done.append("never")]))
    wishes.want("you", "right", lambda: iter([lambda report: done.append("right")]))
    assert wishes.settle(10)
    assert done == ["right"] and failed.over and not failed.stopped


def test_a_page_that_was_left_wants_nothing_any_more(store, monkeypatch):
    wishes, done, begin = Spare(store), [], threading.Event()
    wishes.want("me", "first", lambda: iter([lambda report: begin.wait(10)]))
    monkeypatch.setattr(spare, "PATIENCE", -1.0)
    wishes.want("you", "late", lambda: iter([lambda report: done.append("late")]), first=False)
    begin.set()
    assert wishes.settle(10) and not done


def test_all_that_is_wanted_can_be_dropped(store):
    wishes, inside, done = Spare(store), threading.Event(), []

    def slow(report):
        inside.set()
        for _ in range(200):
            report(0.5, "half")
            threading.Event().wait(0.01)
        done.append("slow")

    wishes.want("me", "slow", lambda: iter([slow, lambda report: done.append("next")]))
    assert inside.wait(10)
    assert wishes.drop_all(10) and not done
