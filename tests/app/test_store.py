"""One worker, shared results, and work that can be abandoned."""

import threading
import time

import pytest

from app.services.store import Abandoned, Store


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
