"""Image-text retrieval (ITR): recall at k from the embeddings of a list of pairs."""

from __future__ import annotations

from torch import Tensor


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


def scores(image_embeddings: Tensor, text_embeddings: Tensor) -> dict[str, float]:
    """IR@k (text finds image) and TR@k (image finds text) for k = 1, 5, 10; pair i is row i of both.

    >>> import torch
    >>> scores(torch.eye(3), torch.eye(3))["IR@1"]
    1.0
    """
    similarity = text_embeddings @ image_embeddings.T
    found = {"IR": similarity, "TR": similarity.T}
    return {f"{side}@{k}": recall(matrix, k) for side, matrix in found.items() for k in (1, 5, 10)}
