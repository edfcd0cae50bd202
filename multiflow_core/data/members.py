"""JSON files of any size, one element of their lists at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

CHUNK = 1 << 18
LARGEST = 1 << 24  # characters of one element
_SPACE = " \t\n\r"
_AFTER = tuple(f"{_SPACE},:]}}")  # what ends a number: without it, the file may go on with its digits


def members(path: Path) -> Iterator[tuple[str, Any]]:
    """(key, value) of the object in a file, and (key, element) for every element of the lists in it; of a list ("", element).

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.json"
    >>> _ = path.write_text('{"info": {"year": 2014}, "images": [{"id": 1}, {"id": 2}]}')
    >>> list(members(path))
    [('info', {'year': 2014}), ('images', {'id': 1}), ('images', {'id': 2})]

    No more than one element is in memory at a time. ValueError, in a sentence, where the file is no JSON.
    """
    with path.open(encoding="utf-8-sig") as file:
        try:
            yield from _Text(file).members()
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is no readable JSON: {_said(error)}.") from None


def _said(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not encoded as UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


class _Text:
    """The text of a file from where it is read on."""

    def __init__(self, file: TextIO):
        self.file, self.text, self.at, self.lines, self.ended = file, "", 0, 1, False
        self.decode = json.JSONDecoder().raw_decode

    def members(self) -> Iterator[tuple[str, Any]]:
        if self.peek() == "[":
            yield from (("", element) for element in self.elements())
        elif self.peek() == "{":
            for key in self.keys():
                if self.peek() == "[":
                    yield from ((key, element) for element in self.elements())
                else:
                    yield key, self.value()
        else:
            raise self.wrong("neither a list nor an object begins it")
        if self.peek():
            raise self.wrong("more follows after its end")

    def keys(self) -> Iterator[str]:
        """The keys of an object; the value after each is read by whoever asks."""
        for _ in self.separated("{", "}"):
            key = self.value()
            if not isinstance(key, str):
                raise self.wrong("a key is no text")
            self.take(":")
            yield key

    def elements(self) -> Iterator[Any]:
        return (self.value() for _ in self.separated("[", "]"))

    def separated(self, first: str, last: str) -> Iterator[None]:
        self.take(first)
        if self.peek() != last:
            yield
            while self.peek() == ",":
                self.take(",")
                yield
        self.take(last)

    def peek(self) -> str:
        """The next character that is no space, "" at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in _SPACE:
                self.at += 1
            if self.at < len(self.text) or not self.more(CHUNK):
                return self.text[self.at : self.at + 1]

    def take(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise self.wrong(f"{wanted!r} is missing")
        self.at += 1

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                found, end = self.decode(self.text, self.at)
                if self.text[end : end + 1] in _AFTER or self.ended or len(self.text) - self.at > LARGEST:
                    self.at = end
                    return found
            except json.JSONDecodeError as error:
                if self.ended or len(self.text) - self.at > LARGEST:
                    raise self.wrong(error.msg[:1].lower() + error.msg[1:], error.pos) from None
            self.more(max(CHUNK, len(self.text) - self.at))  # twice as much each time: no text is read often

    def more(self, count: int) -> bool:
        """Let go of what is read, and read on; False at the end."""
        added = self.file.read(count)
        self.lines += self.text.count("\n", 0, self.at)
        self.text, self.at, self.ended = self.text[self.at :] + added, 0, not added
        return bool(added)

    def wrong(self, what: str, at: int | None = None) -> ValueError:
        line = self.lines + self.text.count("\n", 0, self.at if at is None else at)
        return ValueError(f"line {line}, {what}")
