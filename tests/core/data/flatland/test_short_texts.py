"""Short texts are true, their doubles false by one fact, and many texts are judged at once as one by one."""

import random

import pytest

from multiflow_core.data import flatland
from multiflow_core.data.flatland import FORMS, Scene, Thing, judge, mistaken, truths, typed_queries

SCENES = [flatland.scene("train", i) for i in range(60)]
CAT, RED, BLUE = (Thing("cat", color, "small", x, 0.5) for color, x in (("red", 0.2), ("red", 0.5), ("blue", 0.8)))
TREE = Thing("tree", "green", "large", 0.7, 0.5)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_true_of_its_scene_and_its_double_is_not(form):
    rng = random.Random(form)
    made = [(FORMS[form](scene, rng), scene) for scene in SCENES]
    said = [(text, scene) for text, scene in made if text]
    assert len(said) > 20
    for text, scene in said:
        assert judge(text, scene).true, text
        double = mistaken(text, scene, rng)
        assert double is None or (judge(double, scene).understood and not judge(double, scene).true), double


def test_a_double_differs_in_one_fact():
    """Of a caption without numbers, one thing's word, one relation or the setting."""
    scene = Scene("night", (CAT, TREE))
    rng = random.Random(0)
    found = {mistaken("a red cat left of a tree at night", scene, rng) for _ in range(300)}
    true = flatland.parse("a red cat left of a tree at night")
    for text in found:
        said = flatland.parse(text)
        changes = [said.setting != true.setting, said.links[0][0] != true.links[0][0]]
        for a, b in zip(said.phrases, true.phrases):
            changes += [a.kind != b.kind, a.color != b.color, said.words[a.words[0]] != true.words[b.words[0]] != "a"]
            changes += [said.words[a.words[0]] not in ("a", "an")]
        assert sum(changes) == 1, text
    assert len(found) > 50


def test_many_texts_are_judged_as_one_by_one():
    rng = random.Random(1)
    texts = ["nonsense", "a cat and a cat", "two cats and a cat", "no dogs and no dogs", "at night", "cats above cats"]
    for scene in SCENES:
        texts += filter(None, (make(scene, rng) for make in FORMS.values()))
        caption = flatland.caption(scene, rng)
        texts += [caption, mistaken(caption, scene, rng) or caption]
    assert truths(texts, SCENES).tolist() == [[judge(text, scene).true for scene in SCENES] for text in texts]


def test_queries_are_true_of_some_scenes_and_not_of_all():
    found = typed_queries(SCENES, 10)
    assert {form: len(texts) for form, texts in found.items()} == dict.fromkeys(found, 10) | {
        "count": len(found["count"])
    }
    for texts in found.values():
        assert len(set(texts)) == len(texts)
        assert all(0 < row.sum() < len(SCENES) for row in truths(texts, SCENES))


# --- a fair judge ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("a cat and a tree", True),
        ("a cat and a cat", True),
        ("a cat and a cat and a cat", True),
        ("a cat and a cat and a cat and a cat", False),
        ("a blue cat and a blue cat", False),
        ("a blue cat left of a blue cat", False),
        ("two red cats and a cat", True),
        ("three cats and a cat", False),
        ("a red cat and a red cat and a cat", True),
        ("a tree and a thing", True),
        ("no dogs and no dogs", True),
    ],
)
def test_who_mentions_a_thing_twice_needs_two(text, true):
    scene = Scene("day", (CAT, RED, BLUE, TREE))
    verdict = judge(text, scene)
    assert verdict.true == true
    assert bool(verdict.false_words) != true


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("two small red cats and a small blue cat and a large green tree by day", ()),
        ("two small red cats and a large green tree by day", ("a small blue cat",)),
        ("two red cats and a small blue cat and a large green tree", ("two small red cats", "on a sunny day")),
        ("a small red cat and a small blue cat and a large tree by day", ("two small red cats", "a large green tree")),
    ],
)
def test_what_a_caption_leaves_out(text, left_out):
    assert judge(text, Scene("day", (CAT, RED, BLUE, TREE))).left_out == left_out


def test_full_captions_leave_nothing_out():
    rng = random.Random(2)
    assert [judge(flatland.caption(s, rng, full=True), s).left_out for s in SCENES] == [()] * len(SCENES)


def test_captions_are_true_incomplete_or_false():
    scene = Scene("day", (CAT,))
    said = ["a small red cat by day", "a red cat", "a blue cat", "no dogs", "cat red"]
    found = flatland.Flatland().judge(said, [scene] * len(said))
    assert [verdict.word for verdict in found] == ["true", "true but incomplete", "false", "false", "false"]
