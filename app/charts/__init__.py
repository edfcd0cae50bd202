"""Charts: frozen data in, figure out. Uses look.

Every chart is a frozen dataclass with `figure(palette)`, `title()` (the finding, one sentence), `describe()` (alternative
text) and `table()` (the same numbers as columns).
"""

from __future__ import annotations

from typing import Protocol

from plotly.graph_objects import Figure

from ..look.palette import DARK, LIGHT, Palette

__all__ = ["DARK", "LIGHT", "Chart", "Palette"]


class Chart(Protocol):
    """What a page needs of a chart."""

    def figure(self, palette: Palette) -> Figure: ...
    def title(self) -> str: ...
    def describe(self) -> str: ...
    def table(self) -> dict[str, list]: ...
