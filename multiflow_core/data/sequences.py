"""Pictures, and pairs of picture and text, that are opened when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import overload

from PIL.Image import Image

from . import pictures
from .reader import Reader, Source

KEPT = 64  # pictures that were opened last


@lru_cache(maxsize=KEPT)
def _opened(reader: Reader, source: Source, side: int) -> Image:
    try:
        return pictures.opened(reader.read(source), side)
    except (OSError, ValueError) as error:
        raise ValueError(f"The picture {source.path} cannot be opened any more: it {error}.") from None


@dataclass(frozen=True)
class Pictures(Sequence[Image]):
    """Pictures that are opened when they are asked for; the last few stay."""

    reader: Reader
    sources: tuple[Source, ...]
    side: int

    def __len__(self) -> int:
        return len(self.sources)

    @overload
    def __getitem__(self, at: int) -> Image: ...

    @overload
    def __getitem__(self, at: slice) -> Pictures: ...

    def __getitem__(self, at):
        if isinstance(at, slice):
            return Pictures(self.reader, self.sources[at], self.side)
        return _opened(self.reader, self.sources[at], self.side)


@dataclass(frozen=True)
class Pairs(Sequence[tuple[Image, str]]):
    """Pictures that are opened when they are asked for, with a text each; a part of them is opened at once."""

    pictures: Pictures
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, at):
        if isinstance(at, slice):
            return list(zip(self.pictures[at], self.texts[at], strict=True))
        return self.pictures[at], self.texts[at]
