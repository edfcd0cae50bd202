"""Where a tour is, for the window that follows it."""

import pytest

from app.engine import tours

STEPS = ("one", "two", "three")


@pytest.fixture
def clock(monkeypatch):
    """clock(12.0): it is so late."""
    now = [0.0]
    monkeypatch.setattr(tours.time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, seconds)


def test_a_step_has_its_own_clock_and_the_tour_another(clock):
    for seconds, at in ((0, 0), (5, 0), (10, 1), (30, 2), (31, 1)):
        clock(seconds)
        tours.tell("steps", STEPS, at)
        found = tours.given("steps")
        assert (found.at, found.began) == (at, 0)
        assert found.since == {0: 0, 10: 10, 30: 30, 31: 31, 5: 0}[seconds]


def test_whoever_begins_again_begins_at_nothing(clock):
    tours.tell("again", STEPS, 2)
    clock(100)
    tours.tell("again", STEPS, 0)
    assert (tours.given("again").began, tours.given("again").since) == (100, 100)


def test_another_tour_under_the_same_code_is_another_tour(clock):
    tours.tell("same", STEPS, 2)
    clock(7)
    tours.tell("same", ("other", "steps"), 1)
    assert (tours.given("same").began, tours.given("same").at) == (7, 1)


def test_the_oldest_go_when_there_are_many(monkeypatch):
    monkeypatch.setattr(tours, "MOST", 3)
    for code in "abcd":
        tours.tell(code, STEPS, 0)
    tours.tell("b", STEPS, 1)
    tours.tell("e", STEPS, 0)
    assert tours.given("a") is None and tours.given("c") is None and tours.given("b").at == 1


def test_codes_differ():
    assert len({tours.new_code() for _ in range(50)}) == 50
