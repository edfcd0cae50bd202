"""Typed queries: how often the first picture found is one that a short text is true of, where the data set can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..data.dataset import Exam
from .figures import Figure
from .retrieval import nearest
from .task import Scores, Task, register

if TYPE_CHECKING:
    from ..models.vlm import VLM

RERANKED = 16  # of the nearest pictures, those that the matching head looks at
PRECISE = "thing"  # the form of which every picture that is true is asked for, not only the first


def predict(vlm: VLM, exam: Exam) -> tuple[np.ndarray, np.ndarray] | None:
    """For every query the numbers of the nearest pictures by embeddings, and the same as the matching head ranks them.

    There are as many as the exam has ranked again, else `RERANKED`.
    """
    pictures, texts = exam.pictures(vlm.side), [text for _, text in exam.queries]
    if not texts:
        return None
    near = nearest(vlm.embed_texts(texts), vlm.embed_images(pictures), exam.rerank or RERANKED)
    sure = vlm.match([pictures[i] for i in near.flat], [text for text in texts for _ in range(near.shape[1])])
    if sure is None:
        return near, near
    return near, np.take_along_axis(near, np.argsort(-sure.numpy().reshape(near.shape), axis=1, kind="stable"), 1)


def score(found: tuple[np.ndarray, np.ndarray] | None, exam: Exam) -> Scores:
    """Shares of queries whose first picture is true, of all forms alike and of each; `alone`: by embeddings alone.

    `precision`: of single things, the share of true pictures among as many first ones as there are true ones.

    >>> from multiflow_core.data import flatland
    >>> exam = flatland.Flatland().exam("test", 20, 0, 0)
    >>> near = np.arange(20)[None].repeat(len(exam.queries), 0)
    >>> scores = score((near, near), exam)
    >>> scores["thing"] == scores["thing alone"], 0 < scores["precision"] < 1
    (True, True)
    """
    true = exam.data.truths([text for _, text in exam.queries], exam.items) if found else None
    if true is None:
        return {}
    alone, ranked = (np.take_along_axis(true, numbers, 1) for numbers in found)
    there = true.sum(1)
    forms = list(dict.fromkeys(form for form, _ in exam.queries))
    of_form = np.array([[form == other for other in forms] for form, _ in exam.queries])
    scores = {"all": Figure(np.hstack([ranked[:, :1] & of_form, of_form]), of=_all_alike)}
    for form, rows in zip(forms, of_form.T, strict=True):
        asking = np.flatnonzero(rows)  # what is drawn for an interval are queries
        scores |= {form: Figure(ranked[rows, 0], asking), f"{form} alone": Figure(alone[rows, 0], asking)}
        if form == PRECISE:
            scores["precision"] = Figure(_precision(ranked[rows], there[rows]), asking)
    return scores


def _all_alike(sums: np.ndarray) -> np.ndarray:
    """The mean over forms of hits by queries; the first half of the columns are the hits."""
    hits, asked = np.split(sums, 2, axis=-1)
    return (hits / asked).mean(-1)


def _precision(hits: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The shares of true ones among as many first places as there are true pictures, or as were looked at."""
    asked = np.minimum(there, hits.shape[1])
    return (hits & (np.arange(hits.shape[1]) < asked[:, None])).sum(1) / asked


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
        asks=lambda exam: len(exam.queries) > 0,
    )
)
