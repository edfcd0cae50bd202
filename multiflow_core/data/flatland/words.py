"""The vocabulary of Flatland: every word of its captions, questions and answers."""

from __future__ import annotations

from .language import caption_words
from .questions import question_words

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]")


def vocabulary() -> dict[str, int]:
    """Word -> token id: the special tokens first, then all words in alphabetical order.

    >>> vocabulary()["[PAD]"], "boat" in vocabulary()
    (0, True)
    """
    return {word: i for i, word in enumerate((*SPECIAL, *sorted(caption_words() | question_words())))}
