"""What can be said about a query or a caption before and after a model has seen it. Pure, no streamlit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cards import Said, Word
from .state import QUERY_LIMIT

if TYPE_CHECKING:
    from multiflow_core.data.flatland import Scene
    from multiflow_core.vlm import VLM, Caption

EXAMPLES = (
    "a red car",
    "a red thing at night",
    "three things in space",
    "a blue thing above a red thing",
    "a cat on the beach",
)


@dataclass(frozen=True)
class Query:
    """A query as the model gets it, and one sentence for everything that is wrong with it."""

    text: str
    complaints: tuple[str, ...] = ()
    usable: bool = True


def check(text: str | None, vlm: VLM) -> Query:
    """Look at what somebody typed; says whether there is something to search for."""
    text = " ".join((text or "").split())
    if not text:
        return Query("", ("Type what you are looking for, or pick an example.",), False)
    if len(text) > QUERY_LIMIT:
        sentence = f"This query has {len(text):,} characters; up to {QUERY_LIMIT} can be used."
        return Query(text[:QUERY_LIMIT], (sentence,), False)
    said = plain(text, vlm)
    if not said:
        return Query("", ("This query has no words in it: type what you are looking for.",), False)
    unknown = list(dict.fromkeys(vlm.unknown_words(said)))
    if not unknown:
        return Query(said)
    listed = ", ".join(f"“{word[:24]}”" for word in unknown[:5]) + (" and others" if len(unknown) > 5 else "")
    if len(unknown) == len(set(said.split())):
        return Query(said, (f"The model knows none of these words: {listed}.",), False)
    return Query(said, (f"The model does not know {listed}; the ranking follows the other words.",))


def plain(text: str, vlm: VLM) -> str:
    """The text as the built-in models were taught to read it: words only. Other models get it as it is."""
    if not vlm.name.startswith("flatland"):
        return text
    from multiflow_core.data import flatland

    return " ".join(flatland.tokenize(text))


@dataclass(frozen=True)
class Truth:
    """Of which scenes a text is true; `reason` says why it could not be judged."""

    true: tuple[bool, ...]
    understood: bool = True
    reason: str = ""


def truth(text: str, scenes: Sequence[Scene]) -> Truth:
    """Judge a text against every scene."""
    from multiflow_core.data import flatland

    try:
        flatland.parse(text)
    except ValueError as problem:
        return Truth((False,) * len(scenes), False, str(problem))
    return Truth(tuple(flatland.judge(text, scene).true for scene in scenes))


def true_captions(texts: Sequence[str], scene: Scene | None) -> list[bool]:
    """Which of the captions are true of a scene; none where the scene is not known."""
    from multiflow_core.data import flatland

    return [scene is not None and flatland.judge(text, scene).true for text in texts]


def judged(caption: Caption, scene: Scene | None) -> Said:
    """A caption word by word, with the verdict where the scene is known."""
    from multiflow_core.data import flatland

    pieces = whole_words(caption.words, caption.probabilities)
    if scene is None:
        return Said(tuple(Word(text, sure) for text, sure in pieces), None)
    verdict = flatland.judge(caption.text, scene)
    if tuple(text for text, _ in pieces) != verdict.words:  # another tokenizer: its pieces are not the judge's words
        pieces = [(word, None) for word in verdict.words]
    words = tuple(Word(text, sure, i in verdict.false_words) for i, (text, sure) in enumerate(pieces))
    reasons = dict.fromkeys(re.sub(r"no '(?:a|an|the) ", "no '", reason) for reason in verdict.reasons)
    return Said(words, verdict.true, tuple(reasons), verdict.understood)


def whole_words(pieces: Sequence[str], probabilities: Sequence[float]) -> list[tuple[str, float | None]]:
    """Word pieces put together, with the probability of the whole word.

    >>> whole_words(["a", "light", "##house"], [1.0, 0.5, 0.5])
    [('a', 1.0), ('lighthouse', 0.25)]
    """
    found: list[tuple[str, float | None]] = []
    for piece, probability in zip(pieces, probabilities, strict=True):
        if piece.startswith("##") and found:
            text, before = found[-1]
            found[-1] = (text + piece[2:], before * probability)
        else:
            found.append((piece, probability))
    return found
