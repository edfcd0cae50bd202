"""What a picture of Paperland shows: Flatland's things, two to four groups of them, also of one kind in several colours.

Every scene has a twin, with the colours of two kinds exchanged: who does not see which colour is whose cannot tell them apart.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace

from ..flatland.scene import ALL_KINDS, COLORS, SETTINGS, Scene, place

# (how many of each group) with the share of scenes composed so
COMPOSITIONS: tuple[tuple[tuple[int, ...], float], ...] = (
    ((1, 1), 0.10), ((2, 1), 0.15), ((2, 2), 0.10), ((3, 1), 0.05),
    ((1, 1, 1), 0.30), ((2, 1, 1), 0.20), ((1, 1, 1, 1), 0.10),
)  # fmt: skip
SPLITS = ("train", "val", "test")
LIKE = 0.3  # share of groups that are of the kind of the one before
SIZES = ("small", "medium")


def draw_scene(rng: random.Random) -> Scene:
    """A random scene of any split: `rng` decides everything.

    >>> len(draw_scene(random.Random(1)).things) > 1
    True
    """
    while True:
        counts = rng.choices([c for c, _ in COMPOSITIONS], [p for _, p in COMPOSITIONS])[0]
        kinds, colors = rng.sample(ALL_KINDS, len(counts)), rng.sample(COLORS, len(counts))
        for i in range(1, len(counts)):
            if rng.random() < LIKE:
                kinds[i] = kinds[i - 1]
        looks = [(*look, rng.choice(SIZES)) for look in zip(kinds, colors)]
        things = place([look for look, n in zip(looks, counts) for _ in range(n)], rng)
        if things:
            return Scene(rng.choice(SETTINGS), things, rng.randrange(1 << 16))


def twin(scene: Scene) -> Scene:
    """The same things at the same places, of which two kinds have exchanged their colours; elsewhere, if all are of one kind.

    >>> from ..flatland.scene import Thing
    >>> cat, dog = Thing("cat", "red", "small", 0.2, 0.5), Thing("dog", "blue", "small", 0.7, 0.5)
    >>> [(thing.color, thing.kind) for thing in twin(Scene("day", (cat, dog))).things]
    [('blue', 'cat'), ('red', 'dog')]
    """
    first, *others = scene.groups
    other = next((group for group in others if group[0].kind != first[0].kind), None)
    if other is None:
        return replace(scene, setting=SETTINGS[SETTINGS.index(scene.setting) ^ 1])
    new = {first[0].looks: other[0].color, other[0].looks: first[0].color}
    things = (replace(thing, color=new.get(thing.looks, thing.color)) for thing in scene.things)
    return replace(scene, things=tuple(things))


def split_of(scene: Scene) -> str:
    """The split of a scene and of its twin, decided by what they show: one of twenty is "val", two are "test"."""
    kinds = sorted(f"{len(group)} {group[0].kind}" for group in scene.groups)
    shown = "|".join([*kinds, *sorted(group[0].color for group in scene.groups)])
    ticket = int.from_bytes(hashlib.sha256(shown.encode()).digest()[:4], "big") % 20
    return {0: "val", 1: "test", 2: "test"}.get(ticket, "train")


def scene(split: str, index: int) -> Scene:
    """Scene number `index` of a split, always the same; every second one is the twin of the one before.

    The splits are endless lists, disjoint by construction.

    >>> scene("test", 7) == scene("test", 7) == twin(scene("test", 6)), split_of(scene("test", 7))
    (True, 'test')
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: use one of {', '.join(SPLITS)}")
    pair, second = divmod(index, 2)
    rng = random.Random(f"paperland {split} {pair}")
    while True:
        found = draw_scene(rng)
        if split_of(found) == split:
            return twin(found) if second else found


def told(scene: Scene) -> str:
    """What a caption tells at most, but for places."""
    return "|".join([scene.setting, *sorted(f"{len(g)} {g[0].color} {g[0].kind}" for g in scene.groups)])


def distinct(split: str, count: int) -> Iterator[Scene]:
    """The first scenes of a split that no two captions tell alike."""
    seen: set[str] = set()
    index = 0
    while len(seen) < count:
        found = scene(split, index)
        if told(found) not in seen:
            seen.add(told(found))
            yield found
        index += 1
