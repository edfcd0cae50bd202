"""Image-text retrieval (ITR): recall at k from the embeddings of a list of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.dataset import Exam
from .task import Scores, Task, register

if TYPE_CHECKING:
    from torch import Tensor

    from ..models.vlm import VLM


def ranks(similarity: Tensor) -> Tensor:
    """The place of every query's own match, from 1; of ties, the worse place counts.

    >>> import torch
    >>> ranks(torch.tensor([[0.9, 0.1], [0.8, 0.3]])).tolist()
    [1, 2]

    Args:
        similarity: (queries, candidates); the match of query i is candidate i.
    """
    return (similarity >= similarity.diagonal()[:, None]).sum(1)


def recall(similarity: Tensor, k: int) -> float:
    """The share of queries whose own match is among the first k.

    >>> import torch
    >>> recall(torch.tensor([[0.9, 0.1], [0.8, 0.3]]), 1)
    0.5
    """
    return float((ranks(similarity) <= k).float().mean())


def predict(vlm: VLM, exam: Exam) -> tuple[Tensor, Tensor]:
    """Embeddings of all pictures, and of all texts."""
    return vlm.embed_images(exam.pictures(vlm.side)), vlm.embed_texts(exam.texts)


def score(embeddings: tuple[Tensor, Tensor], exam: Exam | None = None) -> Scores:
    """IR@k (text finds image) and TR@k (image finds text) for k = 1, 5, 10; pair i is row i of both.

    >>> import torch
    >>> score((torch.eye(3), torch.eye(3)))["IR@1"]
    1.0
    """
    images, texts = embeddings
    similarity = texts @ images.T
    found = {"IR": similarity, "TR": similarity.T}
    return {f"{side}@{k}": recall(matrix, k) for side, matrix in found.items() for k in (1, 5, 10)}


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
        told={"IR@1": "IR@1", "TR@1": "TR@1"},
        carded={
            "IR@1": "IR@1 (text finds image)",
            "IR@5": "IR@5",
            "TR@1": "TR@1 (image finds text)",
            "TR@5": "TR@5",
        },
        place=1,
    )
)
