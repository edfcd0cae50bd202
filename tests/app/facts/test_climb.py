"""The ladder: which sparsities are asked, where it stops halving, and what is kept of it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.said_ladder import Flip, flip
from app.engine import runs
from app.engine.store import STORE
from app.facts import climb, gallery, rankings, truth
from multiflow_core.experiments.run import Run

MODEL = "flatland-blip"
ORDER = Run(MODEL, "omp")


class Interrupted(BaseException):
    """Stands for Streamlit's rerun exception."""


@given(st.integers(1, 90))
def test_a_single_change_is_found_to_one_per_cent(threshold):
    asked = []

    def at(sparsity):
        asked.append(sparsity)
        return sparsity < threshold / 100

    found = climb.by_halving(at, [lambda held: held])
    assert flip(found) == Flip((threshold - 1) / 100, threshold / 100)
    assert len(asked) == len(set(asked)) <= len(climb.RUNGS) + climb.HALVINGS


@given(st.lists(st.booleans(), min_size=100, max_size=100), st.lists(st.booleans(), min_size=100, max_size=100))
def test_whatever_happens_a_change_is_between_neighbours(same, true):
    said = list(zip([True, *same], [True, *true], strict=True))
    found = climb.by_halving(lambda s: said[round(100 * s)], [lambda one: one[0], lambda one: one[1]])
    assert [s for s, _ in found] == sorted({s for s, _ in found})
    assert {rung / 100 for rung in climb.RUNGS} <= {s for s, _ in found}
    assert all(one == said[round(100 * s)] for s, one in found)
    for part in (0, 1):
        change = flip([(s, one[part]) for s, one in found])
        assert change.first is None or change.first - change.last == pytest.approx(0.01)


def test_progress_grows_and_an_interrupted_ladder_goes_on_where_it_stopped(empty_store):
    asked, told, said = [], [], STORE.room(99)

    def ask(key, progress):
        def make(report):
            asked.append(key.sparsity)
            return key.sparsity < 0.42

        return said.get(key, make, progress)

    def interrupt(fraction, message):
        if fraction > 0.4:
            raise Interrupted

    with pytest.raises(Interrupted):
        climb.of(ORDER, ask, [lambda held: held], interrupt)
    assert 0 < len(asked) < len(climb.RUNGS)
    before = len(asked)
    found = climb.of(ORDER, ask, [lambda held: held], lambda fraction, message: told.append((fraction, message)))
    assert flip(found) == Flip(0.41, 0.42)
    assert len(asked) == len(set(asked)) == len(found) > before
    assert all(a <= b for (a, _), (b, _) in itertools.pairwise(told)) and told[-1][0] <= 1
    assert any(message.startswith("at 50 %") for _, message in told)


def test_the_dense_model_is_the_first_rung_and_no_pruned_model_is_kept(empty_store):
    picture = gallery.picture("", 5)
    question = "is there a purple car"
    strip = climb.answers(Run(MODEL, "omp", 0.63), picture, question, "yes", lambda *_: None)
    dense, order = runs.vlm(MODEL), runs.order(ORDER)
    assert strip.rungs[0].said == dense.answer([picture.seen_by(dense)], [question])[0].text
    for rung in (strip.rungs[3], strip.rungs[-1]):
        pruned = dense.prune(order.masks(rung.sparsity))
        alone = pruned.answer([picture.seen_by(dense)], [question])[0]
        assert (rung.said, rung.true) == (alone.text, alone.text == "yes")
        assert rung.sure == pytest.approx(alone.probability, abs=1e-4)
    climbed = [Run(MODEL, "omp", rung.sparsity) for rung in strip.rungs]
    assert not any(map(runs.stayed.holds, climbed)) and sum(map(runs.passed.holds, climbed)) == 1


def test_captions_are_followed_as_long_as_they_are_true():
    picture = gallery.picture("", 5)
    strip = climb.captions(Run(MODEL, "omp", 0.63), picture, lambda *_: None)
    assert strip.rungs[0].true and strip.held.first is not None
    assert strip.held.first - strip.held.last == pytest.approx(0.01)
    assert strip.same.last <= strip.held.last  # the dense model's caption is true
    for rung in strip.rungs:
        assert rung.true == truth.true_captions([rung.said], picture)[0]


def test_ranks_are_those_of_the_scores():
    scores = {0.0: [0.9, 0.1, 0.5], 0.4: [0.2, 0.1, 0.5]}
    sought = rankings.sought([scores[0.0], scores[0.4]], ["a", "b", "c"], [True, False, False], "picture")
    key = Run(MODEL, "omp", 0.4)
    falling = climb.ranks(key, lambda at, _: scores[0.0 if at.sparsity < 0.33 else 0.4], sought, 2, lambda *_: None)
    assert falling.within(1) == Flip(0.32, 0.33)
    assert falling.within(2).first is None
    assert dict(falling.lines)["a"] == falling.best and set(falling.best) == {1, 2}
    assert falling.total == 3
