"""Pictures of one's own, with what is known of them, opened by a path: a data set of the rows that a reader finds there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from ..support.threads import Progress
from . import pictures
from .dataset import EACH, DataSet, Exam, Lesson, Question
from .index import Index
from .reader import Bad, Reader, Source
from .sequences import Pairs, Pictures

NEUTRAL = "a picture"  # what a text encoder is calibrated with where nothing is known of a picture
OF_CLASS = "a photo of a {}"
HALVES = ("train", "test")  # of what has no splits of its own
_MEASURED = ("test", "val")  # the first of these that rows name is what is measured on
_NAMES = {"training": "train", "restval": "train", "valid": "val", "validation": "val", "dev": "val", "testing": "test"}
_AT_ONCE = 64
_WORKERS = 4


@dataclass(frozen=True)
class Item:
    """A picture and what is known of it.

    Attributes:
        name: of the picture, from the data's folder on. source: where it lies.
        captions, questions: perhaps none. label: the name of its class, "" where there is none.
    """

    name: str
    source: Source
    captions: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    label: str = ""


@dataclass(frozen=True)
class Found:
    """What an album holds. Until all pictures were opened, those that are broken or copies count as well.

    Attributes:
        layout: the title of the reader. splits: how many pictures each that rows name has; empty where none is named.
        bad: rows that cannot be used; pictures that cannot be opened are among them once they were.
        divided: whether splits are made from the bytes of the pictures.
    """

    layout: str
    pictures: int
    captions: int
    questions: int
    classes: int
    splits: dict[str, int]
    bad: int
    divided: bool


class Album(DataSet):
    """Pictures read from files. What rows say is in an index on disk; pictures are opened when they are asked for.

    >>> from multiflow_core.data import dataset
    >>> album = dataset.open("assets/pictures")
    >>> album.found.pictures > 3, album.found.captions, [type(item).__name__ for item in album.items("test", 1)]
    (True, 0, ['Item'])

    *Splits.* Where rows name a train split and one that is measured on (test, else val), those are it. Otherwise the first bit
    of a hash of the picture's bytes says on which half it is, train or test, so that copies of a picture are always on the same
    side. Whatever is calibrated with is in no way measured on: a picture of another split with the same bytes is left out.

    *Order.* A hash of the names decides, so that the first items are a fair sample and the same on every machine.

    *Texts to calibrate with.* A caption, one of several by the seed; else a question; else "a photo of a" and the class; else
    "a picture": then nothing is learnt of how text differs, and the layers that read text are ranked by that text alone.
    """

    def __init__(self, path: str | Path, reader: Reader):
        self.reader = reader
        place = Path(path).expanduser()
        self.name, self.path = (
            str(path),
            os.path.abspath(place) if place.exists() else str(path),
        )  # or a name of the hub
        self.title = Path(self.path).name
        self._index = Index(reader.rows(place))
        if not self._index.count("picture"):
            bad = self._index.count("bad")
            first = f": {bad} bad rows, the first is {self._index.bad(1)[0]}" if bad else ""
            raise ValueError(f"{path} holds nothing that can be used ({reader.title}){first}.")

    # --- what there is ----------------------------------------------------------------------------------------------

    @cached_property
    def fingerprint(self) -> str:
        return self._index.fingerprint()

    @cached_property
    def classes(self) -> tuple[str, ...]:
        return self._index.classes()

    @property
    def found(self) -> Found:
        """How much there is of what."""
        count = self._index.count
        parts = (count("picture"), count("caption"), count("question"), len(self.classes))
        return Found(
            self.reader.title, *parts, {s: n for s, n in self._named.items() if s}, count("bad"), self._divided
        )

    def bad(self, most: int = 10) -> list[Bad]:
        """The first rows that cannot be used, and pictures that could not be opened."""
        return self._index.bad(most)

    def copies(self) -> list[tuple[str, str]]:
        """(name, name) of a picture and of an earlier one with the same bytes, among those that were opened."""
        return self._index.copies()

    def halves(self) -> dict[str, int]:
        """How many pictures fall into train and test, where their bytes decide and all were opened; copies count once."""
        return {half: sum(_half(digest) == half for digest in self._index.digests()) for half in HALVES}

    def check(self, progress: Progress | None = None) -> Found:
        """Open every picture once, so that those that are broken are among the bad rows, and copies are known."""
        numbers = self._index.numbers("", list(self._named))
        for done, _ in enumerate(self._looked_at(numbers), 1):
            if progress and done % _AT_ONCE == 0:
                progress(done / len(numbers), "opening every picture")
        if progress:
            progress(1.0, "opening every picture")
        return self.found

    @cached_property
    def _named(self) -> dict[str, int]:
        return self._index.splits()

    @cached_property
    def _divided(self) -> bool:
        return not (any(_plain(s) == "train" for s in self._named) and any(_plain(s) in _MEASURED for s in self._named))

    # --- splits -----------------------------------------------------------------------------------------------------

    def split(self, asked: str) -> str:
        """The split that stands for the one asked for: "val" for "test" where rows name a val split and no test split."""
        there = {_plain(name) for name in self._named}
        if asked == "test" and not self._divided and "test" not in there:
            return "val"
        return asked

    def _usable(self, split: str, has: str = "", seed: str = "") -> Iterator[int]:
        """The numbers of the pictures of a split that can be opened, of copies only the first."""
        seen: set[bytes] = set()
        for number, digest in self._looked_at(self._numbers(split, has, seed)):
            if digest not in seen and (not self._divided or _half(digest) == split):
                seen.add(digest)
                yield number

    def _measured(self, number: int) -> bool:
        """Whether a picture lies in a split that is measured on as well, under another name."""
        if self._divided:
            return False
        others = [name for name in self._named if _plain(name) in _MEASURED]
        alike = (other for name in others for other in self._index.as_long(number, name))
        return any(self._look_at(other)[0] == self._look_at(number)[0] for other in alike)

    def _numbers(self, split: str, has: str, seed: str) -> Sequence[int]:
        if self._divided:
            return self._index.numbers(has, list(self._named), seed) if split in HALVES else ()
        return self._index.numbers(has, [name for name in self._named if _plain(name) == split], seed)

    def _looked_at(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """(number, digest of the bytes) of those pictures that can be opened."""
        with ThreadPoolExecutor(_WORKERS) as pool:
            start, size = 0, _WORKERS
            while part := numbers[start : start + size]:
                start, size = start + size, min(2 * size, _AT_ONCE)  # few are wanted, or many
                for number, (digest, problem) in zip(part, pool.map(self._look_at, part), strict=True):
                    if not problem:
                        yield number, digest

    def _look_at(self, number: int) -> tuple[bytes, str]:
        digest, problem = self._index.looked_at(number)
        if digest is None:
            try:
                held = self.reader.read(self._index.entry(number).source)
                digest, problem = blake2b(held, digest_size=16).digest(), pictures.problem(held)
            except (OSError, ValueError) as error:
                digest, problem = b"", f"cannot be read ({getattr(error, 'strerror', '') or error})"
            self._index.keep(number, digest, problem)
        return digest, problem

    def _item(self, number: int) -> Item:
        entry, index = self._index.entry(number), self._index
        return Item(entry.name, entry.source, index.captions(number), index.questions(number), entry.label)

    # --- as every data set ------------------------------------------------------------------------------------------

    def items(self, split: str, count: int) -> tuple[Item, ...]:
        return self._items(self.split(split), count, self._best())

    def _items(self, split: str, count: int, has: str) -> tuple[Item, ...]:
        return tuple(self._item(number) for number in islice(self._usable(split, has), count))

    def _best(self) -> str:
        """What the pictures have that are asked about: captions, else questions, else classes."""
        there = {
            "caption": self._index.count("caption"),
            "question": self._index.count("question"),
            "label": self.classes,
        }
        return next((has for has, any_of in there.items() if any_of), "")

    def pictures(self, items: Sequence[Item], side: int) -> Pictures:
        """Opened when they are asked for, one by one; reduced where they are much larger than side x side pixels."""
        return Pictures(self.reader, tuple(item.source for item in items), side)

    def pairs(self, count: int, seed: int, side: int) -> Pairs:
        """From the train split, as many as there are; ValueError where there is none."""
        items = self._to_learn_of(self._best(), count, seed)
        if not items:
            raise ValueError(f"{self.name} has no pictures to calibrate with: {self._why('train')}.")
        return Pairs(self.pictures(items, side), tuple(_text_of(item, seed) for item in items))

    def asked(self, count: int, seed: int, side: int) -> tuple[Pictures, tuple[tuple[int, Question], ...]]:
        """From the train split, the first questions about each picture that somebody has answered."""
        items = self._to_learn_of("question", count, seed) if self._index.count("question") else []
        known = ([q for q in item.questions if q.answer][:EACH] for item in items)
        return self.pictures(items, side), tuple((i, q) for i, questions in enumerate(known) for q in questions)

    def _to_learn_of(self, has: str, count: int, seed: int) -> list[Item]:
        """Items of the train split on which nothing is measured."""
        usable = (n for n in self._usable("train", has, f"pairs {seed}") if not self._measured(n))
        return [self._item(number) for number in islice(usable, count)]

    def lessons(self, count: int, seed: int = 0) -> tuple[Lesson, ...]:
        """From the train split, with whatever is known of each; the seed chooses which, where there are more."""
        found = ((item, (q for q in item.questions if q.answer)) for item in self._to_learn_of("", count, seed))
        return tuple(Lesson(item, item.captions, tuple(questions)) for item, questions in found)

    def exam(self, split: str, items: int, captioned: int, asked: int, seed: int = 0) -> Exam:
        """All captions of every item, all questions about those asked about that have an answer, and classes where all have one.

        As many items as there are, at most `items`; ValueError where there is none.
        """
        used = self.split(split)
        chosen = self._items(used, items, self._best())
        if not chosen:
            raise ValueError(f"{self.name} has no pictures to measure on: {self._why(used)}.")
        texts = [(i, text) for i, item in enumerate(chosen) for text in item.captions]
        questions = [(i, q) for i, item in enumerate(chosen[:asked]) for q in item.questions if q.answer]
        number = {name: i for i, name in enumerate(self.classes)}
        labels = tuple(number[item.label] for item in chosen if item.label)
        labelled = len(labels) == len(chosen)
        return Exam(
            self, used, chosen, tuple(text for _, text in texts), tuple(questions), min(captioned, len(chosen)) * bool(texts),
            tuple(i for i, _ in texts), self.classes if labelled else (),
            labels if labelled else (),
        )  # fmt: skip

    def _why(self, split: str) -> str:
        if self._divided:
            return (
                f"of its {self._index.count('picture')} pictures none that can be opened falls into {split}; add some"
            )
        return f"no picture of its split {split} can be opened"


def _plain(split: str) -> str:
    """A split by the name that it has here."""
    name = split.lower()
    return _NAMES.get(name, name)


def _half(digest: bytes) -> str:
    return HALVES[digest[0] & 1]


def _text_of(item: Item, seed: int) -> str:
    if item.captions:
        number = blake2b(f"{seed}/{item.name}".encode(), digest_size=4).digest()
        return item.captions[int.from_bytes(number, "big") % len(item.captions)]
    if item.questions:
        return item.questions[0].text
    return OF_CLASS.format(item.label) if item.label else NEUTRAL
