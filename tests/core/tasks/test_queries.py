"""Typed queries: the first picture has to be true, and what the matching head prefers comes first."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from multiflow_core.data.dataset import Exam
from multiflow_core.data.flatland import Flatland, Scene, Thing
from multiflow_core.tasks import queries

CAT, DOG = Thing("cat", "red", "small", 0.2, 0.5), Thing("dog", "blue", "small", 0.8, 0.5)
SCENES = (Scene("day", (CAT,)), Scene("day", (DOG,)), Scene("day", (CAT, DOG)))
EXAM = Exam(
    Flatland(),
    "test",
    SCENES,
    ("",) * 3,
    queries=(("thing", "a red cat"), ("thing", "a blue dog"), ("none", "no cats")),
)


def test_shares_by_hand():
    alone = np.array([[1, 0, 2], [0, 1, 2], [1, 0, 2]])
    ranked = np.array([[0, 1, 2], [0, 1, 2], [1, 0, 2]])
    scores = queries.score((alone, ranked), EXAM)
    # of two true pictures of each thing, one is among the first two
    assert scores == pytest.approx(
        {"all": 0.75, "thing": 0.5, "thing alone": 0.0, "precision": 0.5, "none": 1.0, "none alone": 1.0}
    )


def test_precision_asks_for_no_more_than_was_looked_at():
    one = np.array([[0], [1], [1]])
    assert queries.score((one, one), EXAM)["precision"] == 1.0


@pytest.mark.parametrize("head", [True, False])
def test_the_matching_head_reranks_the_nearest(head):
    """Embeddings: text i likes pictures in the order 0, 1, 2; the head prefers the last."""
    liked = torch.tensor([[3.0], [2.0], [1.0]])
    vlm = SimpleNamespace(
        side=96,
        embed_images=lambda pictures: liked,
        embed_texts=lambda texts: torch.ones(len(texts), 1),
        match=lambda pictures, texts: torch.tensor([place[p] for p in map(id, pictures)]) if head else None,
    )
    place = {id(picture): float(i) for i, picture in enumerate(EXAM.pictures(96))}
    near, ranked = queries.predict(vlm, replace(EXAM, rerank=2))
    assert near.tolist() == [[0, 1]] * 3
    assert ranked.tolist() == [[1, 0] if head else [0, 1]] * 3


def test_without_queries_or_truth_there_are_no_figures():
    bare = Exam(Flatland(), "test", SCENES, ("",) * 3)
    assert queries.score(queries.predict(SimpleNamespace(side=96), bare), bare) == {}
    unknown = Exam(SimpleNamespace(truths=lambda texts, items: None), "test", SCENES, (), queries=EXAM.queries)
    assert queries.score((np.zeros((3, 1), int),) * 2, unknown) == {}
