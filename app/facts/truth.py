"""What is known to be true: of pictures, captions and answers, and for which models that is a fair question. No streamlit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

from multiflow_core.data import dataset, flatland
from multiflow_core.models.vlm import VLM, Answer, Caption
from multiflow_core.tasks import vqa

from ..markup.cards import Reply, Said, Word
from .gallery import Picture

MATCHING = "matching"
MOST_PEOPLE = 0.5  # from here on an answer that several people were asked for counts as right


def at_home(vlm: VLM) -> bool:
    """Whether a model has seen nothing but Flatland, as its card says."""
    return vlm.trained_on == dataset.DEFAULT


def strange(vlm: VLM, flat: bool) -> str:
    """A sentence about a model that is shown what it does not know, Flatland pictures (`flat`) or others; empty where it does.

    >>> from types import SimpleNamespace
    >>> strange(SimpleNamespace(name="clip", trained_on="flatland"), flat=False)
    "clip has only ever seen Flatland's flat pictures; about others it guesses."
    """
    if at_home(vlm) == flat:
        return ""
    if flat:
        return f"{vlm.name} was not trained on Flatland's flat pictures: how well it does here says little about photographs."
    return f"{vlm.name} has only ever seen Flatland's flat pictures; about others it guesses."


@dataclass(frozen=True)
class Truth:
    """Of which pictures a text is true; `reason` says why it could not be judged.

    Where all that is known is whose text it is, they are called "matching", by `word`.
    """

    true: tuple[bool, ...]
    understood: bool = True
    reason: str = ""
    word: str = "true"


def of(text: str, pictures: Sequence[Picture]) -> Truth:
    """Judge a text against every picture. Of others than Flatland's only this is known: whose text it is."""
    if any(picture.scene is None for picture in pictures):
        own = tuple(_words(text) in map(_words, picture.texts) for picture in pictures)
        return Truth(own, any(own), "nobody has said of which of these pictures it is true", MATCHING)
    try:
        flatland.parse(text)
    except ValueError as problem:
        return Truth((False,) * len(pictures), False, str(problem))
    return Truth(tuple(_judge(text, picture.scene).true for picture in pictures))


# a step of the slider asks again about the texts and scenes of the one before
_judge = lru_cache(maxsize=8192)(flatland.judge)


def _words(text: str) -> list[str]:
    """A text without what somebody who types it may leave out: capitals and punctuation."""
    return re.findall(r"\w+", text.lower())


def true_captions(texts: Sequence[str], picture: Picture) -> list[bool]:
    """Which of the texts are true of a picture: its own, where nothing else is known."""
    if picture.scene is None:
        return [text in picture.texts for text in texts]
    return [_judge(text, picture.scene).true for text in texts]


def judged(caption: Caption, picture: Picture, taught: bool) -> Said:
    """A caption word by word, with the verdict where the picture is a scene.

    `taught`: whether the model has learnt Flatland's language; other words of a model that has not are no mistake.
    """
    pieces = whole_words(caption.words, caption.probabilities)
    verdict = None if picture.scene is None else _judge(caption.text, picture.scene)
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


def right_answer(question: str, picture: Picture) -> tuple[str | None, str]:
    """The right answer, or None and the reason why the lab does not know it."""
    known = next((q.answer for q in picture.questions if q.text == question), None)
    if picture.scene is None or known is not None:
        reason = (
            "nobody has answered it for this picture" if picture.data else "nobody has told it what this picture shows"
        )
        return known, "" if known else reason
    try:
        return flatland.answer(question, picture.scene), ""
    except ValueError as problem:
        return None, str(problem)


def replied(answer: Answer, right: str | None, question: str = "", picture: Picture | None = None) -> Reply:
    """An answer with its verdict, where the right one is known: by Flatland, or as what people answered."""
    asked = next((q for q in picture.questions if q.text == question), None) if picture else None
    if asked is not None:
        known = vqa.right(answer.text, asked) >= MOST_PEOPLE
    else:
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
