"""The ladder: which sparsities are asked, where it stops halving, and what is kept of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts.said_ladder import Flip, flip
from app.engine import runs
from app.facts import climb, gallery, rankings, truth
from multiflow_core.experiments.run import Run

MODEL = "flatland-blip"
ORDER = Run(MODEL, "omp")


def nothing(*_):
    """Progress that nobody follows."""


class Interrupted(BaseException):
    """Stands for a wish that is dropped."""


def climbed(at, holds, near=0.0) -> tuple:
    """All rungs, one after another."""
    found = {}
    while (rung := climb.next_rung(found, holds, near)) is not None:
        found[rung] = at(rung / 100)
    return tuple((rung / 100, found[rung]) for rung in sorted(found))


def whole(ladder):
    """The chart of a ladder that was climbed to the end."""
    for step in ladder.climbed.steps():
        step(nothing)
    assert ladder.complete
    return ladder.chart()


@given(st.integers(1, 90), st.floats(0, 1))
def test_a_single_change_is_found_to_one_per_cent(threshold, near):
    asked = []

    def at(sparsity):
        asked.append(sparsity)
        return sparsity < threshold / 100

    found = climbed(at, [lambda held: held], near)
    assert flip(found) == Flip((threshold - 1) / 100, threshold / 100)
    assert len(asked) == len(set(asked)) <= len(climb.RUNGS) + climb.HALVINGS


@given(st.lists(st.booleans(), min_size=100, max_size=100), st.lists(st.booleans(), min_size=100, max_size=100))
def test_whatever_happens_a_change_is_between_neighbours(same, true):
    said = list(zip([True, *same], [True, *true], strict=True))
    found = climbed(lambda s: said[round(100 * s)], [lambda one: one[0], lambda one: one[1]])
    assert [s for s, _ in found] == sorted({s for s, _ in found})
    assert {rung / 100 for rung in climb.RUNGS} <= {s for s, _ in found}
    assert all(one == said[round(100 * s)] for s, one in found)
    for part in (0, 1):
        change = flip([(s, one[part]) for s, one in found])
        assert change.first is None or change.first - change.last == pytest.approx(0.01)


def test_the_dense_model_is_asked_first_and_then_what_is_near_the_slider():
    asked = []
    climbed(lambda s: asked.append(round(100 * s)), [], near=0.63)
    assert asked == [0, 60, 70, 50, 80, 40, 90, 30, 20, 10]


def test_an_interrupted_ladder_goes_on_where_it_stopped(empty_store):
    asked = []

    def ask(key, progress):
        if len(asked) == 4:
            asked.append(None)
            raise Interrupted
        asked.append(key.sparsity)
        return key.sparsity < 0.42

    def again():
        return climb.climb("a test", ORDER, ask, [lambda held: held])

    with pytest.raises(Interrupted):
        [step(nothing) for step in again().steps()]
    assert len(again().found) == 4 and not again().complete
    for step in again().steps():
        step(nothing)
    asked.remove(None)
    assert again().complete and flip(again().rungs) == Flip(0.41, 0.42)
    assert len(asked) == len(set(asked)) == len(again().rungs)


def test_a_ladder_is_drawn_before_it_is_complete_and_says_nothing_of_changes(empty_store):
    picture = gallery.picture("", 5)
    question = "what color is the house"
    dense = gallery.answer(Run.dense(MODEL), picture, question)
    ladder = climb.answers(Run(MODEL, "omp", 0.63), picture, question, dense, None)
    assert ladder.chart() is None
    steps = ladder.climbed.steps()
    next(steps)(nothing)
    assert ladder.chart() is None
    next(steps)(nothing)
    assert ladder.chart().title() == "OMP's answer at 2 sparsities so far"
    assert "so far" not in whole(ladder).title()


def test_the_dense_model_is_the_first_rung_and_no_pruned_model_is_kept(empty_store):
    picture = gallery.picture("", 5)
    question = "is there a purple car"
    said = gallery.answer(Run.dense(MODEL), picture, question)
    strip = whole(climb.answers(Run(MODEL, "omp", 0.63), picture, question, said, "yes"))
    dense, order = runs.vlm(MODEL), runs.order(ORDER)
    assert strip.rungs[0].said == dense.answer([picture.seen_by(dense)], [question])[0].text
    for rung in (strip.rungs[3], strip.rungs[-1]):
        pruned = dense.prune(order.masks(rung.sparsity))
        alone = pruned.answer([picture.seen_by(dense)], [question])[0]
        assert (rung.said, rung.true) == (alone.text, alone.text == "yes")
        assert rung.sure == pytest.approx(alone.probability, abs=1e-4)
    asked = [Run(MODEL, "omp", rung.sparsity) for rung in strip.rungs]
    assert not any(map(runs.stayed.holds, asked)) and sum(map(runs.passed.holds, asked)) == 1


def test_captions_are_followed_as_long_as_they_are_true():
    picture = gallery.picture("", 5)
    strip = whole(climb.captions(Run(MODEL, "omp", 0.63), picture, gallery.caption(Run.dense(MODEL), picture)))
    assert strip.rungs[0].true and strip.held.first is not None
    assert strip.held.first - strip.held.last == pytest.approx(0.01)
    assert strip.same.last <= strip.held.last  # the dense model's caption is true
    for rung in strip.rungs:
        assert rung.true == truth.true_captions([rung.said], picture)[0]


def test_ranks_are_those_of_the_scores(empty_store):
    scores = {0.0: [0.9, 0.1, 0.5], 0.4: [0.2, 0.1, 0.5]}
    sought = rankings.sought([scores[0.0], scores[0.4]], ["a", "b", "c"], [True, False, False], "picture")
    key = Run(MODEL, "omp", 0.4)

    def ask(at, _):
        return scores[0.0 if at.sparsity < 0.33 else 0.4]

    falling = whole(climb.ranks(key, ask, scores[0.0], sought, 2, "a test"))
    assert falling.within(1) == Flip(0.32, 0.33)
    assert falling.within(2).first is None
    assert dict(falling.lines)["a"] == falling.best and set(falling.best) == {1, 2}
    assert falling.total == 3
