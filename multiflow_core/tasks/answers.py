"""When an answer is right: VQA's own rule for questions that several people have answered.

Agrawal et al., VQA: visual question answering, ICCV 2015; the normalisation is that of the official evaluation
(https://visualqa.org/evaluation.html), which does the same to what people said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

ENOUGH = 3  # of the others who said the same
ARTICLES = frozenset({"a", "an", "the"})
COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {"none": "0"} | {word: str(number) for number, word in enumerate(COUNTED)}
MARKS = ';/[]"{}()=+\\_-><@`,?!'
_LISTED = """
ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've he's how'd
how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've o'clock oughtn't
'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd someone'd've
someone'll someone's something'd something'd've something'll that's there'd there'd've there're there's they'd they'd've
they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's where'd where's where've
who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'll y'all'd've you'd
you'd've you'll you're you've
"""
CONTRACTIONS = tuple(_LISTED.split())
MENDED = (
    {  # a contraction that lacks one apostrophe -> the contraction
        word[: mark.start()] + word[mark.end() :]: word for word in CONTRACTIONS for mark in re.finditer("'", word)
    }
    | {"somebody'd": "somebodyd"}
)
_THOUSANDS = re.compile(r"\d,\d")
_POINT = re.compile(r"\.(?!\d)")


@lru_cache(maxsize=1 << 14)
def normalised(answer: str) -> str:
    """An answer without what does not matter: capitals, articles, points, number words, missing apostrophes.

    >>> normalised("The Two dogs."), normalised("dont know"), normalised("1,000"), normalised("black/white")
    ('2 dogs', "don't know", '1000', 'black white')
    """
    text = answer.replace("\n", " ").replace("\t", " ").strip()
    closed = _THOUSANDS.search(text) is not None
    gone = {mark: "" if closed or f"{mark} " in text or f" {mark}" in text else " " for mark in MARKS}
    plain = _POINT.sub("", text.translate(str.maketrans(gone)))
    kept = (NUMBERS.get(word, word) for word in plain.lower().split())
    return " ".join(MENDED.get(word, word) for word in kept if word not in ARTICLES)


def agreement(answer: str, given: Sequence[str]) -> float:
    """How right an answer is, 0 to 1: right where three people gave it; the mean over all groups that leave one of them out.

    >>> [round(agreement("red", ["red"] * n + ["blue"] * (10 - n)), 2) for n in range(5)]
    [0.0, 0.3, 0.6, 0.9, 1.0]
    """
    said = normalised(answer)
    same = sum(normalised(other) == said for other in given)
    without = min((same - 1) / ENOUGH, 1.0) * same + min(same / ENOUGH, 1.0) * (len(given) - same)
    return without / len(given)
