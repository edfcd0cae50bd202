"""Answers to typed questions: those of the generator, and ones worked out by hand."""

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.data import flatland
from multiflow_core.data.flatland import Scene, Thing
from multiflow_core.data.flatland.questions import all_types
from multiflow_core.data.flatland.scene import SPLITS

# A boat below a cloud, two small cats at the right, one above the other.
HARBOUR = Scene(
    "night",
    (
        Thing("boat", "red", "large", 0.30, 0.70),
        Thing("cloud", "white", "medium", 0.30, 0.20),
        Thing("cat", "blue", "small", 0.85, 0.30),
        Thing("cat", "pink", "small", 0.85, 0.75),
    ),
)


@given(st.sampled_from(SPLITS), st.integers(0, 10**6), st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_every_generated_question_gets_its_own_answer(split, index, seed):
    scene = flatland.scene(split, index)
    for question in all_types(scene, random.Random(seed)):
        assert flatland.answer(question.text, scene) == question.answer, question


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What colour is the boat?", "red"),
        ("what color is the ship", "red"),
        ("what size are the cats", "small"),
        ("what is the white thing", "cloud"),
        ("what are the small things", "cat"),
        ("how many things are there", "four"),
        ("how many blue cats are there", "one"),
        ("how many dogs are there", "zero"),
        ("where is this", "night"),
        ("what is the setting", "night"),
        ("what is right of the cloud", "cat"),
        ("what is to the right of the big boat", "cat"),
        ("is there a red cat", "no"),
        ("is there a blue cat above a pink cat", "yes"),
        ("are there two small cats at night", "yes"),
        ("is the boat below the cloud", "yes"),
        ("is the blue cat left of the boat", "no"),
        ("is the boat red", "yes"),
        ("are the cats large", "no"),
    ],
)
def test_answers_worked_out_by_hand(question, expected):
    assert flatland.answer(question, HARBOUR) == expected


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("", "does not begin"),
        ("why is the boat red", "does not begin"),
        ("what color is the giraffe", "'giraffe'"),
        ("what color is the dog", "no 'dog'"),
        ("what color are the cats", "more than one color"),
        ("what color is the boat today", "'today' is one word too many"),
        ("what is the thing", "more than one kind"),
        ("what is above the cats", "there are two"),
        ("what is under the cloud", "more than one kind"),
        ("what is above the cloud", "nothing is above"),
        ("what is the cat near", "'near' is one word too many"),
        ("how many cats", "up to '... are there'"),
        ("where is this place", "'place'"),
        ("is there anybody", "'anybody'"),
        ("is there", "the words stop"),
        ("is the boat", "stops too early"),
        ("is the boat happy", "'happy'"),
    ],
)
def test_what_cannot_be_answered_says_why(question, why):
    with pytest.raises(ValueError, match=why):
        flatland.answer(question, HARBOUR)


@given(st.lists(st.sampled_from([*flatland.vocabulary(), "?", "giraffe"]), max_size=8).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_any_words_get_an_answer_or_a_reason(text):
    with contextlib.suppress(ValueError):
        assert flatland.answer(text, HARBOUR) in flatland.vocabulary()
