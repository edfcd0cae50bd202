"""Archives of pictures that visitors upload: unpacked once, by content, into a folder that the oldest leave when it is full.

Their address is `upload-` with the archive's digest, so that a link opens it for somebody else as long as it is kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import IO

from multiflow_core.data.unpack import unpack

from .checkpoints import ROOT

KEPT = 8  # archives
FILES = 5000  # in one
GROWTH = 20  # times the size of the archive that its files may have together
_NAME = re.compile(r"upload-[0-9a-f]{16}")


def folder() -> Path:
    """Where they lie; the environment variable MULTIFLOW_UPLOADS names another place."""
    return Path(os.environ.get("MULTIFLOW_UPLOADS", ROOT / ".uploads"))


def place_of(address: str) -> Path | None:
    """The folder of an uploaded archive; None for what is no address of one. FileNotFoundError where it is gone."""
    if not _NAME.fullmatch(address):
        return None
    place = folder() / address
    if not place.is_dir():
        raise FileNotFoundError("These uploaded pictures are no longer kept here: upload the archive again.")
    inside = list(place.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else place


def keep(file: IO[bytes], most: int) -> str:
    """Unpack an archive, and return its address. ValueError, in a sentence, for one that cannot be used.

    Args:
        most: bytes that it may have.
    """
    data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"archives of up to {most >> 20} MB can be used.")
    address = f"upload-{hashlib.sha256(data).hexdigest()[:16]}"
    place = folder() / address
    if not place.is_dir():
        file.seek(0)
        unpack(file, place, FILES, GROWTH * max(len(data), 1 << 20))
    os.utime(place)
    _make_room()
    return address


def _make_room() -> None:
    """Let the archives go that were used the longest ago."""
    kept = sorted(folder().glob("upload-*"), key=lambda place: place.stat().st_mtime, reverse=True)
    for place in kept[KEPT:]:
        shutil.rmtree(place, ignore_errors=True)
