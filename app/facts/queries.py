"""What can be said about a query, a caption or a question before and after a model has seen it. Pure, no streamlit."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from ..engine.checkpoints import title
from ..html.cards import Reply, Said, Word
from ..state.keys import QUERY_LIMIT

if TYPE_CHECKING:
    from multiflow_core.data.flatland import Scene
    from multiflow_core.models.vlm import VLM, Answer, Caption

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


def check(text: str | None, vlm: VLM, purpose: Purpose = SEARCH) -> Query:
    """Look at what somebody typed; says whether the model can do anything with it."""
    text = " ".join((text or "").split())
    if not text:
        return Query("", (f"Type {purpose.wanted}, or pick an example.",), False)
    if len(text) > QUERY_LIMIT:
        sentence = f"This {purpose.name} has {len(text):,} characters; up to {QUERY_LIMIT} can be used."
        return Query(text[:QUERY_LIMIT], (sentence,), False)
    said = plain(text, vlm)
    if not said:
        return Query("", (f"This {purpose.name} has no words in it: type {purpose.wanted}.",), False)
    unknown = list(dict.fromkeys(vlm.unknown_words(said)))
    if not unknown:
        return Query(said)
    listed = ", ".join(f"“{word[:24]}”" for word in unknown[:5]) + (" and others" if len(unknown) > 5 else "")
    if len(unknown) == len(set(said.split())):
        return Query(said, (f"The model knows none of these words: {listed}.",), False)
    return Query(said, (f"The model does not know {listed}; {purpose.otherwise}.",))


def at_home(model: str) -> bool:
    """Whether a model has seen nothing but Flatland."""
    return model.startswith("flatland")


def strange(model: str, flat: bool) -> str:
    """A sentence about a model that is shown what it does not know, Flatland pictures (`flat`) or others; empty where it does.

    >>> strange("flatland-blip", flat=False)
    "flatland-blip has only ever seen Flatland's flat pictures; about others it guesses."
    """
    if at_home(model) == flat:
        return ""
    name = title(model)
    if flat:
        return (
            f"{name} was not trained on Flatland's flat pictures: how well it does here says little about photographs."
        )
    return f"{name} has only ever seen Flatland's flat pictures; about others it guesses."


def plain(text: str, vlm: VLM) -> str:
    """The text as the built-in models were taught to read it: words only. Other models get it as it is."""
    if not at_home(vlm.name):
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


def judged(caption: Caption, scene: Scene | None, taught: bool = True) -> Said:
    """A caption word by word, with the verdict where the scene is known.

    `taught`: whether the model has learnt Flatland's language; other words of a model that has not are no mistake.
    """
    from multiflow_core.data import flatland

    pieces = whole_words(caption.words, caption.probabilities)
    verdict = None if scene is None else flatland.judge(caption.text, scene)
    if verdict is None or not (taught or verdict.understood):
        return Said(tuple(Word(text, sure) for text, sure in pieces), None)
    if tuple(text for text, _ in pieces) != verdict.words:  # another tokenizer: its pieces are not the judge's words
        pieces = [(word, None) for word in verdict.words]
    words = tuple(Word(text, sure, i in verdict.false_words) for i, (text, sure) in enumerate(pieces))
    reasons = dict.fromkeys(re.sub(r"no '(?:a|an|the) ", "no '", reason) for reason in verdict.reasons)
    return Said(words, verdict.true, tuple(reasons), verdict.understood)


def marked(dense: Said, pruned: Said) -> tuple[Said, Said]:
    """Both captions, with the words marked that only one of the two says.

    >>> a, b = (Said(tuple(map(Word, text.split())), None) for text in ("a red cat by day", "a blue cat"))
    >>> [[word.text for word in said.words if word.differs] for said in marked(a, b)]
    [['red', 'by', 'day'], ['blue']]
    """
    texts = [[word.text for word in said.words] for said in (dense, pruned)]
    blocks = SequenceMatcher(None, *texts, autojunk=False).get_matching_blocks()
    shared = [{block[side] + n for block in blocks for n in range(block.size)} for side in (0, 1)]
    return tuple(
        replace(said, words=tuple(replace(word, differs=i not in kept) for i, word in enumerate(said.words)))
        for said, kept in zip((dense, pruned), shared, strict=True)
    )


# --- questions ------------------------------------------------------------------------------------------------------

QUESTIONS = ("how many things are there", "where is this", "is there a cat")  # of a picture that nobody has described


def questions(scene: Scene | None) -> tuple[str, ...]:
    """One question of every type that a scene allows, always the same."""
    from multiflow_core.data.flatland.questions import all_types

    if scene is None:
        return QUESTIONS
    return tuple(question.text for question in all_types(scene, random.Random(f"questions {scene.key}")))


def right_answer(question: str, scene: Scene | None) -> tuple[str | None, str]:
    """The right answer, or None and the reason why the lab does not know it."""
    from multiflow_core.data import flatland

    if scene is None:
        return None, "nobody has told it what this picture shows"
    try:
        return flatland.answer(question, scene), ""
    except ValueError as problem:
        return None, str(problem)


def replied(answer: Answer, right: str | None) -> Reply:
    """An answer with its verdict, where the right one is known."""
    from multiflow_core.data import flatland

    known = None if right is None else flatland.means(answer.text, right)
    return Reply(answer.text, answer.probability, known, right)


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
