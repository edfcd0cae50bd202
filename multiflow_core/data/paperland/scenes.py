"""What a picture of Paperland shows: Flatland's things, three or four groups of them, also of one kind in several colours."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ..flatland.scene import ALL_KINDS, COLORS, SETTINGS, SPLITS, Scene, place, split_of

# (how many of each group) with the share of scenes composed so
COMPOSITIONS: tuple[tuple[tuple[int, ...], float], ...] = (
    ((1, 1, 1), 0.20), ((2, 1, 1), 0.20), ((2, 2, 1), 0.10), ((3, 1, 1), 0.10),
    ((1, 1, 1, 1), 0.25), ((2, 1, 1, 1), 0.15),
)  # fmt: skip
LIKE = 0.3  # share of groups that are of the kind of the one before
SIZES = ("small", "small", "medium")


def draw_scene(rng: random.Random) -> Scene:
    """A random scene of any split: `rng` decides everything.

    >>> len(draw_scene(random.Random(1)).things) > 2
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


def scene(split: str, index: int) -> Scene:
    """Scene number `index` of a split, always the same: the splits are endless lists, disjoint by construction.

    >>> scene("test", 7) == scene("test", 7), split_of(scene("test", 7))
    (True, 'test')
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: use one of {', '.join(SPLITS)}")
    rng = random.Random(f"paperland {split} {index}")
    while True:
        found = draw_scene(rng)
        if split_of(found) == split:
            return found


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
