"""What a data set is: items with texts, in splits. Adding one = one file or folder in this room that calls `register`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..support.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image


@dataclass(frozen=True)
class Question:
    """A question, its answer, and its type; `answers`: what several people said (VQAv2 has ten), where more than one was asked."""

    text: str
    answer: str
    type: str = ""
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """What is known of a caption: `true` of its picture, whether it could be `understood` at all, and what it leaves out.

    >>> Judgement(True).word, Judgement(True, left_out=("a red cat",)).word, Judgement(False).word
    ('true', 'true but incomplete', 'false')
    """

    true: bool
    understood: bool = True
    left_out: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """True, and nothing left out."""
        return self.true and not self.left_out

    @property
    def word(self) -> str:
        return "true" if self.complete else "true but incomplete" if self.true else "false"


@dataclass(frozen=True)
class Exam:
    """What models are asked: items of a data set with their texts, questions about some of them, and what class they are of.

    Attributes:
        data: the data set. split: of it. items: what the pictures are drawn or read from.
        texts: pairwise different where the data can. of: the number of the item that each text belongs to; left out where
            there is one text an item, in their order.
        asked: (number of the item, question). captioned: how many items, from the first on, are to be described.
        classes: the names of all classes; labels: the number of each item's class. Both empty where there are none.
        queries: (form, text): short texts to search the pictures with, each true of some.
        prompts: sentences in which {} stands for a class's name; left out for the usual one.
        rerank: how many of what the embeddings find nearest the matching head ranks again; none where it is 0.
    """

    data: DataSet
    split: str
    items: Sequence[Any]
    texts: Sequence[str]
    asked: Sequence[tuple[int, Question]] = ()
    captioned: int = 0
    of: Sequence[int] = ()
    classes: Sequence[str] = ()
    labels: Sequence[int] = ()
    queries: Sequence[tuple[str, str]] = ()
    prompts: Sequence[str] = ()
    rerank: int = 0

    def owners(self) -> Sequence[int]:
        """The number of the item that each text belongs to.

        >>> from multiflow_core.data import dataset
        >>> dataset.open("flatland").exam("test", 3, 0, 0).owners()
        range(0, 3)
        """
        return self.of or range(len(self.texts))

    def references(self, item: int) -> tuple[str, ...]:
        """All texts of an item.

        >>> Exam(None, "test", ["a", "b"], ["one", "two", "three"], of=[0, 1, 1]).references(1)
        ('two', 'three')
        """
        return tuple(text for text, owner in zip(self.texts, self.owners(), strict=True) if owner == item)

    def pictures(self, side: int) -> Sequence[Image]:
        """All pictures, for a model that reads side x side pixels."""
        return self.data.pictures(self.items, side)


@dataclass(frozen=True)
class Lesson:
    """An item to learn from: what is said of it, and what is asked."""

    item: Any
    texts: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


class DataSet(ABC):
    """Pictures with texts. Everything that measures, calibrates or shows takes one.

    Attributes:
        name, title: for code and for people; `open` opens it by its name again.
        path: where it lies, "" for what lies nowhere. fingerprint: digits of its content, "" where the name says it all.
        classes: the names of all classes; empty where there are none.
    """

    name: str
    title: str
    path: str = ""
    fingerprint: str = ""
    classes: Sequence[str] = ()

    @abstractmethod
    def items(self, split: str, count: int) -> Sequence[Any]:
        """The first items of a split ("train", "test", ...) that can be told apart by what is known of them."""

    @abstractmethod
    def pictures(self, items: Sequence[Any], side: int) -> Sequence[Image]:
        """Their pictures, for a model that reads side x side pixels; of another size where the data has its own."""

    @abstractmethod
    def pairs(self, count: int, seed: int, side: int) -> Sequence[tuple[Image, str]]:
        """Pictures with one text each to calibrate with, none of which anything is measured on."""

    def asked(self, count: int, seed: int, side: int) -> tuple[Sequence[Image], Sequence[tuple[int, Question]]]:
        """Pictures, and (number of the picture, question) with answers about them, to calibrate with as `pairs` are.

        Up to `EACH` questions about each of so many pictures; empty where nobody has asked.
        """
        return (), ()

    @abstractmethod
    def exam(self, split: str, items: int, captioned: int, asked: int, seed: int = 0) -> Exam:
        """Retrieval among all `items`, captions of the first `captioned`, questions about the first `asked`."""

    def lessons(self, count: int, seed: int = 0) -> tuple[Lesson, ...]:
        """Items of the split "train" to learn from, as many as there are, at most so many; nothing is measured on any of them.

        >>> from multiflow_core.data import dataset
        >>> [len(lesson.texts) for lesson in dataset.open("flatland").lessons(2)]
        [1, 1]
        """
        exam = self.exam("train", count, count, count, seed)
        said: dict[int, list[str]] = {}
        asked: dict[int, list[Question]] = {}
        for owner, text in zip(exam.owners(), exam.texts, strict=True):
            said.setdefault(owner, []).append(text)
        for owner, question in exam.asked:
            asked.setdefault(owner, []).append(question)
        return tuple(Lesson(item, tuple(said.get(i, ())), tuple(asked.get(i, ()))) for i, item in enumerate(exam.items))

    def judge(self, captions: Iterable[str], items: Iterable[Any]) -> list[Judgement] | None:
        """Whether each caption is true of its item; None where nobody knows."""
        return None

    def truths(self, texts: Sequence[str], items: Sequence[Any]) -> np.ndarray | None:
        """Which text is true of which item, (texts, items); None where nobody knows."""
        return None


DATA_SETS: Registry[DataSet] = Registry("data set", __package__)
register = DATA_SETS.register
DEFAULT = "flatland"
EACH = 3  # questions about one picture, at most, to calibrate with


_OPENERS: list[Callable[[str], DataSet | None]] = []


def register_opener(opener: Callable[[str], DataSet | None]) -> Callable[[str], DataSet | None]:
    """Add a way to open data that has no name here, such as a path; it returns None for what it does not know."""
    _OPENERS.append(opener)
    return opener


def open(name: str | DataSet = DEFAULT) -> DataSet:
    """A data set by name or by the path of files of one's own; ValueError with the names there are if nobody has it.

    >>> open("flatland").title, open("assets/pictures").title
    ('Flatland', 'pictures')
    """
    if isinstance(name, str) and name not in DATA_SETS:
        found = next((found for opener in _OPENERS if (found := opener(name)) is not None), None)
        if found is not None:
            return found
    return DATA_SETS.get(name)
