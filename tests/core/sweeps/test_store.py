"""The folder of a sweep: what is written is read, what is damaged or about something else is not."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiflow_core.experiments.run import Run
from multiflow_core.sweeps.cell import Cell
from multiflow_core.sweeps.durations import Estimate, estimate
from multiflow_core.sweeps.store import Outcome, Store

CELL = Cell("m", Run("", "omp", 0.5), "vqa")
FIGURES = st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(st.text(max_size=5), FIGURES), st.floats(0, 1), st.integers(0, 9))
def test_an_outcome_is_read_as_it_was_written(scores, achieved, steps):
    between = {name: (value, value) for name, value in scores.items()}
    outcome = Outcome(
        scores, between, achieved, {"text": 0.5}, ({"step": 1.0, "loss": 0.5},), steps, {"tuning": 3.0}, "here"
    )
    key, found = Outcome.read(outcome.text(CELL))
    assert found == outcome and key == json.loads(json.dumps(CELL.key))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"scores": 3}', '{"key": {}, "scores": {"all": NaN}}'])
def test_what_is_damaged_is_missing(tmp_path, text):
    store = Store(tmp_path)
    store.file(CELL).parent.mkdir()
    store.file(CELL).write_text(text)
    assert store.find(CELL) is None and store.missing([CELL]) == [CELL]


def test_a_file_of_another_cell_is_not_taken(tmp_path):
    store = Store(tmp_path)
    other = replace(CELL, task="retrieval")
    store.keep(other, Outcome({"IR@1": 0.5}))
    store.file(other).rename(store.file(CELL))
    assert store.missing([CELL, other]) == [CELL, other]


def test_the_same_figures_are_the_same_whatever_they_took():
    a = Outcome({"all": 0.5}, curve=({"step": 1, "loss": 2.0, "seconds": 1.0},), seconds={"tuning": 1.0}, on="here")
    b = replace(a, curve=({"step": 1, "loss": 2.0, "seconds": 9.0},), seconds={"tuning": 2.0}, on="there")
    assert a.figures == b.figures
    assert a.figures != replace(b, scores={"all": 0.5000001}).figures
    assert a.figures != replace(b, curve=({"step": 1, "loss": 2.5},)).figures


def test_a_folder_is_known_by_its_token(tmp_path):
    token = Store(tmp_path / "a").token()
    assert Store(tmp_path / "a").seen_here(token) and not Store(tmp_path / "b").seen_here(token)
    assert not (tmp_path / "b").exists()


def test_durations_are_those_of_cells_like_it_else_a_guess(tmp_path):
    store = Store(tmp_path)
    cells = [Cell("m", Run("", "omp", s), "vqa") for s in (0.5, 0.6, 0.7, 0.8)] + [
        Cell("m", Run("", "snip", 0.5), "vqa")
    ]
    assert estimate(cells, store, 1) == Estimate(
        5 * 30 + 8, 0, 5
    )  # 20 s to prune, 10 to measure, and 8 until it begins
    for cell, seconds in zip(cells, (2.0, 4.0), strict=False):
        store.keep(cell, Outcome({"all": 0.5}, seconds={"pruning": seconds, "measuring": 10 * seconds}))
    assert estimate(cells, store, 1) == Estimate(2 * 33 + (20 + 30) + 8, 2, 1)
    assert estimate(cells, store, 2) == Estimate((2 * 33 + 50) / 2 + 8, 2, 1)
    assert estimate(cells, store, 100).seconds == 50 + 8  # no sooner than its longest
    assert estimate(cells[:2], store, 1) == Estimate(0, 0, 0)
    slow = [Cell("m", Run("", "sparsegpt", 0.5), "vqa")]  # solves every sparsity anew
    assert estimate(slow, Store(tmp_path / "other"), 1) == Estimate(120 + 10 + 8, 0, 1)
