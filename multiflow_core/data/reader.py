"""What reads rows of data from files. Adding one = one file in `readers/` that calls `register`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..support.registry import Registry
from .dataset import Question


class Source(NamedTuple):
    """Where the bytes of a picture lie: a whole file, or a part of one; for some readers a number in place of the start."""

    path: str
    start: int
    length: int


@dataclass(frozen=True)
class Row:
    """What one row says of a picture. Rows with the same key are about the same picture, wherever they stand.

    Attributes:
        key: what the rows of a picture have in common. name: what people call it, "" where the row does not say.
        picture: where it lies; None where another row says so.
        captions, questions, label, split: what the row says of it; the label is the name of its class.
        asked: the number of the row's only question, where its text and its answers stand in different rows.
        place: where the row stands, for people.
    """

    key: str
    picture: Source | None = None
    name: str = ""
    captions: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    label: str = ""
    split: str = ""
    asked: str = ""
    place: str = ""


@dataclass(frozen=True)
class Bad:
    """A row that cannot be used: where it stands, and why, as a clause.

    >>> print(Bad("captions.csv, line 7", "a.jpg is missing"))
    captions.csv, line 7: a.jpg is missing
    """

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def part_of_file(source: Source) -> bytes:
    """The bytes of a picture that is a file, or lies in one as it is."""
    with open(source.path, "rb") as file:
        file.seek(source.start)
        return file.read(source.length)


@dataclass(frozen=True)
class Reader:
    """One layout of files.

    >>> [reader.name for reader in readers()][-1]
    'folder'

    Attributes:
        name, title: for code and for people. place: among the others; the first that recognises a path reads it.
        recognises: whether a path is of this layout, from its names and first bytes.
        rows: rows(path) -> its rows one after the other, good and bad; ValueError where nothing can be read at all.
        read: the bytes of a picture.
    """

    name: str
    title: str
    place: int
    recognises: Callable[[Path], bool]
    rows: Callable[[Path], Iterator[Row | Bad]]
    read: Callable[[Source], bytes] = part_of_file


READERS: Registry[Reader] = Registry("layout of data", f"{__package__}.readers")
register = READERS.register


def readers() -> tuple[Reader, ...]:
    """All readers, in the order in which a path is shown to them."""
    return tuple(sorted(READERS.all(), key=lambda reader: (reader.place, reader.name)))
