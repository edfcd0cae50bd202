"""Where the pictures lie that a table or an annotation file names."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from pathlib import Path

from .pictures import SUFFIXES
from .reader import Source

_NOTES = {
    "annotation",
    "annotations",
    "captions",
    "questions",
    "labels",
    "metadata",
}  # folders beside those of pictures
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_MOST_FOLDERS = 64


def root_of(path: Path) -> Path:
    """The folder of the data that a path is about: the folder itself, or the one around a file.

    >>> root_of(Path("coco/annotations/captions_val2014.json")).name
    'coco'
    """
    if path.is_dir():
        return path
    return path.parent.parent if path.parent.name.lower() in _NOTES else path.parent


class Finder:
    """Finds pictures by the names that files give them: below the data's folder, and nowhere else.

    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> (root / "images").mkdir()
    >>> _ = (root / "images" / "a.jpg").write_bytes(b"...")
    >>> Finder(root).find("a.jpg").length
    3
    >>> Finder(root).find("../../etc/passwd")
    Traceback (most recent call last):
    ValueError: ../../etc/passwd lies outside of the data's folder
    """

    def __init__(self, root: Path, *first: Path):
        self.root = os.path.abspath(root)
        self._bases = list(dict.fromkeys(os.path.abspath(base) for base in (*first, root, *_folders(root))))

    def find(self, *names: str) -> Source:
        """The picture that any of the names leads to; ValueError, as a clause about the first name, where none does."""
        inside = False
        for name in names:
            if _ADDRESS.match(name):
                raise ValueError(f"{name[:200]} is an address: pictures are read from files")
            for base in self._bases:
                path = os.path.normpath(os.path.join(base, name))
                if path.startswith(self.root + os.sep):
                    inside = True
                    if found := _file(path):
                        return found
        raise ValueError(f"{names[0][:200]} " + ("is missing" if inside else "lies outside of the data's folder"))

    def called(self, name: str) -> Source:
        """A picture by the name that a person wrote: perhaps without its ending, in the way of Windows or with other accents."""
        plain = name.replace("\\", "/")
        if not plain.isascii():
            return self.find(name, *(unicodedata.normalize(form, plain) for form in ("NFC", "NFD")))
        ends = plain.lower().endswith(SUFFIXES)
        return self.find(
            name, *(() if plain == name else (plain,)), *(() if ends else (plain + s for s in SUFFIXES[:4]))
        )


def _folders(root: Path) -> list[Path]:
    """The folders in a folder, and those in them; not more than a few, since every one is looked into for every picture."""
    found: list[Path] = []
    for place in (root, *_inside(root)):
        found += [folder for folder in _inside(place) if folder not in found]
    return found[:_MOST_FOLDERS]


def _inside(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(Path(e.path) for e in entries if e.is_dir() and not e.name.startswith("."))[:_MOST_FOLDERS]


def _file(path: str) -> Source | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # not there, or no possible name
        return None
    return Source(path, 0, found.st_size) if stat.S_ISREG(found.st_mode) else None
