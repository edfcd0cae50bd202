"""Recall at k: the place of a query's own match, by hand and by sorting."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core import load
from multiflow_core.data import dataset
from multiflow_core.tasks import retrieval
from multiflow_core.tasks.task import TASKS


def slowly(similarity, owners):
    """Places by sorting, one query at a time: texts their pictures, then pictures the first of their texts."""
    by_text = [sum(other >= row[own] for other in row) for row, own in zip(similarity, owners)]
    by_picture = {}
    for picture in set(owners):
        column = [row[picture] for row in similarity]
        best = max(value for value, own in zip(column, owners) if own == picture)
        by_picture[picture] = 1 + sum(value >= best for value, own in zip(column, owners) if own != picture)
    return by_text, by_picture


@given(st.integers(1, 8), st.data(), st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 40))
@settings(deadline=None)
def test_places_count_what_is_at_least_as_alike(pictures, data, seed, ties, at_once):
    """Any texts for any pictures, also none, and however little is held at a time."""
    owners = data.draw(st.lists(st.integers(0, pictures - 1), min_size=1, max_size=12))
    rng = np.random.default_rng(seed)
    shape = (len(owners), pictures)
    similarity = rng.integers(0, 3, shape).astype(float) if ties else rng.random(shape)
    by_text, by_picture = slowly(similarity.tolist(), owners)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrieval, "AT_ONCE", at_once)
        found = retrieval.places(torch.eye(pictures, dtype=torch.float64), torch.tensor(similarity), owners)
    assert found[0].tolist() == by_text
    assert {picture: found[1][picture] for picture in by_picture} == by_picture


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_one_text_a_picture_has_the_figures_of_the_first_result_files(size, seed):
    """To the last bit: places from the diagonal of one similarity, and the mean in float32."""
    images, texts = torch.randn(2, size, 3, generator=torch.Generator().manual_seed(seed))
    similarity = texts @ images.T
    expected = {}
    for side, matrix in (("IR", similarity), ("TR", similarity.T)):
        ranks = (matrix >= matrix.diagonal()[:, None]).sum(1)
        expected |= {f"{side}@{k}": float((ranks <= k).float().mean()) for k in (1, 5, 10)}
    assert retrieval.score((images, texts)) == expected


def test_several_texts_a_picture_by_hand():
    """Picture 0 has two texts, picture 1 one, picture 2 none. The first text finds picture 0; the second likes picture 1
    more; the third likes picture 2 most. Picture 0 finds its first text, picture 1 the second text, which is not its own.
    """
    texts = torch.tensor([[0.9, 0.1, 0.0], [0.5, 0.6, 0.1], [0.0, 0.4, 0.7]])
    exam = SimpleNamespace(owners=lambda: (0, 0, 1))
    found = retrieval.score((torch.eye(3), texts), exam)
    assert (found["IR@1"], found["TR@1"]) == (pytest.approx(1 / 3), 0.5)
    assert found["IR@5"] == found["TR@5"] == 1.0
    assert found["IR@1"].pictures.tolist() == [0, 0, 1] and found["TR@1"].pictures.tolist() == [0, 1]


def test_texts_of_one_picture_do_not_stand_in_each_others_way():
    """All five texts of a picture lie before those of the other, and each picture finds one of its own first."""
    texts = torch.eye(2).repeat_interleave(5, 0)
    exam = SimpleNamespace(owners=lambda: [0] * 5 + [1] * 5)
    assert set(retrieval.score((torch.eye(2), texts), exam).values()) == {1.0}


def test_what_is_no_number_finds_nothing():
    broken = torch.full((12, 4), torch.nan)
    assert set(retrieval.score((broken, torch.eye(12, 4))).values()) == {0.0}
    assert set(retrieval.score((torch.eye(12, 4), broken)).values()) == {0.0}


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
    exam = SimpleNamespace(pictures=lambda side: [f"picture of {side}"], texts=("a text",), rerank=0)
    assert retrieval.predict(vlm, exam) == ("images", ("a text",)) and seen == [["picture of 7"]]


# --- ranked again by the matching head ----------------------------------------------------------------------------


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    queries=st.integers(1, 6),
    k=st.integers(1, 5),
    others=st.integers(0, 4),
    ties=st.booleans(),
)
def test_places_after_ranking_again_are_counted_one_by_one(seed, queries, k, others, ties):
    rng = np.random.default_rng(seed)
    near = np.stack([rng.permutation(k + others)[:k] for _ in range(queries)])
    sure = rng.integers(0, 3, (queries, k)) / 2 if ties else rng.random((queries, k))
    mine = rng.random((queries, k + others)) < 0.3
    before = rng.integers(1, 20, queries)
    found = retrieval.places_again(retrieval.Again(near, sure), np.take_along_axis(mine, near, 1), before)
    for q in range(queries):
        own = [s for n, s in zip(near[q], sure[q], strict=True) if mine[q, n]]
        rest = [s for n, s in zip(near[q], sure[q], strict=True) if not mine[q, n]]
        assert found[q] == (1 + sum(s >= max(own) for s in rest) if own else max(before[q], k + 1))


def test_a_head_that_knows_finds_all_that_is_near_and_one_that_errs_nothing():
    """Four pictures with two texts each; embeddings put every own one second."""
    vlm = load("flatland-blip")
    exam = replace(dataset.open("flatland").exam("test", 4, 0, 0), rerank=4)

    def asked(sure):
        known = list(exam.pictures(vlm.side))
        return retrieval.score(
            retrieval.predict(
                SimpleNamespace(
                    side=vlm.side,
                    embed_images=lambda _: torch.eye(4),
                    embed_texts=lambda _: torch.eye(4).roll(1, 0),
                    match=lambda pictures, texts: torch.tensor(
                        [
                            sure(exam.texts.index(text), known.index(picture))
                            for picture, text in zip(pictures, texts, strict=True)
                        ]
                    ),
                ),
                exam,
            ),
            exam,
        )

    right, wrong = (
        asked(lambda text, picture: float(text == picture)),
        asked(lambda text, picture: float(text != picture)),
    )
    assert right["IR@1"] == right["TR@1"] == wrong["IR@1"] == 0
    assert (
        right["IR@1 re-ranked"] == right["TR@1 re-ranked"] == 1
        and wrong["IR@1 re-ranked"] == wrong["TR@1 re-ranked"] == 0
    )


def test_the_shipped_matching_head_ranks_again():
    exam = replace(dataset.open("flatland").exam("test", 12, 0, 0), rerank=3)
    found = TASKS.get("retrieval").measure(load("flatland-blip"), exam)
    assert {name.removesuffix(" re-ranked") for name in found if "re-ranked" in name} == {
        name for name in found if "re-ranked" not in name
    }
    assert found["IR@1 re-ranked"] >= 0.5
