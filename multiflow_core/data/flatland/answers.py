"""The exact answer to a typed question about a scene: every question of `questions`, and freer ones of the same forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .language import (
    COLOR_OF,
    KIND_OF,
    RELATION_OF,
    SIZE_OF,
    fits,
    in_words,
    judge,
    match_words,
    read_phrase,
    tokenize,
)
from .scene import Scene, Thing, holds

Reader = Callable[[list[str], Scene], str]


def answer(text: str, scene: Scene) -> str:
    """The answer, one word.

    >>> scene = Scene("night", (Thing("boat", "red", "large", 0.5, 0.8), Thing("cloud", "white", "small", 0.5, 0.2)))
    >>> answer("What colour is the boat?", scene), answer("what is above the boat", scene)
    ('red', 'cloud')
    >>> answer("is there a large red boat below a cloud", scene), answer("how many white things are there", scene)
    ('yes', 'one')

    Raises:
        ValueError: the question is none of Flatland's, or the scene does not answer it; the message says why.
    """
    words = tokenize(text)
    found = match_words(words, 0, _READERS)
    if found is None:
        raise ValueError("it does not begin like a Flatland question")
    read, length = found
    return read(words[length:], scene)


def _color(rest: list[str], scene: Scene) -> str:
    return _common(_things(rest, scene), "color")


def _size(rest: list[str], scene: Scene) -> str:
    return _common(_things(rest, scene), "size")


def _kind(rest: list[str], scene: Scene) -> str:
    """What is the red thing?"""
    return _common(_things(rest, scene), "kind")


def _count(rest: list[str], scene: Scene) -> str:
    if rest[-2:] != ["are", "there"]:
        raise ValueError("'how many' is answered up to '... are there'")
    return in_words(len(_things(rest[:-2], scene, few=True)))


def _setting(rest: list[str], scene: Scene) -> str:
    if rest:
        raise ValueError(f"'{rest[0]}' is one word too many")
    return scene.setting


def _place(rest: list[str], scene: Scene) -> str:
    """What is left of the cat?"""
    relation, words = _relation(rest)
    anchor = _one(words, scene)
    others = [thing for thing in scene.things if thing is not anchor and holds(thing, relation, anchor)]
    if not others:
        raise ValueError(f"nothing is {relation} the {anchor.kind}")
    return _common(others, "kind")


def _exists(rest: list[str], scene: Scene) -> str:
    verdict = judge(" ".join(rest), scene)
    if not verdict.understood:
        raise ValueError(verdict.reasons[0])
    return _yes_no(verdict.true)


def _is(rest: list[str], scene: Scene) -> str:
    """Is the cat left of the dog?, or: is the cat red?"""
    phrase = read_phrase(rest, 0)
    named, left = rest[: len(phrase.words)], rest[len(phrase.words) :]
    if len(left) == 1 and left[0] in COLOR_OF:
        return _yes_no(_common(_things(named, scene), "color") == COLOR_OF[left[0]])
    if len(left) == 1 and left[0] in SIZE_OF:
        return _yes_no(_common(_things(named, scene), "size") == SIZE_OF[left[0]])
    relation, words = _relation(left)
    return _yes_no(holds(_one(named, scene), relation, _one(words, scene)))


_READERS: dict[str, Reader] = {
    "what color is the": _color, "what color are the": _color, "what size is the": _size, "what size are the": _size,
    "what is the setting": _setting, "where is this": _setting, "what is the": _kind, "what are the": _kind,
    "what is": _place, "how many": _count, "is there": _exists, "are there": _exists, "is the": _is, "are the": _is,
}  # fmt: skip


def means(said: str, right: str) -> bool:
    """Whether an answer is the right one, also in other words or in figures.

    >>> means("ship", "boat"), means("2", "two"), means("blue", "red")
    (True, True, False)
    """
    return _MEANING.get(said, said) == right


_MEANING = COLOR_OF | SIZE_OF | KIND_OF | {str(n): in_words(n) for n in range(5)}


# --- what the words mean --------------------------------------------------------------------------------------------


def _things(words: list[str], scene: Scene, few: bool = False) -> list[Thing]:
    """Those that the words speak of, which may say of what they are left: "thing left of the cat"; none only where `few`."""
    phrase = read_phrase(words, 0)
    found = [thing for thing in scene.things if fits(phrase, thing)]
    if rest := words[len(phrase.words) :]:
        tie = match_words(rest, 0, RELATION_OF)
        if tie is None or tie[1] == len(rest):
            raise ValueError(f"'{rest[0]}' is one word too many")
        relation, length = tie
        anchor = _one(rest[length:], scene)
        found = [thing for thing in found if thing is not anchor and holds(thing, relation, anchor)]
    if not found and not few:
        raise ValueError(f"there is no '{' '.join(words)}' in this picture")
    return found


def _one(words: list[str], scene: Scene) -> Thing:
    """The one thing that "the ..." speaks of."""
    found = _things(words[words[:1] == ["the"] :], scene)
    if len(found) > 1:
        raise ValueError(f"there are {in_words(len(found))} of what '{' '.join(words)}' may mean")
    return found[0]


def _common(things: Sequence[Thing], part: str) -> str:
    """The colour, size or kind that all of them share."""
    shared = {getattr(thing, part) for thing in things}
    if len(shared) > 1:
        raise ValueError(f"there is more than one {part} to name")
    return shared.pop()


def _relation(words: list[str]) -> tuple[str, list[str]]:
    """The relation that the words begin with, and the words after it."""
    found = match_words(words, 0, RELATION_OF)
    if found is None:
        raise ValueError(f"'{words[0]}' stands where a place was expected" if words else "the question stops too early")
    relation, length = found
    return relation, words[length:]


def _yes_no(yes: bool) -> str:
    return "yes" if yes else "no"
