"""Questions about Paperland, of two steps each: find a thing by another one or by its looks, then say something of it.

Every type is one function that makes a question which the scene answers, or None where it allows none.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ..dataset import Question
from ..flatland.language import COLOR_WORDS, NUMBERS, plural
from ..flatland.scene import COLORS, Scene, Thing, holds

SIDES = ("left of", "right of", "above", "below")


def _named(scene: Scene, thing: Thing) -> str | None:
    """The shortest words that only this thing answers to: its kind, its colour, or both."""
    for words, alike in (
        (thing.kind, lambda t: t.kind == thing.kind),
        (f"{thing.color} thing", lambda t: t.color == thing.color),
        (f"{thing.color} {thing.kind}", lambda t: (t.color, t.kind) == (thing.color, thing.kind)),
    ):
        if sum(map(alike, scene.things)) == 1:
            return words
    return None


def _placed(scene: Scene, rng: random.Random) -> tuple[str, list[Thing]] | None:
    """left of the cat, and what is there."""
    known = [(thing, words) for thing in scene.things if (words := _named(scene, thing))]
    if not known:
        return None
    anchor, words = rng.choice(known)
    side = rng.choice(SIDES)
    return f"{side} the {words}", [t for t in scene.things if t is not anchor and holds(t, side, anchor)]


def color(scene: Scene, rng: random.Random) -> Question | None:
    """What color is the thing left of the cat?"""
    found = _placed(scene, rng)
    if not found or len({t.color for t in found[1]}) != 1:
        return None
    where, there = found
    words = "is the thing" if len(there) == 1 else "are the things"
    return Question(f"what color {words} {where}", there[0].color, "color")


def kind(scene: Scene, rng: random.Random) -> Question | None:
    """What is above the red thing?"""
    found = _placed(scene, rng)
    if not found or len({t.kind for t in found[1]}) != 1:
        return None
    return Question(f"what is {found[0]}", found[1][0].kind, "kind")


def beside(scene: Scene, rng: random.Random) -> Question | None:
    """How many things left of the cat are there?"""
    found = _placed(scene, rng)
    if not found or len(found[1]) >= len(NUMBERS):
        return None
    return Question(f"how many things {found[0]} are there", NUMBERS[len(found[1])], "beside")


def count(scene: Scene, rng: random.Random) -> Question | None:
    """How many red things are there?, how many red cats are there?"""
    shown = rng.choice(scene.things)
    asked = rng.choice((shown.color, shown.color, rng.choice(COLORS)))
    noun = rng.choice((None, shown.kind))
    there = sum(t.color == asked and noun in (None, t.kind) for t in scene.things)
    if there >= len(NUMBERS):
        return None
    return Question(f"how many {asked} {plural(noun or 'thing')} are there", NUMBERS[there], "count")


def exists(scene: Scene, rng: random.Random) -> Question | None:
    """Is there a red cat left of a tent?, as often no as yes."""
    a, b = rng.sample(scene.things, 2)
    wanted = rng.random() < 0.5
    shown = a.color if wanted else rng.choice([t.color for t in scene.things if t.color != a.color] or [*COLORS])
    side = rng.choice([s for s in SIDES if holds(a, s, b) == (wanted or shown != a.color)] or [*SIDES])
    text = f"is there {_article(COLOR_WORDS[shown][0])} {a.kind} {side} {_article(b.kind)}"
    yes = any(
        t is not u and (t.kind, t.color, u.kind) == (a.kind, shown, b.kind) and holds(t, side, u)
        for t in scene.things
        for u in scene.things
    )
    return Question(text, "yes" if yes else "no", "exists")


def relation(scene: Scene, rng: random.Random) -> Question | None:
    """Is the red thing left of the cat?"""
    known = [(thing, words) for thing in scene.things if (words := _named(scene, thing))]
    if len(known) < 2:
        return None
    (a, first), (b, second) = rng.sample(known, 2)
    wanted = rng.random() < 0.5
    side = rng.choice([s for s in SIDES if holds(a, s, b) == wanted] or [*SIDES])
    return Question(f"is the {first} {side} the {second}", "yes" if holds(a, side, b) else "no", "relation")


def size(scene: Scene, rng: random.Random) -> Question | None:
    """What size is the red thing?"""
    shown = rng.choice(scene.things).color
    sizes = {t.size for t in scene.things if t.color == shown}
    if len(sizes) != 1:
        return None
    many = sum(t.color == shown for t in scene.things) > 1
    return Question(f"what size {'are' if many else 'is'} the {shown} thing{'s' * many}", min(sizes), "size")


def _article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


TYPES: dict[str, Callable[[Scene, random.Random], Question | None]] = {
    make.__name__: make for make in (color, kind, beside, count, exists, relation, size)
}


def all_types(scene: Scene, rng: random.Random) -> list[Question]:
    """One question of every type that the scene allows."""
    return [question for make in TYPES.values() if (question := make(scene, rng))]
