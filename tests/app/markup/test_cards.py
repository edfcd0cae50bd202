"""HTML cards: everything that comes from outside is escaped, and nothing is said by colour alone."""

from html.parser import HTMLParser

import pytest

from app.markup import cards
from app.markup.cards import Hit, Said, Word

EVIL = "<script>alert('x')</script>\" onload=\"x"
HITS = (Hit(1, 0.9, "a cat", True, 4, b"x"), Hit(2, 1.7, EVIL, False, 1, b"x"), Hit(3, -0.2, "a dog", False, 3, b"x"))


class Tags(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.mark.parametrize(
    "html",
    [
        cards.picture_grid(HITS, "pruned", True),
        cards.caption_list(HITS, "dense", False),
        cards.caption_card(EVIL, Said((Word(EVIL, 0.5, True),), False, (EVIL,)), "pruned"),
        cards.caption_card("x", Said((), False, (EVIL,), understood=False), "dense"),
        cards.answer_card(EVIL, cards.Reply(EVIL, 0.5, False, EVIL), "pruned"),
        cards.heading(EVIL, EVIL, "dense"),
        cards.picture(b"x", EVIL),
    ],
)
def test_text_from_outside_is_escaped(html):
    found = Tags(html)
    assert "script" not in found.tags and "onload" not in found.attributes


def test_every_picture_has_alternative_text():
    assert cards.picture_grid(HITS, "dense", False).count('alt="') == len(HITS)


def test_true_hits_are_marked_with_a_sign():
    assert cards.picture_grid(HITS, "dense", False).count("✓") == 1
    assert cards.caption_list(HITS, "dense", False).count("✓") == 1


def test_bars_stay_inside():
    html = cards.picture_grid(HITS, "dense", False)
    assert "width:0%" in html and "width:170%" not in html
    assert (
        "width:70%" in html and 'title="probability by the matching head">0.70<' in html
    )  # 1 + the head's probability


@pytest.mark.parametrize(("rank", "other", "sign"), [(1, 4, "▲ 3"), (4, 1, "▼ 3"), (2, 2, "=")])
def test_moves(rank, other, sign):
    assert cards.move(Hit(rank, 0.5, "x", True, other))[0] == sign


def test_false_words_are_struck_through():
    html = cards.caption_card("x", Said((Word("a", 1.0), Word("blue", 0.25, True)), False, ("no blue",)), "pruned")
    assert html.count("<del") == 1 and "25 %" in html and "✗ False" in html


def test_an_empty_caption_says_so():
    assert "says nothing" in cards.caption_card("x", Said((), None), "pruned")


def test_answers_carry_their_verdict():
    right, wrong, unknown = (
        cards.answer_card("x", cards.Reply("red", 0.25, true, right), "dense")
        for true, right in ((True, "red"), (False, "blue"), (None, None))
    )
    assert "✓ Right" in right and "<del" not in right
    assert "✗ Wrong" in wrong and "it is blue · " in wrong and "<del" in wrong
    assert "Right" not in unknown and "Wrong" not in unknown
    assert all("25\u00a0% sure" in html for html in (right, wrong, unknown))


def test_words_that_differ_are_framed_and_say_so():
    html = cards.caption_card("x", Said((Word("a", 1.0), Word("cat", 0.5, differs=True)), None), "dense")
    assert html.count("mf-differs") == 1 and "does not say it here" in html
