"""A folder of pictures for every class, such as ImageNet's; perhaps below train, val and test.

Folders that are called by numbers get their names from a file that says them line by line: "n01440764 tench, Tinca tinca".
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..columns import plain
from ..reader import Bad, Reader, Row, register
from ..walk import SPLITS, classes_in, row_of, walk

_NAMES = ("LOC_synset_mapping.txt", "synset_words.txt", "words.txt", "classes.txt")
_LARGEST = 1 << 24


def recognises(path: Path) -> bool:
    return path.is_dir() and bool(classes_in(path))


def rows(path: Path) -> Iterator[Row | Bad]:
    """Every picture with its class."""
    names = _names(path, classes_in(path))
    for entry in walk(path):
        parts = os.path.relpath(entry.path, path).split(os.sep)
        label = parts[1] if parts[0].lower() in SPLITS and len(parts) > 2 else parts[0]
        if label in names:
            yield row_of(entry, path, label=names[label])
        else:
            yield Bad(os.path.relpath(entry.path, path), "it lies in the folder of no class")


def _names(path: Path, folders: list[str]) -> dict[str, str]:
    """What the class of every folder is called: as a file in the data's folder says, else like the folder."""
    said = {}
    file = next((path / name for name in _NAMES if (path / name).is_file()), None)
    if file:
        lines = file.read_bytes()[:_LARGEST].decode("utf-8-sig", "replace").splitlines()
        said = {parts[0]: plain(parts[1]) for line in lines if len(parts := line.split(maxsplit=1)) == 2}
    short = {folder: said.get(folder, "").partition(",")[0] for folder in folders}
    several = Counter(short.values())  # ImageNet has two kinds of cranes
    return {
        folder: (short[folder] if several[short[folder]] == 1 else said.get(folder)) or folder.replace("_", " ")
        for folder in folders
    }


register(Reader("classes", "a folder of pictures for every class", 90, recognises, rows))
