"""Karpathy's splits of COCO and Flickr30k (dataset_coco.json, dataset_flickr30k.json): restval counts as train, as in the field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import annotations
from ..columns import one, texts
from ..finder import Finder, root_of
from ..members import members
from ..reader import Bad, Reader, Row, register


def files(path: Path) -> list[Path]:
    return annotations.files(path, annotations.KARPATHY)


def rows(path: Path) -> Iterator[Row | Bad]:
    """A row for every image."""
    finder = Finder(root_of(path))
    for file in files(path):
        images = (held for key, held in members(file) if key == "images")
        for place, held in annotations.numbered(file, "image", images):
            try:
                yield _row(held, place, finder)
            except ValueError as error:
                yield Bad(place, str(error))


def _row(held: Any, place: str, finder: Finder) -> Row:
    if not isinstance(held, dict) or not (name := one(held.get("filename"))):
        raise ValueError("it has no 'filename'")
    captions = texts(held.get("sentences"))
    if not captions:
        raise ValueError("it has no sentences")
    folder = one(held.get("filepath"))
    source = finder.find(*([f"{folder}/{name}"] if folder else []), name)
    return Row(source.path, source, name, captions, split=one(held.get("split")), place=place)


register(Reader("karpathy", "Karpathy's splits", 8, lambda path: bool(files(path)), rows))
