"""Captions: every one is understood and true of its scene, and what is false is marked word by word."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.data import flatland
from multiflow_core.data.flatland import Scene, Thing
from multiflow_core.data.flatland.language import judge, parse
from multiflow_core.data.flatland.scene import SPLITS

indices = st.integers(0, 10**6)
splits = st.sampled_from(SPLITS)


# A boat below a cloud, two small cats at the right: every sentence below can be checked against this picture by hand.
HARBOUR = Scene(
    "night",
    (
        Thing("boat", "red", "large", 0.30, 0.70),
        Thing("cloud", "white", "medium", 0.30, 0.20),
        Thing("cat", "blue", "small", 0.85, 0.30),
        Thing("cat", "blue", "small", 0.85, 0.75),
    ),
)


@given(splits, indices, st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_caption_is_understood_and_true_of_its_scene(split, index, full):
    scene = flatland.scene(split, index)
    text = flatland.caption(scene, random.Random(index), full)
    verdict = judge(text, scene)
    assert verdict.understood, (text, verdict)
    assert verdict.true, (text, verdict)
    assert len(text.split()) <= 22
    assert set(text.split()) <= set(flatland.vocabulary())


@given(indices)
@settings(max_examples=100, deadline=None)
def test_a_full_caption_names_everything(index):
    scene = flatland.scene("test", index)
    said = parse(flatland.caption(scene, random.Random(index), full=True))
    assert said.setting == scene.setting
    told = {(p.count, p.size or "medium", p.color, p.kind) for p in said.phrases}
    assert told == {(len(g), *g[0].looks) for g in scene.groups}


@given(indices, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_a_caption_with_a_wrong_colour_is_false_and_that_word_is_marked(index, rng):
    scene = flatland.scene("test", index)
    thing = scene.things[0]
    there = {t.color for t in scene.things if t.kind == thing.kind}
    wrong = rng.choice([c for c in flatland.COLORS if c not in there])
    verdict = judge(f"a {wrong} {thing.kind} {rng.choice(['at night', ''])}", scene)
    assert not verdict.true
    assert wrong in [verdict.words[i] for i in verdict.false_words]


@pytest.mark.parametrize(
    ("text", "true", "false_words"),
    [
        ("a red boat below a white cloud at night", True, []),
        ("a red boat", True, []),
        ("there is a large red ship under a cloud", True, []),
        ("two blue cats right of a boat", True, []),
        ("a blue kitty", True, []),  # one of two: "a" does not say that there is no other
        ("one blue cat", False, ["one"]),  # a number does
        ("three small cats", False, ["three"]),
        ("no dogs", True, []),
        ("a blue thing next to a red boat", False, ["next", "to"]),
        ("a green boat", False, ["green"]),
        ("a tiny red boat", False, ["tiny"]),
        ("a red house", False, ["house"]),
        ("a red boat above a white cloud", False, ["above"]),
        ("a red boat at sunset", False, ["sunset"]),
        ("two blue cats left of a boat in the snow", False, ["left", "of", "snow"]),
    ],
)
def test_truth_by_hand(text, true, false_words):
    verdict = judge(text, HARBOUR)
    assert verdict.understood
    assert verdict.true is true
    assert [verdict.words[i] for i in verdict.false_words] == false_words


@pytest.mark.parametrize(
    "text", ["", "a red", "boat cat", "a red boat and", "and a boat", "a giraffe", "left of a cat"]
)
def test_what_is_no_caption_is_not_understood(text):
    verdict = judge(text, HARBOUR)
    assert not verdict.understood
    assert not verdict.true
    assert verdict.reasons
