"""Files and folders that are written whole or not at all. Needs no torch."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: str | os.PathLike) -> Iterator[Path]:
    """A place to write to that becomes the file, or the folder, at the end: nobody ever sees half of it.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "folder" / "a.txt"
    >>> with whole(target) as place:
    ...     _ = place.write_text("hello")
    >>> target.read_text(), [file.name for file in target.parent.iterdir()]
    ('hello', ['a.txt'])

    Whatever is raised inside leaves nothing behind; what the system refused is an OSError, whoever wrote. What a process left
    that was killed, the next one that writes the same thing removes.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    place = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield place
        if place.is_dir() and path.is_dir():
            # into a folder that is there: every file whole, the largest (the weights) last, others stay
            for file in sorted(place.iterdir(), key=lambda file: (file.stat().st_size, file.name)):
                os.replace(file, path / file.name)
        else:
            if place.is_file():
                umask = os.umask(0)
                os.umask(umask)
                place.chmod(0o666 & ~umask)  # some writers make private files; these are for sharing
            os.replace(place, path)
    except OSError:
        raise
    except Exception as error:
        system = _system(error, path)
        if system is None:
            raise
        raise system from error
    finally:
        _remove(place)


def write_text(path: str | os.PathLike, text: str) -> Path:
    """Write a text file whole."""
    with whole(path) as place:
        place.write_text(text, encoding="utf-8")
    return Path(path)


def _system(error: Exception, path: Path) -> OSError | None:
    """What the system said, where a library (safetensors, tokenizers) has made an error of its own kind of it."""
    found = re.search(r"os error (\d+)", str(error))
    return OSError(int(found[1]), os.strerror(int(found[1])), str(path)) if found else None


def _sweep(path: Path) -> None:
    """Remove what processes left that are no more."""
    parts = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.[0-9a-f]{{8}}\.part")
    for entry in os.scandir(path.parent):
        found = parts.fullmatch(entry.name)
        if found and not _alive(int(found[1])):
            _remove(Path(entry.path))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)
