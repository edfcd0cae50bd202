"""How near captions come to what people wrote of the same picture: CIDEr-D, BLEU-4 and ROUGE-L.

They are a few lines each, and computed here: the evaluation of COCO (pycocoevalcap) brings 100 MB of Java programs for its other
measures, and its word splitter is one of them. On the same words the figures are the same as there, which a test holds.

CIDEr-D: Vedantam, Zitnick and Parikh, CIDEr: consensus-based image description evaluation, CVPR 2015.
BLEU: Papineni, Roukos, Ward and Zhu, BLEU: a method for automatic evaluation of machine translation, ACL 2002.
ROUGE-L: Lin, ROUGE: a package for automatic evaluation of summaries, ACL workshop Text Summarization Branches Out, 2004.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

LONGEST = 4  # words of the longest runs that are compared
SPREAD = 6.0  # CIDEr-D: how far apart lengths may be, in words
WEIGHT = 1.2  # ROUGE-L: of recall against precision, as COCO has it
TINY, SMALL = 1e-15, 1e-9  # BLEU: COCO's, so that no logarithm and no division fails

Words = Sequence[str]

# --- words ----------------------------------------------------------------------------------------------------------

_MARKS = frozenset(".,:;?!-\u2013\u2014\u2026'\"`\u2018\u2019\u201c\u201d()[]{}")
_ENDING = r"n't|'(?:s|m|d|re|ve|ll)"
_ENDINGS = re.compile(rf"(?<=\w)({_ENDING})\b")
_GROWN_TOGETHER = re.compile(r"\b(can(?=not\b)|gon(?=na\b)|wan(?=na\b)|got(?=ta\b)|gim(?=me\b)|lem(?=me\b))")
_WORD = re.compile(rf"(?:{_ENDING})\b|\d+(?:[.,:]\d+)+|(?:\w\.){{2,}}|\w+(?:[-']\w+)*|[^\w\s]")


def words(text: str) -> list[str]:
    """The words of a text, as COCO's evaluation splits them: small letters, endings apart, no punctuation.

    >>> words("A man's T-shirt, and 1,000 dogs (they don't bark).")
    ['a', 'man', "'s", 't-shirt', 'and', '1,000', 'dogs', 'they', 'do', "n't", 'bark']

    COCO calls Stanford's tokenizer for the Penn Treebank, in Java. This one differs where that knows abbreviations ("Mr." keeps its
    point there), addresses and fractions, and in brackets, which stay there as "-lrb-" once letters are made small.
    """
    plain = text.lower().replace("\u2019", "'")
    apart = _GROWN_TOGETHER.sub(r"\1 ", _ENDINGS.sub(r" \1", plain))
    return [word for word in _WORD.findall(apart) if word not in _MARKS]


def _runs(text: Words) -> Counter[tuple[str, ...]]:
    """How often every run of one to four words occurs."""
    return Counter(tuple(text[i : i + n]) for n in range(1, LONGEST + 1) for i in range(len(text) - n + 1))


# --- CIDEr-D --------------------------------------------------------------------------------------------------------


class _Weighed(NamedTuple):
    """The runs of a text by their length, each with its count times its rarity; the norms; how many pairs of words there are."""

    runs: tuple[dict[tuple[str, ...], float], ...]
    norms: tuple[float, ...]
    pairs: int


def cider(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> list[float]:
    """CIDEr-D of every caption, 0 to 10; what a corpus is said to have is their mean.

    10 times the mean over n = 1..4 and over the references r of a caption c of

        exp(-(|c| - |r|)^2 / (2 * 6^2)) * sum over runs of n words of min(g_c, g_r) * g_r / (||g_c|| ||g_r||)

    with g = how often a run occurs times log(pictures / pictures of which a reference has it).

    >>> texts = [[words("a red cat on a mat")], [words("two dogs by the sea")]]
    >>> [round(value, 3) for value in cider([words("a red cat on a mat"), words("two dogs")], texts)]
    [10.0, 2.498]
    """
    holding = Counter(run for texts in references for run in {run for text in texts for run in _runs(text)})
    pictures = len(references)
    rarity = {run: math.log(pictures / count) for run, count in holding.items()}

    def weighed(text: Words) -> _Weighed:
        runs: tuple[dict, ...] = tuple({} for _ in range(LONGEST))
        for run, count in _runs(text).items():
            runs[len(run) - 1][run] = count * rarity.get(run, math.log(pictures))
        norms = tuple(math.sqrt(sum(value * value for value in weights.values())) for weights in runs)
        return _Weighed(runs, norms, max(0, len(text) - 1))

    return [
        10 * sum(_alike(caption, weighed(text)) for text in texts) / len(texts)
        for caption, texts in zip(map(weighed, captions), references, strict=True)
    ]


def _alike(caption: _Weighed, text: _Weighed) -> float:
    """The clipped cosines of runs of each length, their mean, less where the lengths differ."""
    cosines = 0.0
    for given, wanted, norm, other in zip(caption.runs, text.runs, caption.norms, text.norms, strict=True):
        if norm and other:
            shared = (min(value, wanted[run]) * wanted[run] for run, value in given.items() if run in wanted)
            cosines += sum(shared) / (norm * other)
    apart = caption.pairs - text.pairs
    return math.exp(-(apart**2) / (2 * SPREAD**2)) * cosines / LONGEST


# --- BLEU-4 ---------------------------------------------------------------------------------------------------------


def bleu_counts(caption: Words, references: Sequence[Words]) -> tuple[int, ...]:
    """What a caption adds to BLEU: its length, that of the nearest reference; runs of 1..4 words, and how many of them are right.

    >>> bleu_counts("a red red cat".split(), ["a red cat".split(), "a cat".split()])
    (4, 3, 4, 3, 2, 1, 3, 2, 0, 0)
    """
    length = len(caption)
    nearest = min((abs(len(text) - length), len(text)) for text in references)[1]
    most: Counter[tuple[str, ...]] = Counter()
    for text in references:
        most |= _runs(text)
    right = [0] * LONGEST
    for run, count in (_runs(caption) & most).items():
        right[len(run) - 1] += count
    return (length, nearest, *(max(0, length - n) for n in range(LONGEST)), *right)


def bleu(sums: np.ndarray) -> np.ndarray:
    """BLEU-4 of a corpus from the sums of `bleu_counts`, (..., 10) -> (...).

    The geometric mean of the shares of right runs, times exp(1 - reference / caption) where captions are the shorter ones.

    >>> round(float(bleu(np.array(bleu_counts("a red cat on a mat".split(), ["a red cat on the mat".split()])))), 4)
    0.537
    """
    length, reference = sums[..., 0], sums[..., 1]
    shares = (sums[..., 6:] + TINY) / (sums[..., 2:6] + SMALL)
    brevity = np.exp(np.minimum(0.0, 1 - (reference + SMALL) / (length + TINY)))
    return brevity * shares.prod(-1) ** (1 / LONGEST)


# --- ROUGE-L --------------------------------------------------------------------------------------------------------


def rouge(caption: Words, references: Iterable[Words]) -> float:
    """ROUGE-L of a caption: F of precision and recall of the longest common subsequence, each against its best reference.

    >>> round(rouge("a red cat".split(), ["a cat on a mat".split()]), 4)
    0.4784
    """
    common = [(_common(caption, text), len(text)) for text in references]
    precision = max(length / len(caption) for length, _ in common) if caption else 0.0
    recall = max((length / size for length, size in common if size), default=0.0)
    if not precision or not recall:
        return 0.0
    return (1 + WEIGHT**2) * precision * recall / (recall + WEIGHT**2 * precision)


def _common(first: Words, second: Words) -> int:
    """The length of the longest common subsequence, a whole row at once in the bits of a number.

    Crochemore, Iliopoulos, Pinzon and Reid, A fast and practical bit-vector algorithm for the LCS problem, IPL 80, 2001.
    """
    places: dict[str, int] = defaultdict(int)
    for i, word in enumerate(first):
        places[word] |= 1 << i
    full = row = (1 << len(first)) - 1
    for word in second:
        here = row & places.get(word, 0)
        row = (row + here | row - here) & full
    return len(first) - row.bit_count()
