"""A folder of pictures for every class, such as ImageNet's; perhaps below train, val and test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..reader import Bad, Reader, Row, register
from ..walk import SPLITS, classes_in, row_of, walk


def recognises(path: Path) -> bool:
    return path.is_dir() and bool(classes_in(path))


def rows(path: Path) -> Iterator[Row | Bad]:
    """Every picture with its class."""
    names = set(classes_in(path))
    for entry in walk(path):
        parts = os.path.relpath(entry.path, path).split(os.sep)
        label = parts[1] if parts[0].lower() in SPLITS and len(parts) > 2 else parts[0]
        if label in names:
            yield row_of(entry, path, label=label.replace("_", " "))
        else:
            yield Bad(os.path.relpath(entry.path, path), "it lies in the folder of no class")


register(Reader("classes", "a folder of pictures for every class", 90, recognises, rows))
