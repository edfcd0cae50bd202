"""The world: scenes, splits, captions and their truth, questions and their answers."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.data import flatland
from multiflow_core.data.flatland import Scene, Thing
from multiflow_core.data.flatland.language import COLOR_WORDS, KIND_WORDS, judge, parse
from multiflow_core.data.flatland.questions import TYPES, all_types
from multiflow_core.data.flatland.scene import HELD_OUT, SETTINGS, SIZES, SPLITS, holds

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


def test_the_world_is_as_large_as_promised():
    assert len(flatland.ALL_KINDS) == len(set(flatland.ALL_KINDS)) >= 24
    assert (len(flatland.COLORS), len(SIZES), len(SETTINGS)) == (10, 3, 8)
    counts = {len(flatland.scene("train", i).things) for i in range(300)}
    assert counts == {1, 2, 3, 4}


@given(splits, indices)
@settings(max_examples=60, deadline=None)
def test_scenes_are_seeded_serialisable_and_inside_the_picture(split, index):
    scene = flatland.scene(split, index)
    assert scene == flatland.scene(split, index) == Scene.from_json(scene.to_json())
    assert flatland.split_of(scene) == split
    for a in scene.things:
        assert a.width / 2 <= a.x <= 1 - a.width / 2
        assert a.width / 2 <= a.y <= 1 - a.width / 2
        for b in scene.things:
            if a is not b:
                assert max(abs(a.x - b.x), abs(a.y - b.y)) >= (a.width + b.width) / 2 - 1e-9


def test_no_description_is_in_two_splits_and_held_out_pairs_are_never_trained():
    scenes = {split: [flatland.scene(split, i) for i in range(300)] for split in SPLITS}
    for a, b in itertools.combinations(SPLITS, 2):
        assert not {scene.key for scene in scenes[a]} & {scene.key for scene in scenes[b]}
    pairs = {split: [{(t.kind, t.color) for t in scene.things} for scene in scenes[split]] for split in SPLITS}
    for split in ("train", "val", "test"):
        assert not set().union(*pairs[split]) & HELD_OUT
    assert all(shown & HELD_OUT for shown in pairs["heldout"])


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


def test_relations_are_opposites_and_need_a_clear_distance():
    a, b = Thing("cat", "red", "small", 0.30, 0.5), Thing("dog", "red", "small", 0.39, 0.5)
    assert not holds(a, "left of", b)
    assert not holds(b, "right of", a)
    b = Thing("dog", "red", "small", 0.41, 0.5)
    assert holds(a, "left of", b)
    assert holds(b, "right of", a)
    assert not holds(a, "above", b)
    with pytest.raises(ValueError, match="unknown relation"):
        holds(a, "inside", b)


def slow_answer(scene: Scene, question: flatland.Question) -> str:
    """Answers read off the words of the question alone, by another way than the one that made it."""
    kinds = {form: kind for kind, forms in KIND_WORDS.items() for form in forms}
    colors = {form: color for color, forms in COLOR_WORDS.items() for form in forms}
    words = question.text.split()
    singular = [kinds[w] for w in words if w in kinds]
    there = [t.kind for t in scene.things]
    if question.type == "setting":
        return scene.setting
    if question.type == "exists":
        color = next(colors[w] for w in words if w in colors)
        return "yes" if any((t.color, t.kind) == (color, singular[0]) for t in scene.things) else "no"
    if question.type == "count" and words[2] == "things":
        return ["zero", "one", "two", "three", "four"][len(there)]
    if question.type == "kind":
        color = next(colors[w] for w in words if w in colors)
        return next(t.kind for t in scene.things if t.color == color)
    if question.type == "relation":
        a, b = (next(t for t in scene.things if t.kind == kind) for kind in singular)
        true = {
            "left": a.x <= b.x - 0.1,
            "right": a.x >= b.x + 0.1,
            "above": a.y <= b.y - 0.1,
            "over": a.y <= b.y - 0.1,
            "below": a.y >= b.y + 0.1,
            "under": a.y >= b.y + 0.1,
        }
        return "yes" if next(true[w] for w in words if w in true) else "no"
    return question.answer


@given(indices)
@settings(max_examples=100, deadline=None)
def test_answers_are_right(index):
    scene = flatland.scene("test", index)
    for question in all_types(scene, random.Random(index)):
        assert question.answer == slow_answer(scene, question), question
        assert set(question.text.split()) | {question.answer} <= set(flatland.vocabulary())


def test_all_types_are_asked_and_yes_and_no_are_balanced():
    asked = [flatland.ask(flatland.scene("train", i), random.Random(i)) for i in range(2000)]
    assert {q.type for q in asked} == set(TYPES)
    yes_no = [q.answer for q in asked if q.type in ("exists", "relation")]
    assert 0.4 < yes_no.count("yes") / len(yes_no) < 0.6


def test_distinct_scenes_have_distinct_descriptions():
    scenes = [scene for _, scene in flatland.distinct("test", 300)]
    assert len({scene.key for scene in scenes}) == 300


def test_unknown_split_says_which_exist():
    with pytest.raises(ValueError, match="train, val, test, heldout"):
        flatland.scene("holdout", 0)
