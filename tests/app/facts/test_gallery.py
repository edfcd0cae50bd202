"""The gallery shows scenes that no model was trained on, among them those that the first example asks for."""

import itertools

from app.facts import gallery, typed_text
from multiflow_core.data import flatland
from multiflow_core.data.flatland.scene import split_of


def test_the_showcase_is_unseen_tidy_and_leads_the_gallery():
    scenes = gallery.showcase()
    assert {split_of(scene) for scene in scenes} == {"test"}
    shown = [picture.scene for picture in gallery.gallery("flatland-blip", "").pictures]
    assert len({scene.key for scene in shown}) == len(shown) == gallery.MOST and shown[: len(scenes)] == list(scenes)
    for scene in scenes:
        for thing in scene.things:
            assert all(thing.width / 2 <= place <= 1 - thing.width / 2 for place in (thing.x, thing.y))
        for a, b in itertools.combinations(scene.things, 2):
            assert max(abs(a.x - b.x), abs(a.y - b.y)) >= (a.width + b.width) / 2


def test_the_first_example_is_true_of_two_of_them_and_nearly_of_the_others():
    first = typed_text.EXAMPLES[0]
    assert [flatland.judge(first, scene).true for scene in gallery.showcase()] == [True, True] + [False] * 4
    assert all({thing.kind for thing in scene.things} >= {"boat", "cloud"} for scene in gallery.showcase())
