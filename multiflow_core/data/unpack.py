"""A zip of pictures that somebody sends: unpacked whole or not at all, and never beyond its limits."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from ..support.atomic import whole

MOST_FILES, MOST_BYTES = 10_000, 2 << 30
_CHUNK = 1 << 20


def unpack(
    held: str | os.PathLike | IO[bytes], folder: Path, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES
) -> Path:
    """The folder of what a zip holds, which `open` opens: `folder`, or the only one in it.

    >>> import io, tempfile
    >>> file = io.BytesIO()
    >>> with zipfile.ZipFile(file, "w") as made:
    ...     made.writestr("photos/captions.csv", "image,caption")
    >>> found = unpack(file, Path(tempfile.mkdtemp()) / "own")
    >>> found.name, [inside.name for inside in found.iterdir()]
    ('photos', ['captions.csv'])

    ValueError, in a sentence, where it is no zip, is encrypted or damaged, leads out of the folder, or holds too much: what counts
    is what comes out, not what the zip says.
    """
    try:
        with zipfile.ZipFile(held) as packed, whole(folder) as place:
            place.mkdir()
            files = [info for info in packed.infolist() if _wanted(info)]
            if len(files) > most_files:
                raise ValueError(f"The zip holds {len(files):,} files: at most {most_files:,} can be unpacked.")
            left = most_bytes
            for info in files:
                target = place / _inside(info.filename)
                target.parent.mkdir(parents=True, exist_ok=True)
                left -= _copy(packed, info, target, left, most_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise ValueError("The zip is damaged, or is none: pack the pictures again.") from None
    except RuntimeError:
        raise ValueError("The zip is encrypted: pack the pictures without a password.") from None
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _wanted(info: zipfile.ZipInfo) -> bool:
    """Files, and none of those that systems leave behind."""
    name = PurePosixPath(info.filename)
    hidden = any(part.startswith(".") and part != ".." for part in name.parts) or "__MACOSX" in name.parts
    return not info.is_dir() and not hidden and not stat.S_ISLNK(info.external_attr >> 16)


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise ValueError(f"The zip holds {name[:200]!r}, which leads out of its folder: pack the pictures again.")
    return path


def _copy(packed: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, left: int, most: int) -> int:
    """Write one file, and count its bytes as they come."""
    count = 0
    with packed.open(info) as source, target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            count += len(chunk)
            if count > left:
                raise ValueError(f"The zip unpacks to more than {most / 1e6:,.0f} MB: send fewer or smaller pictures.")
            file.write(chunk)
    return count
