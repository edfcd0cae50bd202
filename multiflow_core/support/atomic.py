"""Files that are written whole or not at all. Needs no torch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: str | os.PathLike) -> Iterator[Path]:
    """A place to write to that becomes the file at the end: a reader sees the old one or the whole new one.

    >>> target = Path(tempfile.mkdtemp()) / "folder" / "a.txt"
    >>> with whole(target) as place:
    ...     _ = place.write_text("hello")
    >>> target.read_text(), [file.name for file in target.parent.iterdir()]
    ('hello', ['a.txt'])
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        yield Path(temporary)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes private files; these are for sharing
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def write_text(path: str | os.PathLike, text: str) -> Path:
    """Write a text file whole."""
    with whole(path) as place:
        place.write_text(text, encoding="utf-8")
    return Path(path)
