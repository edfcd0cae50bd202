"""A weight among its neighbours: how large each is, and which are pruned."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import number
from .picking import targets

CELL = 26


@dataclass(frozen=True)
class Neighbours:
    """A piece of a weight matrix, row by row; `row` and `column` are the weight in the middle.

    `otherwise` counts the cells for which size alone, with as many to go, would have chosen the other way.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    weights: tuple[tuple[float, ...], ...]
    kept: tuple[tuple[bool, ...], ...]
    otherwise: int
    row: int
    column: int

    def title(self) -> str:
        cells = len(self.rows) * len(self.columns)
        gone = sum(not kept for row in self.kept for kept in row)
        told = (
            f"size alone would choose {self.otherwise} of them otherwise" if self.otherwise else "just as by size alone"
        )
        return f"Of {cells} weights around it {gone} are pruned; {told}"

    def describe(self) -> str:
        at = self.rows.index(self.row), self.columns.index(self.column)
        return (
            f"Piece of the weight matrix, outputs {self.rows[0]} to {self.rows[-1]} by inputs {self.columns[0]} to "
            f"{self.columns[-1]}, darker for larger, crossed out where pruned. {self.title()}. The weight in the frame is "
            f"{number(self.weights[at[0]][at[1]])} and {'kept' if self.kept[at[0]][at[1]] else 'pruned'}."
        )

    def table(self) -> dict[str, list]:
        cells = [
            (i, j, w, k)
            for i, ws, ks in zip(self.rows, self.weights, self.kept)
            for j, w, k in zip(self.columns, ws, ks)
        ]
        return {
            "output": [c[0] for c in cells],
            "input": [c[1] for c in cells],
            "weight": [number(c[2]) for c in cells],
            "mask": ["kept" if c[3] else "pruned" for c in cells],
        }

    def figure(self, palette: Palette) -> go.Figure:
        across, down = [str(c) for c in self.columns], [str(r) for r in self.rows]
        cells = dict(
            type="heatmap", x=across, y=down, z=[[abs(w) for w in row] for row in self.weights], zmin=0, showscale=False,
            colorscale=[(0, palette.surface), (1, palette.dense)], xgap=1, ygap=1,
            text=[["" if kept else "×" for kept in row] for row in self.kept], texttemplate="%{text}",
            textfont=dict(size=17, color=palette.pruned), hoverinfo="skip",
        )  # fmt: skip
        spots = [(i, j, w, k) for i, ws, ks in zip(down, self.weights, self.kept) for j, w, k in zip(across, ws, ks)]
        clicks = targets(
            [s[1] for s in spots],
            [s[0] for s in spots],
            [[f"{i},{j}", f"{number(w)}, {'kept' if k else 'pruned'}"] for i, j, w, k in spots],
            CELL - 2,
            "output %{y}, input %{x}: %{customdata[1]}<extra></extra>",
        )
        at = self.rows.index(self.row), self.columns.index(self.column)
        frame = dict(
            type="rect", x0=at[1] - 0.5, x1=at[1] + 0.5, y0=at[0] - 0.5, y1=at[0] + 0.5,
            line=dict(color=palette.pruned, width=3),
        )  # fmt: skip
        layout = dict(
            height=80 + CELL * len(down), shapes=[frame],
            xaxis=dict(type="category", showgrid=False, title=dict(text="input neuron"), tickangle=0),
            yaxis=dict(type="category", showgrid=False, autorange="reversed", title=dict(text="output neuron")),
        )  # fmt: skip
        return palette.figure([cells, clicks], layout)
