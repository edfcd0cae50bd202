"""Questions to train on: every type that the benchmark asks, and freer forms of them."""

from __future__ import annotations

import random

from ..data import flatland
from ..data.flatland import Question
from ..data.flatland.questions import all_types

# what takes more to learn is asked more often
OFTEN = {"relation": 4, "count": 3, "exists": 2, "place": 2}
CLAIMS = ("kind", "thing", "count", "none", "relation", "two")


def questions(scene: flatland.Scene, number: int, words: int, rng: random.Random) -> list[Question]:
    """So many questions about a scene, of different types, none longer than `words`."""
    there = [q for q in all_types(scene, rng) if len(q.text.split()) <= words]
    found = []
    while len(found) < number:
        chosen = rng.choices(there, [OFTEN.get(q.type, 1) for q in there])[0]
        there.remove(chosen)
        found.append(freer(chosen, scene, words, rng))
    return found


def freer(question: Question, scene: flatland.Scene, words: int, rng: random.Random) -> Question:
    """The same type asked in another way, for some types and now and then.

    >>> cat = flatland.Scene("day", (flatland.Thing("cat", "red", "small", 0.5, 0.5),))
    >>> freer(Question("what color is the cat", "red", "color"), cat, 10, random.Random(3)).text
    'is the cat red'
    """
    ask = {"exists": _claim, "count": _number, "color": _attribute, "size": _attribute}.get(question.type)
    text = ask(scene, rng) if ask and rng.random() < 0.4 else None
    if text is None or len(text.split()) > words:
        return question
    try:
        return Question(text, flatland.answer(text, scene), question.type)
    except ValueError:  # it has no one answer here
        return question


def _claim(scene: flatland.Scene, rng: random.Random) -> str | None:
    """Is there a red cat left of a tent?, are there two dogs?"""
    true = flatland.FORMS[rng.choice(CLAIMS)](scene, rng)
    said = flatland.mistaken(true, scene, rng) if true and rng.random() < 0.5 else true
    if said is None:
        return None
    one = said.split()[0] in ("a", "an", "one")
    return f"{'is' if one else 'are'} there {said}"


def _number(scene: flatland.Scene, rng: random.Random) -> str:
    """How many red things are there?"""
    shown = rng.choice(scene.things)
    color = rng.choice((shown.color, rng.choice(flatland.COLORS)))
    noun = flatland.plural(rng.choice((shown.kind, "thing", "thing")))
    return f"how many {color} {noun} are there"


def _attribute(scene: flatland.Scene, rng: random.Random) -> str:
    """Is the cat red?"""
    shown = rng.choice(scene.things)
    value = rng.choice((shown.color, rng.choice(flatland.COLORS), rng.choice(scene.things).color, shown.size))
    return f"is the {shown.kind} {value}"
