"""Paperland: another world in the same words, whose texts and answers are true, and whose twins differ by colours alone."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.data import dataset, flatland
from multiflow_core.data.flatland import Scene, Thing
from multiflow_core.data.paperland import asking
from multiflow_core.data.paperland.draw import render
from multiflow_core.data.paperland.scenes import SPLITS, scene, split_of, told, twin
from multiflow_core.data.paperland.telling import caption

DATA = dataset.open("paperland")
HARBOUR = Scene(
    "night",
    (
        Thing("cloud", "white", "small", 0.15, 0.2),
        Thing("boat", "red", "medium", 0.3, 0.7),
        Thing("cat", "blue", "small", 0.8, 0.3),
        Thing("cat", "blue", "small", 0.85, 0.75),
    ),
)
scenes = st.builds(scene, st.sampled_from(SPLITS), st.integers(-(10**5), 10**5))


@given(scenes, st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_captions_are_true_and_short_enough_and_their_words_known(found, seed):
    said = caption(found, random.Random(seed))
    assert flatland.judge(said, found).true, said
    assert len(said.split()) <= 30 and set(said.split()) <= set(flatland.vocabulary())


@given(scenes, st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_questions_have_the_answers_that_the_reader_of_typed_questions_gives(found, seed):
    for question in asking.all_types(found, random.Random(seed)):
        assert flatland.answer(question.text, found) == question.answer, question
        assert {*question.text.split(), question.answer} <= set(flatland.vocabulary())
        assert len(question.text.split()) <= 14


@given(scenes)
@settings(max_examples=100, deadline=None)
def test_a_twin_lies_in_the_same_split_and_its_caption_is_false_of_the_other(found):
    other = twin(found)
    assert split_of(other) == split_of(found) and told(other) != told(found) and twin(other).key == found.key
    assert [(t.kind, t.size, t.x, t.y) for t in other.things] == [(t.kind, t.size, t.x, t.y) for t in found.things]
    assert not flatland.judge(caption(other, random.Random(0)), found).true


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("what color is the thing left of the boat", "white"),
        ("what color are the things right of the boat", "blue"),
        ("what is below the cloud", None),
        ("what is above the red thing", None),
        ("how many things above the boat are there", "two"),
        ("how many cats right of the red thing are there", "two"),
        ("how many cats left of the cloud are there", "zero"),
        ("how many blue things are there", "two"),
        ("is there a blue cat right of a boat", "yes"),
        ("is there a red cat right of a boat", "no"),
        ("what size is the red thing", "medium"),
        ("what is left of the thing left of the boat", None),
    ],
)
def test_answers_worked_out_by_hand(question, expected):
    if expected is None:
        with pytest.raises(ValueError, match="more than one kind|nothing is left of"):
            flatland.answer(question, HARBOUR)
    else:
        assert flatland.answer(question, HARBOUR) == expected


def test_a_caption_goes_from_left_to_right():
    assert caption(HARBOUR, random.Random(0)).split(" ", 2)[2] == (
        "on a dark night a white cloud over a red ship left of two blue kitties"
    )


def test_it_is_drawn_otherwise_than_flatland():
    a, b = render(HARBOUR), flatland.draw.render(HARBOUR)
    assert a.size == b.size and a.tobytes() != b.tobytes() and render(HARBOUR).tobytes() == a.tobytes()


def test_lessons_are_of_the_train_split_and_apart_from_what_is_calibrated_with_and_measured():
    lessons = DATA.lessons(40)
    shown = {told(lesson.item) for lesson in lessons}
    assert {split_of(lesson.item) for lesson in lessons} == {"train"} and len(shown) > 38
    assert lessons == DATA.lessons(40) and DATA.lessons(40, 1)[0].item == lessons[0].item
    measured = {told(item) for split in ("val", "test") for item in DATA.items(split, 60)}
    assert not measured & shown
    assert all(lesson.texts and lesson.questions for lesson in lessons)


def test_more_than_four_things_are_counted_in_figures():
    crowd = Scene("day", tuple(Thing("cat", "red", "small", 0.1 * i, 0.5) for i in range(6)))
    assert flatland.answer("how many things are there", crowd) == "6"
    assert "there are 6" in flatland.judge("two cats", crowd).reasons[0]
