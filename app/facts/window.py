"""The part of a layer's matrix that is looked at, and how a click goes deeper into it. Pure: no streamlit."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from ..state.keys import WINDOW

MOST = (96, 128)  # cells that a screen has room for, down and across
LEAST = (24, 32)  # a window gets no smaller by zooming
ZOOM = 8  # how much narrower a window gets with one click


@dataclass(frozen=True)
class Window:
    """Some consecutive rows (output neurons) and columns (input neurons) of a matrix.

    >>> Window.whole((768, 192)).zoomed(100, 40)
    Window(rows=range(96, 192), columns=range(32, 64))
    >>> str(Window(range(96, 192), range(32, 64)))
    '96-191,32-63'
    """

    rows: range
    columns: range

    def __str__(self) -> str:
        return ",".join(f"{span[0]}-{span[-1]}" for span in self.spans)

    @property
    def spans(self) -> tuple[range, range]:
        """Rows and columns."""
        return self.rows, self.columns

    @property
    def single(self) -> bool:
        """Whether every weight has a cell of its own."""
        return all(len(span) <= most for span, most in zip(self.spans, MOST, strict=True))

    @classmethod
    def whole(cls, shape: tuple[int, ...]) -> Window:
        """The whole of a matrix."""
        return cls(*map(range, shape))

    @classmethod
    def read(cls, text: str, shape: tuple[int, ...]) -> Window | None:
        """The window that `WINDOW` holds, the whole matrix where it holds nothing; None if it reaches beyond the matrix.

        >>> Window.read("0-3,2-2", (4, 4)), Window.read("0-4,2-2", (4, 4)), Window.read("", (2, 3))
        (Window(rows=range(0, 4), columns=range(2, 3)), None, Window(rows=range(0, 2), columns=range(0, 3)))
        """
        if not text:
            return cls.whole(shape)
        ends = (tuple(map(int, part.split("-"))) for part in WINDOW.parse(text).split(","))
        found = cls(*(range(first, last + 1) for first, last in ends))
        return found if found in cls.whole(shape) else None

    def __contains__(self, other: Window) -> bool:
        return all(
            mine.start <= theirs.start and theirs.stop <= mine.stop
            for mine, theirs in zip(self.spans, other.spans, strict=True)
        )

    def zoomed(self, row: int, column: int) -> Window:
        """The block that a click at a weight opens: one of up to 8 x 8 equal ones, of at least 24 x 32 weights."""
        return Window(*(_block(*axis) for axis in zip(self.spans, (row, column), LEAST, strict=True)))

    def trail(self, shape: tuple[int, ...]) -> list[Window]:
        """The windows that lead here from the whole matrix, which is the first; this one is the last.

        >>> [str(step) for step in Window(range(0, 48), range(0, 32)).trail((3072, 768))]
        ['0-3071,0-767', '0-383,0-95', '0-47,0-31']
        """
        steps = [Window.whole(shape)]
        while steps[-1] != self:
            inner = steps[-1].zoomed(self.rows[0], self.columns[0])
            steps.append(inner if self in inner and inner != steps[-1] else self)
        return steps


def _block(span: range, at: int, least: int) -> range:
    """The one of equal parts of a span in which a place lies."""
    parts = min(ZOOM, max(1, len(span) // least))
    edges = [span.start + n * len(span) // parts for n in range(parts + 1)]
    part = bisect_right(edges, at) - 1
    return range(edges[part], edges[part + 1])


def around(span: range, at: int, size: int) -> range:
    """At most `size` consecutive places of a span, with one of them in the middle where that is possible.

    >>> around(range(100), 50, 32), around(range(100), 3, 32), around(range(8), 3, 32)
    (range(34, 66), range(0, 32), range(0, 8))
    """
    size = min(size, len(span))
    first = min(max(span.start, at - size // 2), span.stop - size)
    return range(first, first + size)
