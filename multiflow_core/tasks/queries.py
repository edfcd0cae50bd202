"""Typed queries: how often the first picture found is one that a short text is true of, where the data set can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data.dataset import Exam
from .task import Scores, Task, register

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from ..models.vlm import VLM

RERANKED = 16  # of the nearest pictures, those that the matching head looks at
PRECISE = "thing"  # the form of which every picture that is true is asked for, not only the first


def predict(vlm: VLM, exam: Exam, k: int = RERANKED) -> tuple[Tensor, Tensor] | None:
    """For every query the numbers of the k nearest pictures by embeddings, and the same as the matching head ranks them."""
    pictures, texts = exam.pictures(vlm.side), [text for _, text in exam.queries]
    if not texts:
        return None
    similarity = vlm.embed_texts(texts) @ vlm.embed_images(pictures).T
    near = similarity.topk(min(k, len(pictures))).indices
    return near, reranked(vlm, pictures, texts, near)


def reranked(vlm: VLM, pictures: Sequence[Image], texts: Sequence[str], near: Tensor) -> Tensor:
    """Of every text, the numbers of its nearest pictures in the order of the matching head; as they are without one."""
    shown = [pictures[i] for row in near.tolist() for i in row]
    sure = vlm.match(shown, [text for text in texts for _ in range(near.shape[1])])
    return near if sure is None else near.gather(1, sure.view(near.shape).argsort(dim=1, descending=True, stable=True))


def score(found: tuple[Tensor, Tensor] | None, exam: Exam) -> Scores:
    """Shares of queries whose first picture is true, of all forms alike and of each; `alone`: by embeddings alone.

    `precision`: of single things, the share of true pictures among as many first ones as there are true ones.

    >>> from multiflow_core.data import flatland
    >>> exam = flatland.Flatland().exam("test", 20, 0, 0)
    >>> import torch
    >>> near = torch.arange(20).expand(len(exam.queries), 20)
    >>> scores = score((near, near), exam)
    >>> scores["thing"] == scores["thing alone"], 0 < scores["precision"] < 1
    (True, True)
    """
    true = exam.data.truths([text for _, text in exam.queries], exam.items) if found else None
    if true is None:
        return {}
    alone, ranked = (np.take_along_axis(true, np.asarray(numbers), 1) for numbers in found)
    there = true.sum(1)
    forms = list(dict.fromkeys(form for form, _ in exam.queries))
    scores = {}
    for form in forms:
        rows = [i for i, (other, _) in enumerate(exam.queries) if other == form]
        scores |= {form: float(ranked[rows, 0].mean()), f"{form} alone": float(alone[rows, 0].mean())}
        if form == PRECISE:
            scores["precision"] = _precision(ranked[rows], there[rows])
    return {"all": sum(scores[form] for form in forms) / len(forms)} | scores


def _precision(hits: np.ndarray, there: np.ndarray) -> float:
    """The mean share of true ones among as many first places as there are true pictures, or as were looked at."""
    asked = np.minimum(there, hits.shape[1])
    return float(((hits & (np.arange(hits.shape[1]) < asked[:, None])).sum(1) / asked).mean())


register(
    Task(
        name="queries",
        title="Typed queries",
        figure="all",
        unit="true pictures first",
        lacks="no embeddings of pictures and texts to search with",
        can=lambda vlm: "retrieval" in vlm.tasks,
        predict=predict,
        score=score,
        told={"all": "typed queries"},
        carded={"all": "typed queries: first picture true, all forms"},
        place=4,
        counts={"queries": lambda exam: len(exam.queries)},
    )
)
