"""Where two pruned models differ: the density of every layer in the one minus that in the other."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import percent
from .blocks import ticks

ROW, FRAME = 30, 92
REACH = 30  # points from which on a colour is full, in every picture: so that 2 points always look like 2 points
LABELLED = 20  # more columns than this leave no room for numbers in the cells


@dataclass(frozen=True)
class DifferenceGrid:
    """`first[r][b]` and `second[r][b]` are the densities of role r in block b, 0..1; None where there is no such layer."""

    names: tuple[str, str]
    blocks: tuple[str, ...]
    roles: tuple[str, ...]
    first: tuple[tuple[float | None, ...], ...]
    second: tuple[tuple[float | None, ...], ...]

    def cells(self) -> list[tuple[str, str, float, float]]:
        """(block, role, density in the first, in the second) of every layer."""
        return [
            (block, role, self.first[r][b], self.second[r][b])
            for r, role in enumerate(self.roles)
            for b, block in enumerate(self.blocks)
            if self.first[r][b] is not None
        ]

    def title(self) -> str:
        block, role, a, b = max(self.cells(), key=lambda cell: abs(cell[2] - cell[3]))
        if abs(a - b) < 0.005:
            return f"{self.names[0]} and {self.names[1]} keep the same share of every layer"
        more, shares = (self.names, (a, b)) if a > b else (self.names[::-1], (b, a))
        most, least = (f"{name} keeps {percent(share)}" for name, share in zip(more, shares, strict=True))
        return f"{most} of {block} {role}, {least}: the largest difference"

    def describe(self) -> str:
        return f"Heatmap of {len(self.cells())} layers: density under {self.names[0]} minus {self.names[1]}. {self.title()}."

    def table(self) -> dict[str, list]:
        cells = self.cells()
        columns = ("block", "weight", *self.names) if self.names[0] != self.names[1] else ("block", "weight", "A", "B")
        return {name: [cell[i] for cell in cells] for i, name in enumerate(columns)}

    def figure(self, palette: Palette) -> go.Figure:
        pairs = [list(zip(*rows, strict=True)) for rows in zip(self.first, self.second, strict=True)]
        points = [[None if a is None else 100 * (a - b) for a, b in row] for row in pairs]
        hover = [["" if a is None else f"A {percent(a)}, B {percent(b)}" for a, b in row] for row in pairs]
        labels = [["" if v is None else _said(v, palette) for v in row] for row in points]
        labelled = len(self.blocks) <= LABELLED
        trace = dict(
            type="heatmap", z=points, x=list(self.blocks), y=list(self.roles), zmin=-REACH, zmax=REACH,
            colorscale=palette.divergence, customdata=hover, xgap=2, ygap=2, hoverongaps=False,
            text=labels if labelled else None, texttemplate="%{text}", textfont=dict(size=12), showscale=not labelled,
            colorbar=dict(title=dict(text="points"), thickness=10, outlinewidth=0, len=1.0, ticksuffix=""),
            hovertemplate="<b>%{x} · %{y}</b><br>%{z:+.1f} points<br>%{customdata}<extra></extra>",
        )  # fmt: skip
        across = dict(
            title=dict(text="block, in the order in which the signal passes"),
            showgrid=False,
            type="category",
            tickangle=0,
            tickvals=list(self.blocks),
            ticktext=ticks(self.blocks),
        )
        down = dict(title=dict(text="weight matrix"), autorange="reversed", showgrid=False, ticksuffix=" ")
        return palette.figure([trace], dict(height=FRAME + ROW * len(self.roles), xaxis=across, yaxis=down))


def _said(points: float, palette: Palette) -> str:
    share = min(max((points + REACH) / (2 * REACH), 0.0), 1.0)
    return palette.written(_signed(points), palette.divergence, share)


def _signed(points: float) -> str:
    """A whole number with its sign, where it is one.

    >>> _signed(10.2), _signed(-5.0), _signed(-0.3)
    ('+10', '−5', '0')
    """
    return f"{points:+.0f}".replace("-", "−") if round(points) else "0"
