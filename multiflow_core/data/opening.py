"""Data by its path: which reader recognises it, and when it has to be read anew."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path

from .album import Album
from .dataset import register_opener
from .pictures import is_picture
from .reader import readers

_OPENING = threading.RLock()


def open_album(name: str) -> Album | None:
    """The data that lies at a path, read again only when its files have changed; None where the name is of no path.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: nothing there can be used.
    """
    if not name:
        return None
    path = Path(name).expanduser()
    reader = next((reader for reader in readers() if reader.recognises(path)), None)
    if reader is None:
        if path.suffix.lower() == ".zip" and path.is_file():
            raise ValueError(f"{name} is a zip: unpack it, and give the folder.")
        if path.exists():
            raise ValueError(f"{name} is no data that can be read: known are {', '.join(r.title for r in readers())}.")
        if len(path.parts) > 1 or path.suffix:
            raise FileNotFoundError(f"There is no file or folder {name!r}.")
        return None
    with _OPENING:  # two that ask at once get the same
        return _album(name, _stamp(path))


@lru_cache(maxsize=4)
def _album(name: str, stamp: int) -> Album:
    path = Path(name).expanduser()
    return Album(name, next(reader for reader in readers() if reader.recognises(path)))


def _stamp(path: Path) -> int:
    """A number that changes when a path, or what lies in it besides pictures, is changed."""
    if not path.exists():
        return 0
    inside = sorted(e.path for e in os.scandir(path) if not is_picture(e.name)) if path.is_dir() else []
    return hash(tuple((place, os.stat(place).st_mtime_ns) for place in (str(path), *inside)))


register_opener(open_album)
