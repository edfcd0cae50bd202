"""What a Flatland picture contains: immutable, seeded, serialisable scene descriptions.

A scene is a setting and one to four *groups* of like things ("two small red cats"); every thing has a place on the unit
square, x to the right and y downwards. Pictures, captions, questions and answers all come from this one description.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass

KINDS: dict[str, tuple[str, ...]] = {
    "animal": ("cat", "dog", "fish", "bird", "rabbit"),
    "vehicle": ("car", "bus", "boat", "plane", "rocket"),
    "building": ("house", "castle", "tent", "lighthouse"),
    "plant": ("tree", "flower", "cactus", "mushroom"),
    "food": ("apple", "cake", "carrot"),
    "sky": ("star", "cloud", "moon"),
}
ALL_KINDS: tuple[str, ...] = tuple(kind for kinds in KINDS.values() for kind in kinds)
COLORS: tuple[str, ...] = (
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
    "white",
    "black",
)
SIZES: dict[str, float] = {"small": 0.25, "medium": 0.35, "large": 0.47}  # width as a share of the picture's
SETTINGS: tuple[str, ...] = ("day", "night", "sunset", "snow", "beach", "desert", "city", "space")
RELATIONS: tuple[str, ...] = ("left of", "right of", "above", "below", "next to")
SPLITS: tuple[str, ...] = ("train", "val", "test", "heldout")

# One colour of every second kind is never shown in training, so that a new combination of two known words can be tried.
HELD_OUT: frozenset[tuple[str, str]] = frozenset(
    (kind, COLORS[(3 * i + 8) % len(COLORS)]) for i, kind in enumerate(ALL_KINDS) if i % 2 == 0
)

GRID = 12  # centres lie on a grid of this many steps, which keeps pictures tidy and relations clear-cut
CLEAR = 0.10  # one thing is left of (above) another when their centres are at least this far apart
NEAR = 0.08  # two things are next to each other when the gap between their outlines is at most this wide


@dataclass(frozen=True)
class Thing:
    """One thing of a picture: kind, colour, size word and the centre (x, y) on the unit square.

    >>> Thing("cat", "red", "small", 0.3, 0.6).width
    0.25
    """

    kind: str
    color: str
    size: str
    x: float
    y: float

    @property
    def width(self) -> float:
        return SIZES[self.size]

    @property
    def looks(self) -> tuple[str, str, str]:
        """What the things of one group share: (size, colour, kind)."""
        return self.size, self.color, self.kind


@dataclass(frozen=True)
class Scene:
    """A picture before it is drawn: a setting, its things, and the seed of the backdrop's small variations.

    >>> scene = Scene("night", (Thing("boat", "red", "large", 0.5, 0.7), Thing("cloud", "white", "medium", 0.4, 0.2)))
    >>> Scene.from_json(scene.to_json()) == scene
    True
    >>> holds(scene.things[0], "below", scene.things[1])
    True
    """

    setting: str
    things: tuple[Thing, ...]
    backdrop: int = 0

    @property
    def groups(self) -> tuple[tuple[Thing, ...], ...]:
        """The things that look alike, group by group, in the order in which they were placed."""
        found: dict[tuple[str, str, str], list[Thing]] = {}
        for thing in self.things:
            found.setdefault(thing.looks, []).append(thing)
        return tuple(tuple(group) for group in found.values())

    @property
    def key(self) -> str:
        """The description without places: equal keys mean that no full caption without relations tells two scenes apart."""
        return "|".join([self.setting, *sorted(f"{len(g)} {' '.join(g[0].looks)}" for g in self.groups)])

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Scene:
        raw = json.loads(text)
        return cls(raw["setting"], tuple(Thing(**thing) for thing in raw["things"]), raw["backdrop"])


def holds(a: Thing, relation: str, b: Thing) -> bool:
    """Whether `a relation b` is true of the two places.

    >>> holds(Thing("cat", "red", "small", 0.2, 0.5), "left of", Thing("dog", "red", "small", 0.7, 0.5))
    True
    """
    dx, dy = a.x - b.x, a.y - b.y
    if relation == "left of":
        return dx <= -CLEAR
    if relation == "right of":
        return dx >= CLEAR
    if relation == "above":
        return dy <= -CLEAR
    if relation == "below":
        return dy >= CLEAR
    if relation == "next to":
        return max(abs(dx), abs(dy)) - (a.width + b.width) / 2 <= NEAR
    raise ValueError(f"unknown relation {relation!r}: use one of {', '.join(RELATIONS)}")


def split_of(scene: Scene) -> str:
    """The split that a scene belongs to, decided by what it shows: no description occurs in two splits.

    >>> split_of(Scene("day", (Thing("cat", "white", "small", 0.5, 0.5),)))
    'heldout'
    """
    if any((thing.kind, thing.color) in HELD_OUT for thing in scene.things):
        return "heldout"
    ticket = int.from_bytes(hashlib.sha256(scene.key.encode()).digest()[:4], "big") % 20
    return {0: "val", 1: "test"}.get(ticket, "train")


# (how many of each group) with the share of scenes composed so
COMPOSITIONS: tuple[tuple[tuple[int, ...], float], ...] = (
    ((1,), 0.14), ((2,), 0.07), ((3,), 0.04), ((4,), 0.02),
    ((1, 1), 0.30), ((2, 1), 0.10), ((2, 2), 0.03), ((3, 1), 0.03),
    ((1, 1, 1), 0.20), ((2, 1, 1), 0.07),
)  # fmt: skip


def draw_scene(rng: random.Random) -> Scene:
    """A random scene of any split: `rng` decides everything.

    >>> draw_scene(random.Random(1)) == draw_scene(random.Random(1))
    True
    """
    while True:
        counts = rng.choices([c for c, _ in COMPOSITIONS], [p for _, p in COMPOSITIONS])[0]
        kinds = rng.sample(ALL_KINDS, len(counts))
        looks = [
            (kind, rng.choice(COLORS), rng.choice(tuple(SIZES))) for kind, n in zip(kinds, counts) for _ in range(n)
        ]
        # the things of one group look alike
        looks = [looks[sum(counts[:g])] for g, n in enumerate(counts) for _ in range(n)]
        things = place(looks, rng)
        if things:
            return Scene(rng.choice(SETTINGS), things, rng.randrange(1 << 16))


def place(looks: list[tuple[str, str, str]], rng: random.Random) -> tuple[Thing, ...]:
    """Centres for things of the given looks such that none covers another; empty when they do not fit."""
    placed: list[Thing] = []
    for kind, color, size in looks:
        half = SIZES[size] / 2
        steps = [step for step in range(GRID + 1) if half <= step / GRID <= 1 - half]
        for _ in range(30):
            x, y = (round(rng.choice(steps) / GRID, 4) for _ in range(2))
            if all(max(abs(x - p.x), abs(y - p.y)) >= half + p.width / 2 for p in placed):
                placed.append(Thing(kind, color, size, x, y))
                break
        else:
            return ()
    return tuple(placed)


def scene(split: str, index: int) -> Scene:
    """Scene number `index` of a split, always the same: the splits are endless lists, disjoint by construction.

    >>> scene("test", 7) == scene("test", 7), split_of(scene("test", 7))
    (True, 'test')
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: use one of {', '.join(SPLITS)}")
    rng = random.Random(f"flatland {split} {index}")
    while True:
        found = draw_scene(rng)
        if split_of(found) == split:
            return found


def distinct(split: str, count: int, start: int = 0) -> Iterator[tuple[int, Scene]]:
    """The first `count` scenes of a split from `start` on whose descriptions are pairwise different, with their numbers.

    >>> len({s.key for _, s in distinct("test", 50)})
    50
    """
    seen: set[str] = set()
    index = start
    while len(seen) < count:
        found = scene(split, index)
        if found.key not in seen:
            seen.add(found.key)
            yield index, found
        index += 1
