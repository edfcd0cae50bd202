"""VQAv2: a JSON file of questions, and one of annotations with ten answers to each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .. import annotations
from ..columns import most, one, plain, texts
from ..dataset import Question
from ..finder import Finder, root_of
from ..members import members
from ..reader import Bad, Reader, Row, register


def pairs(path: Path) -> list[tuple[Path, Path | None]]:
    """The files of questions, each with that of its answers: the one of the same split, if there is one."""
    beside = path.parent if path.is_file() else path
    answers = annotations.files(beside, annotations.ANSWERS)
    if path.is_file() and annotations.kind_of(path) == annotations.ANSWERS:
        answers, asked = [path], annotations.files(beside, annotations.QUESTIONS)
        asked = [file for file in asked if _split(file) == _split(path)]
    else:
        asked = annotations.files(path, annotations.QUESTIONS)
    return [(file, next((other for other in answers if _split(other) == _split(file)), None)) for file in asked]


def recognises(path: Path) -> bool:
    return bool(pairs(path)) or (path.is_file() and bool(annotations.files(path, annotations.ANSWERS)))


def rows(path: Path) -> Iterator[Row | Bad]:
    """A row for every question, and one for the answers to each."""
    if not pairs(path):
        raise ValueError(f"{path} has answers (VQAv2's annotations): the file of their questions has to lie beside it.")
    finder = Finder(root_of(path))
    for asked, answered in pairs(path):
        part = _part(asked)
        yield from _of(asked, "questions", partial(_question, part=part, split=_split(asked), finder=finder))
        if answered:
            yield from _of(answered, "annotations", partial(_answers, part=part, split=_split(asked)))


def _of(file: Path, list_name: str, row: Any) -> Iterator[Row | Bad]:
    elements = (held for key, held in members(file) if key == list_name)
    for place, held in annotations.numbered(file, list_name[:-1], elements):
        try:
            yield row(held, place)
        except KeyError as error:
            yield Bad(place, f"it has no {error.args[0]!r}")
        except (TypeError, AttributeError):
            yield Bad(place, "it is no object of VQAv2's")
        except ValueError as error:
            yield Bad(place, str(error))


def _question(held: dict[str, Any], place: str, part: str, split: str, finder: Finder) -> Row:
    image, asked, text = plain(str(held["image_id"])), plain(str(held["question_id"])), one(held["question"])
    if not text:
        raise ValueError("it is empty")
    number = image.zfill(12)  # COCO_val2014_000000000042.jpg, since 2017 only the number
    source = finder.find(f"COCO_{part}_{number}.jpg", f"{number}.jpg", f"{image}.jpg", f"{image}.png")
    name = source.path.rpartition("/")[2]
    return Row(f"{split} {image}", source, name, (), (Question(text, ""),), "", split, f"{split} {asked}", place)


def _answers(held: dict[str, Any], place: str, part: str, split: str) -> Row:
    image, asked = plain(str(held["image_id"])), plain(str(held["question_id"]))
    answers = texts(held.get("answers"))
    answer = one(held.get("multiple_choice_answer")) or most(answers)
    if not answer:
        raise ValueError("it has no answer")
    type_ = one(held.get("answer_type")) or one(held.get("question_type"))
    question = Question("", answer, type_, answers)
    return Row(f"{split} {image}", None, "", (), (question,), "", split, f"{split} {asked}", place)


def _part(file: Path) -> str:
    """Which part of COCO the pictures are from, such as val2014."""
    split = _split(file) or "val"
    digits = "".join(c for c in file.name.lower().partition(split)[2][:4] if c.isdigit())
    return split + (digits or "2014")


def _split(file: Path) -> str:
    return annotations.split_of(file.name)


register(Reader("vqa", "VQAv2 questions", 30, recognises, rows))
