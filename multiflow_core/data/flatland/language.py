"""Captions of Flatland scenes, and the parser that says whether a caption is true of a scene.

One small grammar serves both directions. A caption is a chain of noun phrases, each tied to the one before it by a relation
("left of", "above", ...) or by "and" / "with"; the setting stands at either end, or alone:

    caption := [opening] [setting] phrase ((relation | "and" | "with") phrase)* [setting] | [opening] setting
    phrase  := (article | number) [size] [color] (kind | "thing")
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .scene import ALL_KINDS, COLORS, Scene, Thing, holds

T = TypeVar("T")

NUMBERS: tuple[str, ...] = ("zero", "one", "two", "three", "four")


def in_words(number: int) -> str:
    """
    >>> in_words(4), in_words(5)
    ('four', '5')
    """
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


# The first word of every entry is the plain one.
SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": ("small", "little", "tiny"),
    "medium": ("medium",),
    "large": ("large", "big", "huge"),
}
COLOR_WORDS: dict[str, tuple[str, ...]] = {color: (color,) for color in COLORS} | {"purple": ("purple", "violet")}
KIND_WORDS: dict[str, tuple[str, ...]] = {kind: (kind,) for kind in ALL_KINDS} | {
    "cat": ("cat", "kitty"),
    "dog": ("dog", "puppy"),
    "rabbit": ("rabbit", "bunny"),
    "boat": ("boat", "ship"),
    "plane": ("plane", "airplane"),
    "rocket": ("rocket", "spaceship"),
    "mushroom": ("mushroom", "toadstool"),
}
PLURALS: dict[str, str] = {
    "fish": "fish", "bus": "buses", "cactus": "cacti", "kitty": "kitties",
    "puppy": "puppies", "bunny": "bunnies",
}  # fmt: skip
SETTING_PHRASES: dict[str, tuple[str, ...]] = {
    "day": ("on a sunny day", "by day", "in the daytime"),
    "night": ("at night", "on a dark night"),
    "sunset": ("at sunset", "in the evening"),
    "snow": ("in the snow", "in winter"),
    "beach": ("on the beach", "at the seaside"),
    "desert": ("in the desert", "among the dunes"),
    "city": ("in the city", "in town"),
    "space": ("in space", "among the stars"),
}
RELATION_PHRASES: dict[str, tuple[str, ...]] = {
    "left of": ("left of", "to the left of"),
    "right of": ("right of", "to the right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
    "next to": ("next to", "beside", "near"),
}
OPENINGS: tuple[str, ...] = ("a picture of", "there is", "there are", "we see", "this is")
ANY_KIND: tuple[str, ...] = ("thing", "object")


def plural(noun: str) -> str:
    """The plural of a Flatland noun.

    >>> plural("cat"), plural("bus")
    ('cats', 'buses')
    """
    return PLURALS.get(noun, noun + "s")


def _reverse(words: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {word: meaning for meaning, synonyms in words.items() for word in synonyms}


SIZE_OF, COLOR_OF, SETTING_OF, RELATION_OF = map(_reverse, (SIZE_WORDS, COLOR_WORDS, SETTING_PHRASES, RELATION_PHRASES))
KIND_OF = _reverse(KIND_WORDS)
KIND_OF |= {plural(word): kind for word, kind in KIND_OF.items()}
NUMBER_OF: dict[str, int] = {word: n for n, word in enumerate(NUMBERS)} | {"a": 1, "an": 1, "the": 1, "no": 0}
SPELLING: dict[str, str] = {"colour": "color", "colours": "colors"}
_JOINS = {"and": "and", "with": "and"}


# --- speaking -------------------------------------------------------------------------------------------------------


def noun_phrase(group: tuple[Thing, ...], rng: random.Random | None, size: bool = True) -> str:
    """A group in words: "two small red cats"; without `rng` in the plain ones.

    >>> noun_phrase((Thing("dog", "blue", "large", 0.5, 0.5),), random.Random(1), size=False)
    'a blue dog'
    """
    thing = group[0]
    noun = choose(KIND_WORDS[thing.kind], rng)
    words = [choose(COLOR_WORDS[thing.color], rng), plural(noun) if len(group) > 1 else noun]
    if size and thing.size != "medium":
        words.insert(0, choose(SIZE_WORDS[thing.size], rng))
    count = in_words(len(group)) if len(group) > 1 else "an" if words[0][0] in "aeiou" else "a"
    return " ".join([count, *words])


def choose(synonyms: tuple[str, ...], rng: random.Random | None) -> str:
    """The plain word most of the time, a synonym now and then."""
    return synonyms[0] if rng is None or rng.random() < 0.7 else rng.choice(synonyms)


def relation_between(a: tuple[Thing, ...], b: tuple[Thing, ...]) -> str | None:
    """The most visible relation that holds for every pair of two groups, or None."""
    dx = sum(t.x for t in a) / len(a) - sum(t.x for t in b) / len(b)
    dy = sum(t.y for t in a) / len(a) - sum(t.y for t in b) / len(b)
    sideways = "left of" if dx < 0 else "right of"
    upright = "above" if dy < 0 else "below"
    for relation in (sideways, upright) if abs(dx) > abs(dy) else (upright, sideways):
        if all(holds(s, relation, t) for s in a for t in b):
            return relation
    return None


def caption(scene: Scene, rng: random.Random, full: bool = False) -> str:
    """A true caption. A full one names the setting, every group, every unusual size; others leave something out.

    >>> scene = Scene("night", (Thing("boat", "red", "large", 0.5, 0.8), Thing("cloud", "white", "small", 0.5, 0.2)))
    >>> caption(scene, random.Random(4), full=True)
    'a small white cloud above a large red boat at night'
    """
    groups = list(scene.groups)
    rng.shuffle(groups)
    if not full and len(groups) > 1 and rng.random() < 0.1:
        groups.pop()
    words = noun_phrase(groups[0], rng, full or rng.random() < 0.5)
    for before, group in itertools.pairwise(groups):
        relation = relation_between(before, group)
        join = "and"
        if relation and rng.random() < 0.65:
            # one long form ("to the left of") a caption is enough: no caption has more than 22 words
            join = relation if " the " in words else choose(RELATION_PHRASES[relation], rng)
        words += f" {join} {noun_phrase(group, rng, full or rng.random() < 0.5)}"
    if not full and rng.random() < 0.15:
        return words
    setting = choose(SETTING_PHRASES[scene.setting], rng)
    return f"{setting} {words}" if rng.random() < 0.15 else f"{words} {setting}"


# --- understanding --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phrase:
    """One noun phrase of a caption; None where the caption does not say. `words` are positions in the caption."""

    count: int | None
    size: str | None
    color: str | None
    kind: str | None
    words: tuple[int, ...]
    plural: bool = False


@dataclass(frozen=True)
class Parse:
    """A caption understood: its setting, its phrases, and `links`, the relation to the phrase before (or "and")."""

    words: tuple[str, ...]
    setting: str | None
    setting_words: tuple[int, ...]
    phrases: tuple[Phrase, ...]
    links: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Verdict:
    """Whether a caption is true of a scene, the positions of its false words, and why; and what it leaves out.

    `understood` is False where the text is not a Flatland caption: then `true` is False too and nothing is marked.
    """

    true: bool
    understood: bool
    words: tuple[str, ...]
    false_words: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def tokenize(text: str) -> list[str]:
    """Lower-case words in Flatland's spelling, without punctuation.

    >>> tokenize("A red boat, at night!"), tokenize("What colour?")
    (['a', 'red', 'boat', 'at', 'night'], ['what', 'color'])
    """
    return [SPELLING.get(word, word) for word in re.findall(r"[a-z0-9]+", text.lower())]


def parse(text: str) -> Parse:
    """Read a caption.

    >>> p = parse("two red cats left of a tree at night")
    >>> p.setting, p.phrases[0].count, p.links[0][0], p.phrases[1].kind
    ('night', 2, 'left of', 'tree')

    Raises:
        ValueError: when the words do not form a Flatland caption; the message names the first word that does not fit.
    """
    words = tokenize(text)
    setting, setting_words, phrases, links = None, (), [], []
    i = _opening(words)
    while i < len(words):
        if (found := match_words(words, i, SETTING_OF)) and setting is None:
            setting, n = found
            setting_words = tuple(range(i, i + n))
        elif found := match_words(words, i, RELATION_OF | _JOINS):
            link, n = found
            if len(links) != len(phrases) - 1:
                raise ValueError(f"'{words[i]}' stands where a thing was expected")
            links.append((link, tuple(range(i, i + n))))
        else:
            phrase = read_phrase(words, i)
            if phrases and len(links) < len(phrases):
                raise ValueError(f"'{words[i]}' follows without 'and' or a relation")
            phrases.append(phrase)
            n = len(phrase.words)
        i += n
    if (not phrases and setting is None) or len(links) != max(0, len(phrases) - 1):
        raise ValueError("the words stop before they have named a thing")
    return Parse(tuple(words), setting, setting_words, tuple(phrases), tuple(links))


def _opening(words: list[str]) -> int:
    found = match_words(words, 0, {phrase: phrase for phrase in OPENINGS})
    return found[1] if found else 0


def match_words(words: list[str], start: int, table: Mapping[str, T]) -> tuple[T, int] | None:
    """The meaning and length of the longest entry of `table` that the words begin with at `start`."""
    for n in range(min(4, len(words) - start), 0, -1):
        meaning = table.get(" ".join(words[start : start + n]))
        if meaning is not None:
            return meaning, n
    return None


def read_phrase(words: list[str], start: int) -> Phrase:
    """The noun phrase that begins at `start`; ValueError where there is none."""
    i = start
    found: dict[str, str | int | None] = {}
    for part, table in (("count", NUMBER_OF), ("size", SIZE_OF), ("color", COLOR_OF)):
        found[part] = table.get(words[i]) if i < len(words) else None
        i += found[part] is not None
    noun = words[i] if i < len(words) else None
    if noun is None:
        raise ValueError("the words stop before they have named a thing")
    any_kind = noun in ANY_KIND or noun.removesuffix("s") in ANY_KIND
    if noun not in KIND_OF and not any_kind:
        raise ValueError(f"'{noun}' stands where a thing was expected")
    is_plural = noun not in KIND_WORDS and noun not in ANY_KIND and noun.endswith(("s", "i"))
    kind = None if any_kind else KIND_OF[noun]
    return Phrase(found["count"], found["size"], found["color"], kind, tuple(range(start, i + 1)), is_plural)


def fits(phrase: Phrase, thing: Thing) -> bool:
    """Whether a thing is one of those that a phrase speaks of."""
    return (
        phrase.kind in (None, thing.kind) and phrase.color in (None, thing.color) and phrase.size in (None, thing.size)
    )


def is_exact(phrase: Phrase, words: Sequence[str]) -> bool:
    """Whether a phrase says how many there are: "two cats", "no cats", but not "a cat"."""
    return phrase.count is not None and words[phrase.words[0]] in (*NUMBERS, "no")


def judge(text: str, scene: Scene) -> Verdict:
    """Say whether a caption is true of a scene, and which words are false.

    A singular phrase is true when at least one such thing is there; a number word when there are exactly so many. Every phrase
    speaks of things of its own: "a cat and a cat" needs two.

    >>> scene = Scene("night", (Thing("boat", "red", "large", 0.5, 0.8), Thing("cloud", "white", "small", 0.5, 0.2)))
    >>> judge("a red boat below a white cloud at night", scene).true
    True
    >>> verdict = judge("a blue boat at sunset", scene)
    >>> verdict.true, [verdict.words[i] for i in verdict.false_words]
    (False, ['blue', 'sunset'])
    """
    try:
        said = parse(text)
    except ValueError as error:
        return Verdict(False, False, tuple(tokenize(text)), (), (str(error),))
    false: list[int] = []
    reasons: list[str] = []
    meant = []
    for phrase in said.phrases:
        wrong, why = _false_in_phrase(phrase, said.words, scene)
        false += wrong
        reasons += why
        meant.append([t for t in scene.things if fits(phrase, t)])
    if not reasons and (phrase := _said_too_often(said, meant)):
        false += phrase.words
        reasons.append(f"there are not so many of '{' '.join(said.words[i] for i in phrase.words)}' as are spoken of")
    for (link, positions), before, after in zip(said.links, meant, meant[1:]):
        if link != "and" and before and after and not any(_related(before, link, after)):
            false += positions
            reasons.append(f"nothing described so is {link} the other")
    if said.setting not in (None, scene.setting):
        false.append(said.setting_words[-1])
        reasons.append(f"the setting is {scene.setting}")
    return Verdict(not reasons, True, said.words, tuple(sorted(set(false))), tuple(reasons), left_out(said, scene))


def needs(phrase: Phrase, words: Sequence[str]) -> int:
    """How many things a phrase speaks of, at least."""
    return phrase.count if is_exact(phrase, words) else 1


def left_out(said: Parse, scene: Scene) -> tuple[str, ...]:
    """What a caption does not say of a scene: things with kind, colour, number and unusual size, and the setting.

    >>> scene = Scene("night", (Thing("boat", "red", "large", 0.5, 0.8), Thing("cloud", "white", "medium", 0.5, 0.2)))
    >>> left_out(parse("a red boat below a white cloud"), scene)
    ('a large red boat', 'at night')
    """
    untold = [group for group in scene.groups if not any(_tells(said, phrase, group) for phrase in said.phrases)]
    return *(noun_phrase(group, None) for group in untold), *(
        [] if said.setting else SETTING_PHRASES[scene.setting][:1]
    )


def _tells(said: Parse, phrase: Phrase, group: tuple[Thing, ...]) -> bool:
    """Whether a phrase says all there is to say of a group but where it is."""
    size, color, kind = group[0].looks
    sized = phrase.size == size or (phrase.size is None and size == "medium")
    return sized and (phrase.color, phrase.kind) == (color, kind) and needs(phrase, said.words) == len(group)


def _said_too_often(said: Parse, meant: Sequence[Sequence[Thing]]) -> Phrase | None:
    """The last of some phrases that together speak of more things than fit them (Hall's condition)."""
    for n in range(2, len(meant) + 1):
        for chosen in itertools.combinations(range(len(meant)), n):
            fitting = {id(thing) for i in chosen for thing in meant[i]}
            if sum(needs(said.phrases[i], said.words) for i in chosen) > len(fitting):
                return said.phrases[chosen[-1]]
    return None


def _related(before: list[Thing], relation: str, after: list[Thing]) -> list[bool]:
    return [holds(a, relation, b) for a in before for b in after if a is not b]


def _false_in_phrase(phrase: Phrase, words: tuple[str, ...], scene: Scene) -> tuple[list[int], list[str]]:
    """The words to mark in a phrase that is false: those that no thing of the scene that fits best has."""
    count = sum(fits(phrase, thing) for thing in scene.things)
    said = " ".join(words[i] for i in phrase.words)
    exact = is_exact(phrase, words)
    if count and (not exact or count == phrase.count):
        return [], []
    if exact and (count or not phrase.count):
        if count == phrase.count:
            return [], []
        return [phrase.words[0]], [f"'{said}': there {'is' if count == 1 else 'are'} {in_words(count)}"]
    best = max(scene.things, key=lambda t: sum(_agreement(phrase, t).values()) + (t.kind == phrase.kind))
    agreement = _agreement(phrase, best)
    tables = {"size": SIZE_OF, "color": COLOR_OF, "kind": KIND_OF}
    wrong = [i for i in phrase.words for part, table in tables.items() if words[i] in table and not agreement[part]]
    return wrong, [f"there is no '{said}'"]


def _agreement(phrase: Phrase, thing: Thing) -> dict[str, bool]:
    return {part: getattr(phrase, part) in (None, getattr(thing, part)) for part in ("size", "color", "kind")}


# --- words ----------------------------------------------------------------------------------------------------------


def caption_words() -> set[str]:
    """Every word that a caption can contain."""
    texts = [*SIZE_OF, *COLOR_OF, *KIND_OF, *NUMBER_OF, *SETTING_OF, *RELATION_OF, *OPENINGS, *_JOINS]
    texts += [form for word in ANY_KIND for form in (word, plural(word))]
    return {word for text in texts for word in text.split()}
