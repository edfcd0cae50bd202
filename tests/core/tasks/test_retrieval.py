"""Recall at k: the place of a query's own match, by hand and by sorting."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.tasks import retrieval


@given(st.integers(1, 8), st.integers(0, 2**32 - 1), st.booleans())
@settings(deadline=None)
def test_ranks_count_what_is_at_least_as_alike(size, seed, ties):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, 3, (size, size)) if ties else rng.random((size, size))
    expected = [sum(other >= row[i] for other in row) for i, row in enumerate(similarity.tolist())]
    assert retrieval.ranks(torch.tensor(similarity)).tolist() == expected


def test_a_model_that_sees_no_difference_finds_nothing():
    """Of ties the worse place counts: a model whose embeddings are all alike must not score."""
    same = torch.ones(20, 4)
    assert set(retrieval.score((same, same)).values()) == {0.0}


def test_texts_find_pictures_and_pictures_find_texts():
    """By hand: two texts name the first picture; so each picture finds its text, and the second text finds none."""
    images, texts = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.9, 0.5]])
    scores = retrieval.score((images, texts))
    assert (scores["IR@1"], scores["TR@1"], scores["IR@5"]) == (0.5, 1.0, 1.0)
    swapped = retrieval.score((texts, images))
    assert (swapped["IR@1"], swapped["TR@1"]) == (1.0, 0.5)


def test_recall_at_5_and_10_count_the_places_up_to_there():
    """Text i likes pictures in the order 0, 1, 2, ...: its own is at place i + 1."""
    size = 12
    liked = torch.arange(size, 0, -1).float()[:, None].expand(size, size)  # rows are pictures
    scores = retrieval.score((liked, torch.eye(size)))
    assert [scores[f"IR@{k}"] for k in (1, 5, 10)] == pytest.approx([1 / 12, 5 / 12, 10 / 12])


def test_every_picture_and_every_text_is_embedded_once_at_the_models_size():
    seen = []
    vlm = SimpleNamespace(side=7, embed_images=lambda x: seen.append(x) or "images", embed_texts=lambda x: x)
    exam = SimpleNamespace(pictures=lambda side: [f"picture of {side}"], texts=("a text",))
    assert retrieval.predict(vlm, exam) == ("images", ("a text",)) and seen == [["picture of 7"]]
