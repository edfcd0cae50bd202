"""Which of the known annotation files a JSON file is, and where such files lie in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from .members import members
from .pictures import is_picture

COCO, KARPATHY, QUESTIONS, ANSWERS, GQA, ROWS, NAMES = (
    "coco",
    "karpathy",
    "questions",
    "answers",
    "gqa",
    "rows",
    "names",
)
_LOOKED_AT = 40


def kind_of(file: Path) -> str:
    """What a JSON file holds, as far as its first elements show: "coco", "karpathy", "questions", "answers" (both of VQAv2),
    "gqa", "rows" of a table, "names" of pictures with captions; "" for anything else, also for what is no JSON."""
    try:
        return _kind_of(file, file.stat().st_mtime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=256)
def _kind_of(file: Path, changed: int) -> str:
    try:
        return next((kind for key, value in islice(members(file), _LOOKED_AT) if (kind := _kind(key, value))), "")
    except ValueError:
        return ""


def _kind(key: str, value: Any) -> str:
    """What an element shows; "" where it shows nothing."""
    held = value if isinstance(value, dict) else {}
    if key == "":
        return ROWS if held else ""
    if key == "images" and held:
        return KARPATHY if "sentences" in held else COCO
    if key == "annotations" and "image_id" in held:
        return ANSWERS if "question_id" in held else COCO
    if key == "questions" and "question_id" in held:
        return QUESTIONS
    if "imageId" in held and "question" in held:
        return GQA
    return NAMES if is_picture(key) and isinstance(value, str | list) else ""


def files(path: Path, kind: str) -> list[Path]:
    """The files of a kind: the path itself, or those in the folder and in the folders directly in it.

    >>> files(Path("assets"), COCO)
    []
    """
    if path.is_file():
        return [path] if path.suffix.lower() == ".json" and kind_of(path) == kind else []
    return [file for file in _json_in(path) if kind_of(file) == kind] if path.is_dir() else []


def _json_in(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.json"), *folder.glob("[!.]*/*.json")])[:_LOOKED_AT]


def split_of(name: str) -> str:
    """The split that the name of a file says.

    >>> split_of("v2_OpenEnded_mscoco_val2014_questions.json"), split_of("testdev_balanced_questions.json"), split_of("a.json")
    ('val', 'test', '')
    """
    found = re.search(r"(?<![a-z])(train|val|test)(?:idation|ing|dev|-dev)?(?![a-z])", name.lower())
    return found[1] if found else ""


def numbered(file: Path, name: str, elements: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    """(where it stands, element) of what a file lists."""
    return ((f"{file.name}, {name} {number}", element) for number, element in enumerate(elements, 1))
