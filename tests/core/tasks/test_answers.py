"""VQA's own rule: what answers are made alike, and how much agreement makes one right."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.tasks.answers import CONTRACTIONS, agreement, normalised

SAID = st.sampled_from(["red", "The red", "blue", "2", "two", "dont", "don't", "green."])


@pytest.mark.parametrize(
    ("answer", "plain"),
    [
        ("Red", "red"),
        ("a red car", "red car"),
        ("the", ""),
        ("none", "0"),
        ("Ten dogs", "10 dogs"),
        ("eleven", "eleven"),
        ("3.5", "3.5"),
        ("yes.", "yes"),
        ("St. Paul", "st paul"),
        ("dont", "don't"),
        ("couldntve", "couldntve"),  # two are missing: nobody mends that
        ("couldn'tve", "couldn't've"),
        ("couldnt've", "couldn't've"),
        ("yall'd've", "y'all'd've"),
        ("let's", "let's"),
        ("12:30", "12:30"),
        ("man's", "man's"),
        ("black/white", "black white"),
        ("black / white", "black white"),
        ("yes, it is", "yes it is"),
        ("1,000", "1000"),
        ("t-shirt", "t shirt"),
        ("t-shirt -", "tshirt"),  # a mark that somewhere stands beside a space is left out everywhere
        ("1,000 t-shirts", "1000 tshirts"),
        ("wow!", "wow"),
        (" two\n\tdogs ", "2 dogs"),
    ],
)
def test_what_does_not_matter(answer, plain):
    assert normalised(answer) == plain


@given(st.text(max_size=30))
@settings(deadline=None)
def test_any_answer_has_single_spaces_and_no_capitals(answer):
    assert normalised(answer) == " ".join(normalised(answer).split())
    assert normalised(answer) == normalised(f"  {answer}\n")


def test_contractions_are_written_once_and_right_as_they_are():
    assert len(set(CONTRACTIONS)) == len(CONTRACTIONS) > 90
    assert all(normalised(word) == word for word in CONTRACTIONS)


@given(SAID, st.lists(SAID, min_size=2, max_size=10))
@settings(deadline=None)
def test_the_mean_over_all_who_are_left_out(answer, given_):
    """Slowly: every group of all but one, and min(those who said the same / 3, 1) in it."""
    groups = list(combinations(given_, len(given_) - 1))
    shares = [min(sum(normalised(x) == normalised(answer) for x in group) / 3, 1) for group in groups]
    assert agreement(answer, given_) == pytest.approx(sum(shares) / len(groups))


@given(SAID, st.lists(SAID, min_size=2, max_size=10), st.randoms())
@settings(deadline=None)
def test_the_order_of_people_does_not_matter(answer, given_, chance):
    assert agreement(answer, chance.sample(given_, len(given_))) == agreement(answer, given_)


def test_three_of_ten_are_nearly_enough_and_four_are():
    """3 the same: in 3 groups of 9 one of them is missing (2/3), in 7 all are there (1): (3 * 2/3 + 7) / 10."""
    assert agreement("Red", ["red"] * 3 + ["blue"] * 7) == pytest.approx(0.9)
    assert agreement("a red.", ["red"] * 4 + ["blue"] * 6) == 1.0
