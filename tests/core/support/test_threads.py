"""Work on several threads: results in order, progress from the caller's thread, and an end when it raises."""

import threading
import time

import pytest
import torch

from multiflow_core.support.threads import parallel_map


@pytest.fixture(params=[1, 3])
def threads(request):
    own = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(own)


def test_results_stand_in_the_order_of_the_items(threads):
    def slow_first(n):
        time.sleep(0.02 if n == 0 else 0)
        return n * n, threading.get_ident(), torch.get_num_threads()

    found = parallel_map(slow_first, range(8))
    assert [square for square, *_ in found] == [n * n for n in range(8)]
    others = {thread for _, thread, _ in found} - {threading.get_ident()}
    assert bool(others) == (threads > 1) and all(own == 1 for *_, own in found)
    assert torch.get_num_threads() == threads


def test_one_thread_where_it_is_asked_for(threads):
    assert set(parallel_map(lambda n: threading.get_ident(), range(4), threads=False)) == {threading.get_ident()}


def test_nothing_to_do(threads):
    assert parallel_map(abs, []) == []


def test_progress_is_told_by_the_caller_and_ends_with_one(threads):
    told = []
    parallel_map(abs, range(4), progress=lambda *said: told.append((*said, threading.get_ident())), message="abs")
    assert told == [(part / 4, "abs", threading.get_ident()) for part in (1, 2, 3, 4)]


class Interrupted(BaseException):
    """Stands for Streamlit's rerun exception."""


def test_what_progress_raises_ends_the_work(threads):
    done = []

    def interrupt(fraction, message):
        raise Interrupted

    with pytest.raises(Interrupted):
        parallel_map(lambda n: time.sleep(0.01) or done.append(n), range(200), progress=interrupt)
    assert 1 <= len(done) < 100 and torch.get_num_threads() == threads


def test_an_error_of_the_work_reaches_the_caller(threads):
    with pytest.raises(ZeroDivisionError):
        parallel_map(lambda n: 1 // n, [1, 0, 2])
    assert torch.get_num_threads() == threads
