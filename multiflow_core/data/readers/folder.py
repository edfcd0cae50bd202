"""A folder of pictures, with nothing said of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..reader import Bad, Reader, Row, register
from ..walk import row_of, walk


def rows(path: Path) -> Iterator[Row | Bad]:
    """Every picture in it, and in the folders in it."""
    found = False
    for entry in walk(path):
        found = True
        yield row_of(entry, path)
    if not found:
        raise ValueError(f"{path} holds no pictures, and no file that says something of some.")


register(Reader("folder", "a folder of pictures", 100, Path.is_dir, rows))
