"""Questions about Flatland scenes, with exact answers.

Every question type is one function that makes a question true to the scene, or None where the scene allows none.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ..dataset import Question
from .language import COLOR_WORDS, KIND_WORDS, NUMBERS, RELATION_PHRASES, plural
from .scene import ALL_KINDS, COLORS, RELATIONS, SETTINGS, SIZES, Scene, Thing, holds

SIDES = tuple(r for r in RELATIONS if r != "next to")  # clear-cut relations: "next to" is a matter of degree


def _alone(scene: Scene) -> list[Thing]:
    """The things whose kind occurs once, so that "the cat" means one thing."""
    kinds = [thing.kind for thing in scene.things]
    return [thing for thing in scene.things if kinds.count(thing.kind) == 1]


def _noun(kind: str, rng: random.Random) -> str:
    return KIND_WORDS[kind][0] if rng.random() < 0.8 else rng.choice(KIND_WORDS[kind])


def color(scene: Scene, rng: random.Random) -> Question | None:
    group = rng.choice(scene.groups)
    kind = group[0].kind
    if len({t.color for t in scene.things if t.kind == kind}) > 1:
        return None
    noun = _noun(kind, rng)
    text = f"what color is the {noun}" if len(group) == 1 else f"what color are the {plural(noun)}"
    return Question(text, group[0].color, "color")


def size(scene: Scene, rng: random.Random) -> Question | None:
    group = rng.choice(scene.groups)
    noun = _noun(group[0].kind, rng)
    text = f"what size is the {noun}" if len(group) == 1 else f"what size are the {plural(noun)}"
    return Question(text, group[0].size, "size")


def kind(scene: Scene, rng: random.Random) -> Question | None:
    """What is the red thing?, where all that is red is of one kind."""
    by_color: dict[str, set[str]] = {}
    for thing in scene.things:
        by_color.setdefault(thing.color, set()).add(thing.kind)
    clear = [c for c, kinds in by_color.items() if len(kinds) == 1]
    if not clear:
        return None
    chosen = rng.choice(clear)
    return Question(f"what is the {rng.choice(COLOR_WORDS[chosen])} thing", min(by_color[chosen]), "kind")


def count(scene: Scene, rng: random.Random) -> Question | None:
    draw = rng.random()
    if draw < 0.3:
        return Question("how many things are there", NUMBERS[len(scene.things)], "count")
    asked = rng.choice(scene.groups)[0].kind if draw < 0.85 else rng.choice(ALL_KINDS)
    there = sum(thing.kind == asked for thing in scene.things)
    return Question(f"how many {plural(_noun(asked, rng))} are there", NUMBERS[there], "count")


def setting(scene: Scene, rng: random.Random) -> Question | None:
    return Question(rng.choice(("where is this", "what is the setting")), scene.setting, "setting")


def place(scene: Scene, rng: random.Random) -> Question | None:
    """What is left of the cat?, where one kind alone is."""
    alone = _alone(scene)
    if not alone or len(scene.things) < 2:
        return None
    anchor = rng.choice(alone)
    options = []
    for relation in SIDES:
        others = {t.kind for t in scene.things if t is not anchor and holds(t, relation, anchor)}
        if len(others) == 1:
            options.append((relation, min(others)))
    if not options:
        return None
    relation, answer = rng.choice(options)
    phrase = rng.choice(RELATION_PHRASES[relation])
    return Question(f"what is {phrase} the {_noun(anchor.kind, rng)}", answer, "place")


def exists(scene: Scene, rng: random.Random) -> Question | None:
    """Is there a red cat?; the wrong ones differ from a thing of the scene in one word half of the time."""
    thing = rng.choice(scene.things)
    shown_color, shown_kind = thing.color, thing.kind
    if rng.random() < 0.5:
        change = rng.random()
        if change < 0.7:
            shown_color = rng.choice(COLORS)
        if change > 0.5:
            shown_kind = rng.choice(ALL_KINDS)
    yes = any(t.color == shown_color and t.kind == shown_kind for t in scene.things)
    article = "an" if shown_color[0] in "aeiou" else "a"
    return Question(f"is there {article} {shown_color} {_noun(shown_kind, rng)}", _yes_no(yes), "exists")


def relation(scene: Scene, rng: random.Random) -> Question | None:
    """Is the cat left of the dog?"""
    alone = _alone(scene)
    if len(alone) < 2:
        return None
    a, b = rng.sample(alone, 2)
    options = [(r, holds(a, r, b)) for r in SIDES]
    wanted = rng.random() < 0.5
    options = [option for option in options if option[1] == wanted] or options
    chosen, yes = rng.choice(options)
    phrase = rng.choice(RELATION_PHRASES[chosen])
    return Question(f"is the {_noun(a.kind, rng)} {phrase} the {_noun(b.kind, rng)}", _yes_no(yes), "relation")


def _yes_no(yes: bool) -> str:
    return "yes" if yes else "no"


TYPES: dict[str, Callable[[Scene, random.Random], Question | None]] = {
    make.__name__: make for make in (color, kind, size, count, setting, place, exists, relation)
}


def ask(scene: Scene, rng: random.Random) -> Question:
    """A random question about a scene, every type equally likely among those that the scene allows.

    >>> from .scene import scene
    >>> ask(scene("test", 1), random.Random(0)).type in TYPES
    True
    """
    while True:
        question = rng.choice(tuple(TYPES.values()))(scene, rng)
        if question:
            return question


def all_types(scene: Scene, rng: random.Random) -> list[Question]:
    """One question of every type that the scene allows."""
    asked = (make(scene, rng) for make in TYPES.values())
    return [question for question in asked if question]


def question_words() -> set[str]:
    """The words of questions and answers that captions do not use already."""
    fixed = "what color is are the size how many things there where this setting medium yes no thing"
    return {*fixed.split(), *SETTINGS, *SIZES, *ALL_KINDS, *NUMBERS}
