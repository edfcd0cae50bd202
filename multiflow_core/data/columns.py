"""What the columns of a table are, by the names that the field gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .dataset import Question

PICTURES = (
    "image", "image_path", "img", "img_path", "file_name", "filename", "image_file", "image_name", "image_filename",
    "img_name", "filepath", "file_path", "file", "path", "picture", "photo", "image_id", "imageid",
)  # fmt: skip
CAPTIONS = (
    "caption", "captions", "text", "texts", "sentence", "sentences", "raw", "title", "alt", "alt_text", "description", "comment",
)  # fmt: skip
QUESTIONS = ("question", "query")
ANSWERS = ("answer", "answers", "multiple_choice_answer")
TYPES = ("question_type", "answer_type", "type")
CLASSES = ("class", "class_name", "label", "category")
SPLITS = ("split", "set", "subset", "partition")
ADDRESSES = ("url", "image_url", "img_url", "link")
_NUMBERED = re.compile(r"(.+?)_?\d+")


@dataclass(frozen=True)
class Said:
    """What a row of a table says: texts, and what its picture goes by (a name in most tables, "" where there is none)."""

    picture: Any
    captions: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    label: str = ""
    split: str = ""


@dataclass(frozen=True)
class Columns:
    """The columns of a table by what they are for; "" where there is none.

    >>> columns = Columns.of(["File Name", "caption_1", "caption_2", "split"])
    >>> columns.picture, columns.captions
    ('File Name', ('caption_1', 'caption_2'))
    >>> columns.read({"File Name": "a.jpg", "caption_1": "a cat", "caption_2": "one cat", "split": "val"}).captions
    ('a cat', 'one cat')
    """

    picture: str
    captions: tuple[str, ...] = ()
    question: str = ""
    answers: tuple[str, ...] = ()
    type: str = ""
    label: str = ""
    split: str = ""

    @classmethod
    def of(cls, names: Iterable[str]) -> Columns:
        """The columns of these names; ValueError, as a clause, where none is of pictures."""
        plain: dict[str, str] = {}
        for name in names:
            plain.setdefault(re.sub(r"[\s-]+", "_", name.strip().lower()), name)

        def first(wanted: Iterable[str]) -> str:
            return next((plain[name] for name in wanted if name in plain), "")

        if not (picture := first(PICTURES)):
            raise ValueError(_lacks(plain, first(ADDRESSES)))
        answers = tuple(plain[name] for name in ANSWERS if name in plain)
        return cls(picture, _captions(plain), first(QUESTIONS), answers, first(TYPES), first(CLASSES), first(SPLITS))

    def read(self, cells: Mapping[str, Any]) -> Said:
        """What a row says; ValueError, as a clause, where it says nothing that can be used."""
        picture = cells.get(self.picture)
        if picture is None or picture == "":
            raise ValueError("it names no picture")
        captions = tuple(dict.fromkeys(t for name in self.captions for t in texts(cells.get(name))))
        questions = self._questions(cells)
        if self.captions and not captions and not questions:
            raise ValueError("its caption is empty")
        return Said(picture, captions, questions, one(cells.get(self.label)), one(cells.get(self.split)))

    def _questions(self, cells: Mapping[str, Any]) -> tuple[Question, ...]:
        if not (text := one(cells.get(self.question))):
            return ()
        answers = tuple(found for name in self.answers for found in texts(cells.get(name)))
        return (Question(text, most(answers), one(cells.get(self.type)), answers if len(answers) > 1 else ()),)


def _captions(plain: Mapping[str, str]) -> tuple[str, ...]:
    """The caption column, or all that are numbered: caption_1, caption_2, ..."""
    for name in CAPTIONS:
        found = [own for column, own in plain.items() if name == column or _base(column) == name]
        if found:
            return tuple(found)
    return ()


def _base(column: str) -> str:
    numbered = _NUMBERED.fullmatch(column)
    return numbered[1] if numbered else ""


def _lacks(plain: Mapping[str, str], address: str) -> str:
    if address:
        return (
            f"its column {address!r} holds addresses: download the pictures, and name their files in a column 'image'"
        )
    held = " ".join(", ".join(list(plain.values())[:8]).split())[:200]
    return f"no column is of pictures (it has {held or 'none'}): call it 'image', 'file_name' or 'path'"


def texts(held: Any) -> tuple[str, ...]:
    """The texts in a cell: one, a list, a list in JSON, or what COCO makes of them; without those that are empty.

    >>> texts(' a  cat '), texts(["a cat", ""]), texts('["a cat", "one cat"]'), texts([{"raw": "a cat"}]), texts(3.0)
    (('a cat',), ('a cat',), ('a cat', 'one cat'), ('a cat',), ('3',))
    """
    if isinstance(held, str):
        held = held.strip()
        if held.startswith("[") and held.endswith("]"):
            try:
                inside = json.loads(held)
            except (ValueError, RecursionError):
                inside = None
            if isinstance(inside, list) and all(isinstance(part, str) for part in inside):
                return texts(inside)
        return (plain(held),) if plain(held) else ()
    if isinstance(held, Mapping):
        return next((texts(held[name]) for name in ("raw", "caption", "text", "answer") if name in held), ())
    if isinstance(held, list | tuple):
        return tuple(text for part in held for text in texts(part))
    if held is None or held != held:  # nothing, or no number
        return ()
    return (str(int(held)),) if isinstance(held, float) and held.is_integer() else (plain(str(held)),)


def one(held: Any) -> str:
    """The first text in a cell, "" where there is none."""
    return next(iter(texts(held)), "")


def plain(text: str) -> str:
    """A text on one line, of characters that can be written down."""
    return " ".join(text.encode("utf-8", "replace").decode().replace("\0", " ").split())


def most(answers: Iterable[str]) -> str:
    """The answer that most people gave; of several, the first.

    >>> most(["red", "blue", "blue"]), most([])
    ('blue', '')
    """
    held = list(answers)
    return max(dict.fromkeys(held), key=held.count, default="")
