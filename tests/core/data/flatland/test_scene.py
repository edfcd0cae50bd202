"""The world: scenes, splits, and what lies where."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.data import flatland
from multiflow_core.data.flatland import Scene, Thing
from multiflow_core.data.flatland.scene import HELD_OUT, SETTINGS, SIZES, SPLITS, holds

indices = st.integers(0, 10**6)
splits = st.sampled_from(SPLITS)


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


def test_distinct_scenes_have_distinct_descriptions():
    scenes = [scene for _, scene in flatland.distinct("test", 300)]
    assert len({scene.key for scene in scenes}) == 300


def test_unknown_split_says_which_exist():
    with pytest.raises(ValueError, match="train, val, test, heldout"):
        flatland.scene("holdout", 0)
