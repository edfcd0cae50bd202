"""What somebody types, looked at before a model sees it, and examples of what to type. Pure, no streamlit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from multiflow_core.data import flatland
from multiflow_core.data.flatland.questions import all_types
from multiflow_core.models.vlm import VLM

from ..state import QUERY_LIMIT, keys
from .gallery import Picture
from .truth import at_home

EXAMPLES = (
    "a red boat below a white cloud at night",
    "a red car",
    "three things in space",
    "a blue thing above a red thing",
    "a fish on the beach",
)


@dataclass(frozen=True)
class Purpose:
    """What a typed text is for: what it is called, what to type, and what becomes of words that the model does not know."""

    name: str
    wanted: str
    otherwise: str


SEARCH = Purpose("query", "what you are looking for", "the ranking follows the other words")
QUESTION = Purpose("question", "a question about the picture", "it answers to the other words")


@dataclass(frozen=True)
class Query:
    """A query as the model gets it, and one sentence for everything that is wrong with it."""

    text: str
    complaints: tuple[str, ...] = ()
    usable: bool = True


def check(text: str | None, vlm: VLM, purpose: Purpose = SEARCH, who: str = "The model") -> Query:
    """Look at what somebody typed; says whether the model, called `who`, can do anything with it."""
    text = " ".join((text or "").split())
    if not text:
        return Query("", (f"Type {purpose.wanted}, or pick an example.",), False)
    if len(text) > QUERY_LIMIT:
        sentence = f"This {purpose.name} has {len(text):,} characters; up to {QUERY_LIMIT} can be used."
        return Query(text[:QUERY_LIMIT], (sentence,), False)
    said = plain(text, vlm)
    if not said:
        return Query("", (f"This {purpose.name} has no words in it: type {purpose.wanted}.",), False)
    unknown, long = list(dict.fromkeys(vlm.unknown_words(said))), _cut(said, vlm, purpose, who)
    if not unknown:
        return Query(said, long)
    listed = ", ".join(f"“{word[:24]}”" for word in unknown[:5]) + (" and others" if len(unknown) > 5 else "")
    if len(unknown) == len(set(said.split())):
        return Query(said, (f"{who} knows none of these words: {listed}.",), False)
    return Query(said, (*long, f"{who} does not know {listed}; {purpose.otherwise}."))


def _cut(said: str, vlm: VLM, purpose: Purpose, who: str) -> tuple[str, ...]:
    """Where a text is cut that is longer than the model reads, as a sentence."""
    cut = vlm.cut(said)
    if cut is None:
        return ()
    return (f"{who} reads {cut.most} tokens, and this {purpose.name} has {cut.tokens}: it was cut after “{cut.read}”.",)


def plain(text: str, vlm: VLM) -> str:
    """The text as the built-in models were taught to read it: words only. Other models get it as it is."""
    if not at_home(vlm):
        return text
    return " ".join(flatland.tokenize(text))


EXAMPLES_SHOWN = 8
QUESTIONS = ("how many things are there", "where is this", "is there a cat")  # of a picture that nobody has described


def like_the_usual(examples: Sequence[str]) -> str:
    """Of questions the shortest that begins as the usual one does; else the first.

    >>> like_the_usual(["what is left of the red thing", "how many cats left of it are there", "how many cats are there"])
    'how many cats are there'
    """
    begins = " ".join(keys.QUESTION.default.split()[:2])
    return min((example for example in examples if example.startswith(begins)), key=len, default=examples[0])


def questions(picture: Picture) -> tuple[str, ...]:
    """What to ask about a picture: what its data asks, else one question of every type that a scene of Flatland allows."""
    if picture.scene is None or picture.questions:
        return tuple(dict.fromkeys(question.text for question in picture.questions))[:EXAMPLES_SHOWN] or QUESTIONS
    return tuple(q.text for q in all_types(picture.scene, random.Random(f"questions {picture.scene.key}")))
