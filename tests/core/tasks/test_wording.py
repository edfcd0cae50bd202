"""CIDEr-D, BLEU-4 and ROUGE-L: by hand, by COCO's own evaluation, and what must hold for any texts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocoevalcap.bleu.bleu_scorer import BleuScorer
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from multiflow_core.tasks.figures import RESAMPLES, SEED, Figure, intervals
from multiflow_core.tasks.wording import bleu, bleu_counts, cider, rouge, words

TEXT = st.lists(
    st.sampled_from(["a", "the", "red", "cat", "dog", "on", "mat", "sea", "sees", "two"]), min_size=1, max_size=14
)
CORPUS = st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=5)), min_size=1, max_size=12)
each = settings(deadline=None, max_examples=150)


def corpus_bleu(pairs) -> float:
    return float(bleu(np.sum([bleu_counts(caption, texts) for caption, texts in pairs], 0, dtype=float)))


def ciders(pairs) -> list[float]:
    return cider(*zip(*pairs))


def held(pairs) -> tuple[dict, dict]:
    """References and captions as COCO's evaluation takes them."""
    texts = {i: [" ".join(text) for text in texts] for i, (_, texts) in enumerate(pairs)}
    return texts, {i: [" ".join(caption)] for i, (caption, _) in enumerate(pairs)}


# --- the same as COCO's evaluation ----------------------------------------------------------------------------------


@given(CORPUS)
@each
def test_cider_is_cocos(pairs):
    overall, single = Cider().compute_score(*held(pairs))
    assert ciders(pairs) == pytest.approx(single.tolist(), abs=1e-9)
    assert np.mean(ciders(pairs)) == pytest.approx(overall, abs=1e-9)


@given(CORPUS)
@each
def test_bleu_is_cocos(pairs):
    scorer = BleuScorer(n=4)
    for caption, texts in pairs:
        scorer += (" ".join(caption), [" ".join(text) for text in texts])
    overall, _ = scorer.compute_score(option="closest")
    assert corpus_bleu(pairs) == pytest.approx(overall[3], abs=1e-9)


@given(CORPUS)
@each
def test_rouge_is_cocos(pairs):
    overall, single = Rouge().compute_score(*held(pairs))
    found = [rouge(caption, texts) for caption, texts in pairs]
    assert found == pytest.approx(single.tolist(), abs=1e-9) and np.mean(found) == pytest.approx(overall, abs=1e-9)


# --- by hand --------------------------------------------------------------------------------------------------------


def test_cider_by_hand():
    """Two pictures; "a" is in the texts of both and weighs nothing, everything else weighs log 2.

    Caption "a cat" for "a cat sits": of single words g_c = (cat), g_r = (cat, sits), cosine 1/sqrt(2); of pairs
    g_c = (a cat), g_r = (a cat, cat sits), again 1/sqrt(2); nothing longer. One pair against two: exp(-1/72).
    """
    first, second = ciders([(words("a cat"), [words("a cat sits")]), (words("a dog"), [words("a dog")])])
    assert first == pytest.approx(10 * math.exp(-1 / 72) * 2 * math.sqrt(0.5) / 4)
    assert second == pytest.approx(10 * 2 / 4)  # runs of three and four words there are none


def test_cider_clips_what_is_said_too_often():
    """ "cat cat" against "cat": 2 log 2 is cut to log 2, so the cosine is 1/2 and not 1; a length of 2 against 1."""
    first, _ = ciders([(words("cat cat"), [words("cat")]), (words("dog"), [words("dog")])])
    assert first == pytest.approx(10 * math.exp(-1 / 72) * (1 / 2) / 4)


def test_bleu_by_hand():
    """12 words: 8 right; pairs 5 of 10, threes 2 of 8, fours 1 of 6; the references are 4 words longer."""
    sums = np.array([12, 16, 12, 10, 8, 6, 8, 5, 2, 1.0])
    assert float(bleu(sums)) == pytest.approx(math.exp(1 - 16 / 12) * (8 / 12 * 5 / 10 * 2 / 8 * 1 / 6) ** 0.25)


def test_bleu_is_of_the_corpus_and_takes_the_nearest_reference_the_shorter_of_two():
    assert bleu_counts(words("a b c"), [words("a b c d"), words("a b")])[:2] == (3, 2)
    pairs = [(words("a b c d"), [words("a b c d")]), (words("x y z w"), [words("a b c d")])]
    assert corpus_bleu(pairs) == pytest.approx(0.5) != pytest.approx((1 + 0) / 2 + 0.1)


def test_between_what_bleu_lies_is_worked_out_anew_for_every_sample():
    """Not the mean of captions' own figures: the corpus of each sample of captions, put together slowly."""
    chance = np.random.default_rng(0)
    pairs = [(list(chance.choice(list("abcd"), 6)), [list(chance.choice(list("abcd"), 7))]) for _ in range(8)]
    draws = np.random.default_rng(SEED).integers(len(pairs), size=(RESAMPLES, len(pairs)))
    sampled = [corpus_bleu([pairs[i] for i in draw]) for draw in draws]
    found = intervals({"": Figure([bleu_counts(*pair) for pair in pairs], of=bleu)})[""]
    assert found == pytest.approx(tuple(np.percentile(sampled, [2.5, 97.5])), abs=1e-12)


def test_rouge_by_hand():
    """ "police killed the gunman" (Lin 2004, section 3.1): "police kill the gunman" has 3 of 4, "the gunman kill police" 2."""
    text = words("police killed the gunman")
    assert rouge(words("police kill the gunman"), [text]) == pytest.approx(3 / 4)
    assert rouge(words("the gunman kill police"), [text]) == pytest.approx(2 / 4)
    # precision 2/3, recall 2/5, beta 1.2
    found = rouge(words("a red cat"), [words("a cat on a mat")])
    assert found == pytest.approx(2.44 * (2 / 3) * (2 / 5) / (2 / 5 + 1.44 * 2 / 3))


def test_rouge_takes_precision_and_recall_each_from_its_best_reference():
    texts = [words("cat"), words("a b c cat d e")]
    assert rouge(words("a b c cat"), texts) == pytest.approx(1.0)  # all four words are in one, the other is all in it


# --- whatever the texts ---------------------------------------------------------------------------------------------


@given(CORPUS)
@each
def test_the_texts_themselves_are_perfect(pairs):
    perfect = [(texts[0], texts[:1]) for _, texts in pairs]
    assert all(rouge(caption, texts) == pytest.approx(1) for caption, texts in perfect)
    if all(len(caption) >= 4 for caption, _ in perfect):
        assert corpus_bleu(perfect) == pytest.approx(1)
    assert all(value <= 10 + 1e-9 for value in ciders(perfect))


def test_a_perfect_caption_with_words_of_its_own_has_ten():
    texts = [words("one two three four"), words("five six seven eight"), words("nine ten eleven twelve")]
    assert ciders([(text, [text]) for text in texts]) == pytest.approx([10] * 3)


@given(CORPUS, st.randoms())
@each
def test_the_order_of_pictures_and_of_references_does_not_matter(pairs, chance):
    mixed = [(caption, chance.sample(texts, len(texts))) for caption, texts in chance.sample(pairs, len(pairs))]
    assert sorted(ciders(mixed)) == pytest.approx(sorted(ciders(pairs)), abs=1e-9)
    assert corpus_bleu(mixed) == pytest.approx(corpus_bleu(pairs), abs=1e-12)
    assert sorted(rouge(*pair) for pair in mixed) == pytest.approx(sorted(rouge(*pair) for pair in pairs))


@given(CORPUS)
@each
def test_a_caption_without_words_has_nothing(pairs):
    said = [([], texts) for _, texts in pairs]
    assert ciders(said) == [0.0] * len(pairs) == [rouge(*pair) for pair in said]
    assert corpus_bleu(said) == 0.0


@given(st.lists(st.sampled_from("abc"), max_size=9), st.lists(st.sampled_from("abc"), min_size=1, max_size=9))
@each
def test_the_longest_common_subsequence(first, second):
    """By the table of every textbook."""
    table = np.zeros((len(first) + 1, len(second) + 1), dtype=int)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            table[i + 1, j + 1] = table[i, j] + 1 if a == b else max(table[i, j + 1], table[i + 1, j])
    common = table[-1, -1]
    precision, recall = common / max(1, len(first)), common / len(second)
    expected = 2.44 * precision * recall / (recall + 1.44 * precision) if common else 0.0
    assert rouge(first, [second]) == pytest.approx(expected)


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A red cat.", "a red cat"),
        ("Two dogs; one cat -- and a bird!?", "two dogs one cat and a bird"),
        ("the man's hat", "the man 's hat"),
        ("the man\u2019s hat", "the man 's hat"),
        ("they can't, won't and don't", "they ca n't wo n't and do n't"),
        ("I cannot; we're gonna", "i can not we 're gon na"),
        ('a "stop" sign', "a stop sign"),
        ("a 'stop' sign", "a stop sign"),
        ("a T-shirt at 10:30 for $1,000.50", "a t-shirt at 10:30 for $ 1,000.50"),
        ("o'clock (late)", "o'clock late"),
        ("cats & dogs", "cats & dogs"),
        ("one,two", "one two"),
        ("the U.S. flag", "the u.s. flag"),
        ("  \n ", ""),
        ("ein Tännchen", "ein tännchen"),
    ],
)
def test_words(text, found):
    assert words(text) == found.split()


@given(st.text(max_size=60))
@each
def test_any_text_has_words_and_words_are_their_own(text):
    found = words(text)
    assert all(word and not word.isspace() for word in found)
    assert words(" ".join(found)) == found
