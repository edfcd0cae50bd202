"""Captioning (IC): the share of captions that are true of their picture, where the data set can tell, and how near they come
to what people wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.dataset import Exam
from .figures import Figure
from .task import Scores, Task, register
from .wording import bleu, bleu_counts, cider, rouge, words

if TYPE_CHECKING:
    from ..models.vlm import VLM


def predict(vlm: VLM, exam: Exam) -> list[str]:
    """A greedy caption of the first pictures."""
    return [caption.text for caption in vlm.caption(exam.pictures(vlm.side)[: exam.captioned])]


def score(captions: list[str], exam: Exam) -> Scores:
    """Share of captions that are true and name something there is, that also leave nothing out, and that are understood at all;
    CIDEr-D, BLEU-4 and ROUGE-L against the texts of each picture.

    >>> from multiflow_core.data import flatland
    >>> exam = flatland.Flatland().exam("test", 2, 2, 0)
    >>> score([exam.texts[0], "cat cat"], exam)
    {'true': 0.5, 'complete': 0.5, 'understood': 0.5, 'CIDEr-D': 5.0, 'BLEU-4': 0.7861, 'ROUGE-L': 0.5}
    """
    return _judged(captions, exam) | _compared(captions, exam)


def _judged(captions: list[str], exam: Exam) -> Scores:
    verdicts = exam.data.judge(captions, exam.items[: len(captions)]) or []
    parts = ("true", "complete", "understood") if verdicts else ()
    return {part: Figure([getattr(verdict, part) for verdict in verdicts]) for part in parts}


def _compared(captions: list[str], exam: Exam) -> Scores:
    """Against the texts of those pictures that have some."""
    texts: dict[int, list[list[str]]] = {}
    for owner, text in zip(exam.owners(), exam.texts, strict=True):
        if owner < len(captions) and (split := words(text)):
            texts.setdefault(owner, []).append(split)
    if not texts:
        return {}
    pictures, references = zip(*sorted(texts.items()))
    said = [words(captions[i]) for i in pictures]
    pairs = list(zip(said, references, strict=True))
    return {
        "CIDEr-D": Figure(cider(said, references), pictures),
        "BLEU-4": Figure([bleu_counts(*pair) for pair in pairs], pictures, bleu),
        "ROUGE-L": Figure([rouge(*pair) for pair in pairs], pictures),
    }


def asks(exam: Exam) -> bool:
    """Whether there are pictures to describe, and somebody or something to say how well."""
    return exam.captioned > 0 and (len(exam.texts) > 0 or exam.data.judge([], []) is not None)


register(
    Task(
        name="captioning",
        title="Captioning",
        figure="true",
        unit="true captions",
        lacks="no decoder that writes captions",
        can=lambda vlm: "captioning" in vlm.tasks,
        predict=predict,
        score=score,
        told={"true": "true captions", "CIDEr-D": "CIDEr-D"},
        carded={"true": "greedy captions that are true", "complete": "... and leave nothing out"},
        place=2,
        counts={"captioned": lambda exam: exam.captioned},
        asks=asks,
        otherwise={"CIDEr-D": "CIDEr-D"},
        most={"CIDEr-D": 10.0},
    )
)
