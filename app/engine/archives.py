"""Archives of pictures that visitors upload: unpacked once, by content, into a folder that the oldest leave when it is full.

Their address is `upload-` with the archive's digest, so that a link opens it for somebody else as long as it is kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from multiflow_core.support.atomic import whole

from .checkpoints import ROOT

KEPT = 8  # archives
FILES = 5000  # in one
GROWTH = 20  # times the size of the archive that its files may have together
_NAME = re.compile(r"upload-[0-9a-f]{16}")
_USED = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".csv", ".tsv", ".json", ".jsonl", ".txt"}


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
    return place


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
        with whole(place) as part:
            part.mkdir()
            _unpack(file, part, GROWTH * max(len(data), 1 << 20))
    os.utime(place)
    _make_room()
    return address


def _unpack(file: IO[bytes], part: Path, most: int) -> None:
    """All files of an archive that can be of use, below one folder, whatever their names say."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if _useful(entry)]
            if not entries:
                raise ValueError("there are no pictures in this archive.")
            if len(entries) > FILES:
                raise ValueError(f"this archive holds {len(entries):,} files; up to {FILES:,} can be used.")
            for entry in entries:
                most -= _write(archive, entry, part, most)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as problem:
        raise ValueError(f"this is no zip archive that can be read ({problem}).") from None


def _useful(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not entry.is_dir() and not hidden and path.suffix.lower() in _USED


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, part: Path, most: int) -> int:
    """One file, in pieces; its size is what comes out, not what the archive says."""
    target = part.joinpath(*(piece for piece in PurePosixPath(entry.filename).parts if piece not in ("/", "..")))
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(entry) as source, target.open("wb") as out:
        while piece := source.read(1 << 20):
            written += len(piece)
            if written > most:
                raise ValueError(f"this archive grows to more than {GROWTH} times its size when it is unpacked.")
            out.write(piece)
    return written


def _make_room() -> None:
    """Let the archives go that were used the longest ago."""
    kept = sorted(folder().glob("upload-*"), key=lambda place: place.stat().st_mtime, reverse=True)
    for place in kept[KEPT:]:
        shutil.rmtree(place, ignore_errors=True)
