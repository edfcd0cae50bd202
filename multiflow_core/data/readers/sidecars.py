"""Pictures with a text file beside each: a.jpg and a.txt, one caption a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..columns import plain
from ..reader import Bad, Reader, Row, register
from ..walk import row_of, walk

_LARGEST = 1 << 20
_LOOKED_AT = 100  # pictures, until it is clear that there are no texts beside them


def recognises(path: Path) -> bool:
    if not path.is_dir():
        return False
    return any(_beside(entry.path).is_file() for entry, _ in zip(walk(path), range(_LOOKED_AT), strict=False))


def rows(path: Path) -> Iterator[Row | Bad]:
    """Every picture with its captions."""
    for entry in walk(path):
        file = _beside(entry.path)
        try:
            captions = captions_in(file.read_bytes()[:_LARGEST])
        except FileNotFoundError:
            yield Bad(entry.name, f"{file.name} is missing")
        except (OSError, ValueError) as error:
            yield Bad(entry.name, f"{file.name} cannot be read ({error})")
        else:
            yield row_of(entry, path, captions) if captions else Bad(entry.name, f"{file.name} is empty")


def captions_in(held: bytes) -> tuple[str, ...]:
    """The lines of a text file that are not empty; ValueError, as a clause, where it is not encoded as UTF-8.

    >>> captions_in(b"a cat\\r\\n\\none cat")
    ('a cat', 'one cat')
    """
    try:
        lines = held.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError("it is not encoded as UTF-8") from None
    return tuple(text for line in lines if (text := plain(line)))


def _beside(picture: str) -> Path:
    return Path(picture).with_suffix(".txt")


register(Reader("sidecars", "pictures with a text file beside each", 80, recognises, rows))
