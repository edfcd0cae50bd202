"""The pictures in a folder and in the folders in it, in the order of their names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .pictures import is_picture
from .reader import Row, Source

SPLITS = {"train", "training", "val", "valid", "validation", "dev", "test", "testing"}
_DEEPEST = 16  # folders in folders; links may go round in circles


def walk(folder: Path, depth: int = _DEEPEST) -> Iterator[os.DirEntry]:
    """Every file that is called like a picture."""
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir() and depth and not entry.name.startswith("."):
            yield from walk(Path(entry.path), depth - 1)
        elif is_picture(entry.name) and entry.is_file():
            yield entry


def row_of(entry: os.DirEntry, root: Path, captions: tuple[str, ...] = (), label: str = "") -> Row:
    """The row of a picture in a folder: of the split that a folder directly in the root is called after, if it is."""
    name = os.path.relpath(entry.path, root)
    first = name.split(os.sep)[0].lower()
    source = Source(os.path.abspath(entry.path), 0, entry.stat().st_size)
    return Row(source.path, source, name, captions, (), label, first if first in SPLITS else "", "", name)


def classes_in(folder: Path) -> list[str]:
    """The folders of a folder that has a folder for every class, below those of splits where there are some; else nothing.

    >>> classes_in(Path("assets/pictures"))
    []
    """
    inside = _folders(folder)
    if inside and all(name.lower() in SPLITS for name in inside):
        found = {name for split in inside for name in _folders(folder / split)}
        return sorted(found) if not any(_holds_pictures(folder / split) for split in inside) and len(found) > 1 else []
    plain = len(inside) > 1 and not _holds_pictures(folder)
    return inside if plain and all(_holds_pictures(folder / name) for name in inside) else []


def _folders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))


def _holds_pictures(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(is_picture(entry.name) for entry in entries)
