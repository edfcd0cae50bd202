"""Lines are named at their ends, in their colours, and no name lies on another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

LINE = 17  # pixels a name takes
AROUND = 70  # pixels of a chart above and below its axes
LETTER = 9  # pixels, at most
LEADER = 0.04  # of the width: what leads from a line's end to its name
BEFORE = 30  # pixels that this takes at most


class _End(NamedTuple):
    name: str
    x: float
    y: float
    color: str
    strong: bool


class Ends:
    """The ends of lines in a chart so many pixels high, whose axes go up to 100 and to `top`."""

    def __init__(self, height: int, top: float):
        self.gap, self.top = top * LINE / (height - AROUND), top
        self.ends: list[_End] = []

    def add(self, name: str, x: float, y: float, color: str, strong: bool = False) -> None:
        """A line ends at (x, y)."""
        self.ends.append(_End(name, x, y, color, strong))

    @property
    def room(self) -> int:
        """Pixels that the names take at the right of the chart."""
        return BEFORE + LETTER * max((len(end.name) for end in self.ends), default=0)

    def drawn(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Names as annotations, and what leads to them as shapes."""
        ordered = sorted(self.ends, key=lambda end: end.y)
        places = apart([end.y for end in ordered], self.gap, self.top)
        labels = [
            dict(
                x=1 + LEADER, y=y, xref="paper", yref="y", xanchor="left", yanchor="middle", showarrow=False,
                text=f"<b>{end.name}</b>" if end.strong else end.name, font=dict(size=13, color=end.color),
            )
            for end, y in zip(ordered, places, strict=True)
        ]  # fmt: skip
        leaders = [
            dict(
                type="line", x0=end.x / 100, x1=1 + LEADER - 0.005, y0=end.y, y1=y, xref="paper", yref="y",
                line=dict(color=end.color, width=1), opacity=0.5, layer="below",
            )
            for end, y in zip(ordered, places, strict=True)
        ]  # fmt: skip
        return labels, leaders


def apart(values: Sequence[float], gap: float, top: float) -> list[float]:
    """Ascending values, moved as little as need be so that each lies a gap above the last, and all between 0 and the top.

    >>> apart([0, 1, 50], 10, 100), apart([99, 100], 10, 100)
    ([0.0, 10.0, 50.0], [90.0, 100.0])
    """
    found: list[list[float]] = []  # runs that touch: the sum of what their first one would like, and how many they are
    for n, value in enumerate(values):
        found.append([value - n * gap, 1])
        while len(found) > 1 and found[-2][0] / found[-2][1] > found[-1][0] / found[-1][1]:
            total, many = found.pop()
            found[-1][0] += total
            found[-1][1] += many
    starts = [total / many for total, many in found for _ in range(int(many))]
    highest = max(0.0, top - (len(values) - 1) * gap)
    return [float(min(max(start, 0.0), highest)) + n * gap for n, start in enumerate(starts)]
