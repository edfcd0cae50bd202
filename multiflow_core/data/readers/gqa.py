"""GQA: a JSON file of questions by their numbers, val_balanced_questions.json and the like; pictures by the numbers of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import annotations
from ..columns import one
from ..dataset import Question
from ..finder import Finder, root_of
from ..members import members
from ..reader import Bad, Reader, Row, register


def files(path: Path) -> list[Path]:
    return annotations.files(path, annotations.GQA)


def rows(path: Path) -> Iterator[Row | Bad]:
    """A row for every question."""
    finder = Finder(root_of(path))
    for file in files(path):
        split = annotations.split_of(file.name)
        for key, held in members(file):
            place = f"{file.name}, question {key}"
            try:
                yield _row(held, split, place, finder)
            except ValueError as error:
                yield Bad(place, str(error))


def _row(held: Any, split: str, place: str, finder: Finder) -> Row:
    if not isinstance(held, dict) or not (text := one(held.get("question"))) or not (image := one(held.get("imageId"))):
        raise ValueError("it has no 'question' or no 'imageId'")
    types = held.get("types")
    kind = one(types.get("structural")) if isinstance(types, dict) else ""
    source = finder.called(image)
    name = source.path.rpartition("/")[2]
    return Row(source.path, source, name, (), (Question(text, one(held.get("answer")), kind),), "", split, "", place)


register(Reader("gqa", "GQA questions", 40, lambda path: bool(files(path)), rows))
