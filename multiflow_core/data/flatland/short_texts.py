"""What people type: short true texts about a scene, and texts that are false of it by one fact.

The forms: a bare kind, one thing, two things, a relation, a number, an absence, a setting.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from .language import (
    COLOR_OF,
    COLOR_WORDS,
    KIND_WORDS,
    NUMBERS,
    RELATION_PHRASES,
    SETTING_PHRASES,
    SIZE_OF,
    SIZE_WORDS,
    Parse,
    Phrase,
    choose,
    fits,
    is_exact,
    judge,
    parse,
    plural,
)
from .scene import ALL_KINDS, COLORS, RELATIONS, SETTINGS, SIZES, Scene, Thing, holds


def kind(scene: Scene, rng: random.Random) -> str:
    """a cat, cats"""
    noun = choose(KIND_WORDS[rng.choice(scene.things).kind], rng)
    return rng.choice((noun, plural(noun), with_article(noun)))


def thing(scene: Scene, rng: random.Random) -> str:
    """a red cat"""
    words = _named(rng.choice(scene.things), rng, color=0.95, size=0.2)
    return words if rng.random() < 0.1 else with_article(words)


def two(scene: Scene, rng: random.Random) -> str | None:
    """a red cat and a tent"""
    return _tied(scene, rng, lambda a, b: choose(("and", "with"), rng))


def relation(scene: Scene, rng: random.Random) -> str | None:
    """a red cat left of a tent"""

    def seen(a: Thing, b: Thing) -> str | None:
        true = [r for r in RELATIONS if holds(a, r, b)]
        return choose(RELATION_PHRASES[rng.choice(true)], rng) if true else None

    return _tied(scene, rng, seen)


def count(scene: Scene, rng: random.Random) -> str:
    """two red cats, three things"""
    several = [group for group in scene.groups if len(group) > 1]
    shown = rng.choice(several if several and rng.random() < 0.7 else scene.groups)[0]
    draw = rng.random()
    color, named = shown.color if draw > 0.6 else None, shown.kind if draw < 0.8 else None
    if 0.2 < draw < 0.3:
        named = None
    there = sum(fits(Phrase(None, None, color, named, ()), t) for t in scene.things)
    noun = choose(KIND_WORDS[named], rng) if named else "thing"
    return _joined(NUMBERS[there], color, plural(noun) if there > 1 else noun)


def none(scene: Scene, rng: random.Random) -> str:
    """no clouds, no red cats"""
    while True:
        color = rng.choice((None, rng.choice(COLORS), rng.choice(scene.things).color))
        named = rng.choice((rng.choice(ALL_KINDS), rng.choice(scene.things).kind)) if color else rng.choice(ALL_KINDS)
        if rng.random() < 0.2 and color:
            named = None
        if not any(fits(Phrase(None, None, color, named, ()), t) for t in scene.things):
            return _joined("no", color, plural(choose(KIND_WORDS[named], rng) if named else "thing"))


def setting(scene: Scene, rng: random.Random) -> str:
    """at night, a red cat at night"""
    where = choose(SETTING_PHRASES[scene.setting], rng)
    words = with_article(_named(rng.choice(scene.things), rng, color=0.4, size=0.1))
    return rng.choice((where, f"{words} {where}", f"{words} {where}", f"{where} {words}"))


FORMS: dict[str, Callable[[Scene, random.Random], str | None]] = {
    make.__name__: make for make in (kind, thing, two, relation, count, none, setting)
}


def _tied(scene: Scene, rng: random.Random, tie: Callable[[Thing, Thing], str | None]) -> str | None:
    if len(scene.groups) < 2:
        return None
    a, b = (rng.choice(group) for group in rng.sample(scene.groups, 2))
    between = tie(a, b)
    if between is None:
        return None
    color = rng.choice((0.0, 0.6, 1.0))
    first, second = (with_article(_named(t, rng, color, size=0.05)) for t in (a, b))
    return f"{first} {between} {second}"


def _named(thing: Thing, rng: random.Random, color: float, size: float) -> str:
    """Its kind, with these chances of saying colour and size."""
    tinted = choose(COLOR_WORDS[thing.color], rng) if rng.random() < color else None
    sized = choose(SIZE_WORDS[thing.size], rng) if rng.random() < size else None
    return _joined(sized, tinted, choose(KIND_WORDS[thing.kind], rng))


def _joined(*words: str | None) -> str:
    return " ".join(word for word in words if word)


def with_article(words: str) -> str:
    """
    >>> with_article("orange cat")
    'an orange cat'
    """
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


# --- one fact changed -----------------------------------------------------------------------------------------------


def mistaken(text: str, scene: Scene, rng: random.Random) -> str | None:
    """The text with one fact changed so that it is false of the scene; None where a few tries found no such text.

    >>> cat = Scene("day", (Thing("cat", "red", "small", 0.5, 0.5),))
    >>> mistaken("a red cat", cat, random.Random(0))
    'an orange cat'

    What takes a fact's place comes from the scene itself half of the time: words that are there, but belong elsewhere. Relations
    are changed as often as all the rest together: they take the most to learn.
    """
    said = parse(text)
    facts = [(fact, phrase) for phrase in said.phrases for fact in _facts(said, phrase, rng)]
    ties = [positions for link, positions in said.links if link in RELATIONS]
    facts += [(_other_relation, positions) for positions in ties for _ in range(4)]
    facts += [(_other_setting, said.setting_words)] if said.setting else []
    for _ in range(6):
        change, place = rng.choice(facts)
        found = _right_articles(change(said, place, scene, rng))
        if not judge(found, scene).true:
            return found
    return None


def _facts(said: Parse, phrase: Phrase, rng: random.Random) -> list[Callable]:
    """What can be changed of a phrase; an article becomes a number now and then."""
    there = [_other_kind] if phrase.kind else []
    there += [_other_color] if phrase.color else []
    there += [_other_size] if phrase.size else []
    counted = phrase.count is not None and (is_exact(phrase, said.words) or rng.random() < 0.3)
    return there + ([_other_count] if counted or not there else [])


def _other_kind(said: Parse, phrase: Phrase, scene: Scene, rng: random.Random) -> list[str]:
    new = _other(phrase.kind, [t.kind for t in scene.things], ALL_KINDS, rng)
    noun = choose(KIND_WORDS[new], rng)
    many = phrase.plural if phrase.count is None else phrase.count != 1
    return _replaced(said, phrase.words[-1:], plural(noun) if many else noun)


def _other_color(said: Parse, phrase: Phrase, scene: Scene, rng: random.Random) -> list[str]:
    new = _other(phrase.color, [t.color for t in scene.things], COLORS, rng)
    return _replaced(said, [i for i in phrase.words if said.words[i] in COLOR_OF], choose(COLOR_WORDS[new], rng))


def _other_size(said: Parse, phrase: Phrase, scene: Scene, rng: random.Random) -> list[str]:
    new = _other(phrase.size, [t.size for t in scene.things], tuple(SIZES), rng)
    return _replaced(said, [i for i in phrase.words if said.words[i] in SIZE_OF], choose(SIZE_WORDS[new], rng))


def _other_count(said: Parse, phrase: Phrase, scene: Scene, rng: random.Random) -> list[str]:
    new = rng.choice([n for n in range(len(NUMBERS)) if n != phrase.count])
    noun = KIND_WORDS[phrase.kind][0] if phrase.kind else "thing"
    words = _replaced(said, phrase.words[:1], NUMBERS[new] if new else "no").copy()
    words[phrase.words[-1]] = noun if new == 1 else plural(noun)
    return words


def _other_relation(said: Parse, place: tuple[int, ...], scene: Scene, rng: random.Random) -> list[str]:
    short, now = len(place) < 3, {positions: link for link, positions in said.links}[place]
    new = rng.choice([relation for relation in RELATIONS if relation != now])
    return _replaced(said, place, RELATION_PHRASES[new][0 if short else 1])


def _other_setting(said: Parse, place: tuple[int, ...], scene: Scene, rng: random.Random) -> list[str]:
    new = rng.choice([s for s in SETTINGS if s != scene.setting])
    return _replaced(said, place, rng.choice(SETTING_PHRASES[new]))


def _other(now: str | None, here: list[str], all_there_are: tuple[str, ...], rng: random.Random) -> str:
    near = [value for value in here if value != now]
    return rng.choice(near) if near and rng.random() < 0.5 else rng.choice([v for v in all_there_are if v != now])


def _replaced(said: Parse, place: tuple[int, ...] | list[int], words: str) -> list[str]:
    """The words with others in place of those at the positions, which follow one another."""
    return [*said.words[: place[0]], words, *said.words[place[-1] + 1 :]]


def _right_articles(words: list[str]) -> str:
    """
    >>> _right_articles(["a", "orange", "cat"])
    'an orange cat'
    """
    split = " ".join(words).split()
    for i, word in enumerate(split[:-1]):
        if word in ("a", "an"):
            split[i] = with_article(split[i + 1]).split()[0]
    return " ".join(split)
