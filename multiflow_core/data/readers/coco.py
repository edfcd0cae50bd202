"""COCO captions: images and annotations in one JSON file, captions_val2014.json and the like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import annotations
from ..columns import plain, texts
from ..finder import Finder, root_of
from ..members import members
from ..reader import Bad, Reader, Row, register


def files(path: Path) -> list[Path]:
    """The files of captions: beside those of objects ("instances") they are called so."""
    found = annotations.files(path, annotations.COCO)
    return [file for file in found if "caption" in file.name.lower()] or found


def rows(path: Path) -> Iterator[Row | Bad]:
    """A row for every image, and one for every annotation."""
    finder = Finder(root_of(path))
    for file in files(path):
        split, numbers = annotations.split_of(file.name), {"images": 0, "annotations": 0}
        for key, held in members(file):
            if key in numbers:
                numbers[key] += 1
                place = f"{file.name}, {key[:-1]} {numbers[key]}"
                try:
                    yield _image(held, split, place, finder) if key == "images" else _caption(held, split, place, file)
                except KeyError as error:
                    yield Bad(place, f"it has no {error.args[0]!r}")
                except (TypeError, AttributeError):
                    yield Bad(place, "it is no object of COCO's")
        if not all(numbers.values()):
            lacking = " and no ".join(f"{key!r}" for key, number in numbers.items() if not number)
            raise ValueError(f"{file} is not COCO's: it has no {lacking}.")


def _image(held: dict[str, Any], split: str, place: str, finder: Finder) -> Row | Bad:
    name, key = plain(str(held["file_name"])), plain(str(held["id"]))
    try:
        return Row(f"{split} {key}", finder.called(name), name, split=split, place=place)
    except ValueError as error:
        return Bad(place, str(error))


def _caption(held: dict[str, Any], split: str, place: str, file: Path) -> Row | Bad:
    if "caption" not in held and ("bbox" in held or "category_id" in held):
        raise ValueError(f"{file} has objects (COCO's instances), no captions: give captions_val2014.json or the like.")
    captions, key = texts(held["caption"]), plain(str(held["image_id"]))
    return Row(f"{split} {key}", captions=captions, split=split, place=place) if captions else Bad(place, "it is empty")


register(Reader("coco", "COCO captions", 10, lambda path: bool(files(path)), rows))
