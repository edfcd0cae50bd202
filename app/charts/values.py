"""A table of fractions as coloured cells: methods by sparsity, criteria by allocation, methods by methods."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import percent, plain

ROW, FRAME = 30, 88


@dataclass(frozen=True)
class ValueGrid:
    """`values[r][c]` (0..1, None where not measured) for row r and column c; one row may be the chosen one.

    `finding` is the title; `best` writes the best value of each column in bold.
    """

    finding: str
    what: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    row_axis: str
    column_axis: str
    chosen: str | None = None
    best: bool = True

    def title(self) -> str:
        return self.finding

    def describe(self) -> str:
        parts = []
        for row, values in zip(self.rows, self.values, strict=True):
            if self.chosen in (None, row):
                cells = (f"{c} {percent(v)}" for c, v in zip(self.columns, values, strict=True) if v is not None)
                parts.append(f"{row}: {', '.join(cells)}")
        return f"Table of {self.what}, {len(self.rows)} {self.row_axis}s by {self.column_axis}. {'; '.join(parts)}."

    def table(self) -> dict[str, list]:
        columns = {column: [row[c] for row in self.values] for c, column in enumerate(self.columns)}
        return {self.row_axis: list(self.rows)} | columns

    def _tops(self) -> list[float | None]:
        """The best value of every column."""
        return [
            max((row[c] for row in self.values if row[c] is not None), default=None) for c in range(len(self.columns))
        ]

    def figure(self, palette: Palette) -> go.Figure:
        tops, ground = self._tops(), [(0.0, palette.surface), (1.0, palette.dense)]

        def text(value: float | None, top: float | None) -> str:
            if value is None:
                return "–"
            said = percent(value).removesuffix(" %")
            bold = f"<b>{said}</b>" if self.best and value == top else said
            return palette.written(bold, ground, min(max(value, 0.0), 1.0))

        trace = dict(
            type="heatmap", z=[[None if v is None else 100 * v for v in row] for row in self.values],
            x=list(map(plain, self.columns)),
            y=[f"<b>{plain(r)}</b>" if r == self.chosen else plain(r) for r in self.rows],
            zmin=0, zmax=100, colorscale=ground, showscale=False, xgap=2, ygap=2,
            text=[[text(v, t) for v, t in zip(row, tops, strict=True)] for row in self.values],
            texttemplate="%{text}", textfont=dict(size=13), hoverongaps=False,
            hovertemplate=f"%{{y}} · %{{x}}<br>{self.what}: %{{z:.1f}} %<extra></extra>",
        )  # fmt: skip
        across = dict(title=dict(text=self.column_axis), showgrid=False, type="category", side="top")
        down = dict(
            title=dict(text=self.row_axis), autorange="reversed", showgrid=False, type="category", ticksuffix=" "
        )
        return palette.figure([trace], dict(height=FRAME + ROW * len(self.rows), xaxis=across, yaxis=down))
