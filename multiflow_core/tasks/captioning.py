"""Captioning (IC): the share of captions that are true of their picture, where the data set can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.dataset import Exam
from .task import Scores, Task, register

if TYPE_CHECKING:
    from ..models.vlm import VLM


def predict(vlm: VLM, exam: Exam) -> list[str]:
    """A greedy caption of the first pictures."""
    return [caption.text for caption in vlm.caption(exam.pictures(vlm.side)[: exam.captioned])]


def score(captions: list[str], exam: Exam) -> Scores:
    """Share of captions that are true and name something there is, that also leave nothing out, and that are understood at all.

    >>> from multiflow_core.data import flatland
    >>> exam = flatland.Flatland().exam("test", 2, 2, 0)
    >>> score([exam.texts[0], "cat cat"], exam)
    {'true': 0.5, 'complete': 0.5, 'understood': 0.5}
    """
    verdicts = exam.data.judge(captions, exam.items[: len(captions)]) or []
    return {
        part: sum(getattr(v, part) for v in verdicts) / len(verdicts)
        for part in ("true", "complete", "understood")
        if verdicts
    }


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
        told={"true": "true captions"},
        carded={"true": "greedy captions that are true", "complete": "... and leave nothing out"},
        place=2,
        counts={"captioned": lambda exam: exam.captioned},
    )
)
