"""Image-text retrieval (ITR): recall at k from the embeddings of pictures and texts, one or several texts a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..data.dataset import Exam
from .figures import Figure
from .task import Scores, Task, register

if TYPE_CHECKING:
    from torch import Tensor

    from ..models.vlm import VLM

AT_ONCE = 1 << 24  # similarities that are held at a time


def places(images: Tensor, texts: Tensor, owners: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """For every text the place of its picture among all pictures, and for every picture that of its first text among all texts.

    >>> import torch
    >>> by_text, by_picture = places(torch.eye(2), torch.tensor([[0.9, 0.1], [0.8, 0.3], [0.2, 0.7]]), [0, 1, 1])
    >>> by_text.tolist(), by_picture.tolist()
    ([1, 2, 1], [1, 1])

    From 1; of ties the worse place counts, and what is no number comes last. A picture's texts do not stand in each other's
    way. The place of a picture without texts means nothing.

    Args:
        images, texts: unit-length embeddings, (pictures, width) and (texts, width).
        owners: the number of the picture that each text belongs to.
    """
    height = max(1, AT_ONCE // len(images))
    whose = np.asarray(owners)

    @lru_cache(maxsize=1)  # all at once where they fit, else twice, block by block
    def alike(start: int) -> np.ndarray:
        return (texts[start : start + height] @ images.T).numpy()

    best = np.full(len(images), -np.inf, alike(0).dtype)
    by_text, before = [], np.ones(len(images), dtype=np.int64)
    blocks = [(start, whose[start : start + height]) for start in range(0, len(texts), height)]
    for start, own in blocks:
        similarity = alike(start)
        wanted = similarity[np.arange(len(own)), own]
        by_text.append(len(images) - (similarity < wanted[:, None]).sum(1))
        with np.errstate(invalid="ignore"):
            np.maximum.at(best, own, wanted)
    for start, own in blocks:
        ahead = ~(alike(start) < best)
        before += ahead.sum(0)
        np.subtract.at(before, own, ahead[np.arange(len(own)), own])
    return np.concatenate(by_text), before


def share(sums: np.ndarray) -> np.ndarray:
    """Hits by queries, in the precision in which recall has been written down from the first result file on."""
    return sums[..., 0].astype(np.float32) / sums[..., 1].astype(np.float32)


@dataclass(frozen=True)
class Again:
    """What the matching head says of the nearest few.

    Attributes:
        near: (queries, k): the numbers of what the embeddings find nearest. sure: the probability that each matches.
    """

    near: np.ndarray
    sure: np.ndarray


def predict(vlm: VLM, exam: Exam) -> tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Again, Again]:
    """Embeddings of all pictures, and of all texts; and what the matching head says of the nearest pictures and texts, if asked."""
    pictures = exam.pictures(vlm.side)
    images, texts = vlm.embed_images(pictures), vlm.embed_texts(exam.texts)
    if not exam.rerank or vlm.match([pictures[0]], [exam.texts[0]]) is None:
        return images, texts
    by_text, by_picture = nearest(texts, images, exam.rerank), nearest(images, texts, exam.rerank)
    # query by query: as many pictures are open at once as are looked at
    found = [vlm.match([pictures[i] for i in row], [exam.texts[n]] * len(row)) for n, row in enumerate(by_text)]
    shown = [vlm.match([pictures[n]] * len(row), [exam.texts[i] for i in row]) for n, row in enumerate(by_picture)]
    return images, texts, Again(by_text, np.stack(found)), Again(by_picture, np.stack(shown))


def nearest(queries: Tensor, among: Tensor, k: int) -> np.ndarray:
    """The numbers of the k nearest to each query, (queries, k), the nearest first.

    >>> import torch
    >>> nearest(torch.eye(2), torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]]), 2).tolist()
    [[1, 2], [0, 2]]
    """
    height = max(1, AT_ONCE // len(among))
    blocks = [queries[start : start + height] @ among.T for start in range(0, len(queries), height)]
    return np.concatenate([block.topk(min(k, len(among))).indices.numpy() for block in blocks])


def places_again(again: Again, own: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The place of the best own one when the nearest are ranked again; as before, behind them, where none of these is own.

    >>> again = Again(np.array([[4, 7], [4, 7]]), np.array([[0.2, 0.9], [0.2, 0.9]]))
    >>> places_again(again, np.array([[True, False], [False, False]]), np.array([1, 9])).tolist()
    [2, 9]

    From 1; of ties the worse place counts, and own ones do not stand in each other's way.

    Args:
        own: (queries, k), which of the nearest belong to the query. before: the places by the embeddings.
    """
    sure = np.nan_to_num(again.sure, nan=-np.inf)
    best = np.where(own, sure, -np.inf).max(1, keepdims=True)
    place = 1 + ((sure >= best) & ~own).sum(1)
    return np.where(own.any(1), place, np.maximum(before, own.shape[1] + 1))


def score(found: tuple, exam: Exam | None = None) -> Scores:
    """IR@k (a text finds its picture) and TR@k (a picture finds one of its texts) for k = 1, 5, 10.

    >>> import torch
    >>> score((torch.eye(3), torch.eye(3)))["IR@1"]
    1.0

    Without an exam, pair i is row i of both. Pictures without a text are found or not, but do not ask. Where the matching head
    was asked, too, the same figures "re-ranked".
    """
    images, texts, *again = found
    owners = np.asarray(exam.owners() if exam else range(len(texts)))
    by_text, by_picture = places(images, texts, owners)
    asking = np.unique(owners)
    scores = _recall({"IR": (by_text, owners), "TR": (by_picture[asking], asking)})
    if again:
        pictures, captions = again
        by_text = places_again(pictures, pictures.near == owners[:, None], by_text)
        by_picture = places_again(captions, owners[captions.near] == np.arange(len(images))[:, None], by_picture)
        ranked = _recall({"IR": (by_text, owners), "TR": (by_picture[asking], asking)})
        scores |= {f"{name} re-ranked": figure for name, figure in ranked.items()}
    return scores


def _recall(found: dict[str, tuple[np.ndarray, np.ndarray]]) -> Scores:
    """{figure: its value} of the places of what is sought, and the pictures that these are about."""
    queries = ((side, k, *asked) for side, asked in found.items() for k in (1, 5, 10))
    return {
        f"{side}@{k}": Figure(np.stack([place <= k, np.ones_like(place)], 1), pictures, share)
        for side, k, place, pictures in queries
    }


register(
    Task(
        name="retrieval",
        title="Retrieval",
        figure="IR@1",
        unit="right picture first",
        lacks="no embeddings of pictures and texts to search with",
        can=lambda vlm: "retrieval" in vlm.tasks,
        predict=predict,
        score=score,
        told={"IR@1": "IR@1", "TR@1": "TR@1", "IR@1 re-ranked": "IR@1 re-ranked", "TR@1 re-ranked": "TR@1 re-ranked"},
        carded={
            "IR@1": "IR@1 (text finds image)",
            "IR@5": "IR@5",
            "TR@1": "TR@1 (image finds text)",
            "TR@5": "TR@5",
        },
        place=1,
        asks=lambda exam: len(exam.texts) > 0,
    )
)
