"""Two rankings side by side: places, moves, and the sentences about them."""

from app.facts import rankings
from app.markup.cards import move

SCORES = ([0.9, 0.8, 0.7, 0.1], [0.1, 0.8, 0.7, 0.9])
TEXTS = ["a", "b", "c", "d"]


def compared(true, known=True):
    return rankings.compare(SCORES, TEXTS, true, 2, "pictures", known)


def test_hits_are_sorted_and_know_their_other_rank():
    both = compared([True, False, False, False])
    assert [(h.text, h.rank, h.other) for h in both.hits["dense"]] == [("a", 1, 4), ("b", 2, 2)]
    assert [(h.text, h.rank, h.other) for h in both.hits["pruned"]] == [("d", 1, 4), ("b", 2, 2)]
    assert [move(h)[0] for h in both.hits["pruned"]] == ["▲ 3", "="]


def test_ranks_of_what_is_true():
    both = compared([True, False, True, False])
    assert both.ranks == {"dense": (1, 3), "pruned": (3, 4)}
    assert both.note("pruned") == "true pictures at ranks 3, 4 of 4"
    assert (
        both.finding("OMP at 63 %")
        == "Of 2 true pictures, the dense model puts 1 and OMP at 63 % puts 0 among the first 2"
    )


def test_one_is_not_many():
    one = compared([True, False, False, False])
    assert one.sought() == "1 true picture" and one.note("pruned") == "true picture at rank 4 of 4"
    assert compared([False] * 4).sought() == compared([True] * 4, known=False).sought() == ""


def test_nothing_true_and_nothing_known():
    assert compared([False] * 4).note("dense") == "none of 4 pictures is true"
    assert compared([False] * 4, known=False).note("dense") == "best of 4"
    assert compared([False] * 4).finding("X") == "X keeps 1 of the dense model's first 2 pictures"


def test_ties_stay_in_order():
    both = rankings.compare(([0.5] * 3, [0.5] * 3), TEXTS[:3], [False] * 3, 3, "captions", True)
    assert [h.text for h in both.hits["pruned"]] == ["a", "b", "c"]


def test_what_nobody_knows_is_neither_true_nor_false():
    found = rankings.sought(SCORES, TEXTS, [False, True, True, None], "picture")
    assert (found.good, found.bad, found.wanted) == ("best true picture", "best false picture", (1, 2))
    assert found.best == ((0.8, 0.9), (0.8, 0.1))  # not the 0.9 of d
    assert found.gaps("OMP").gaps[0] < 0 < found.gaps("OMP").gaps[1]


def test_without_truth_the_dense_models_first_is_sought():
    for true in ([False] * 4, [None] * 4, [True] * 4):
        found = rankings.sought(SCORES, TEXTS, true, "caption")
        assert (found.good, found.names) == ("dense model's first caption", ("a",))
        assert found.best == ((0.9, 0.8), (0.1, 0.9))
    assert rankings.sought(([0.1], [0.2]), ["a"], [None], "picture") is None
