"""Mean ranks with Nemenyi's critical difference: whose bars do not overlap are told apart."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette, see_through
from ..look.words import plain

ROW, FRAME = 28, 112


@dataclass(frozen=True)
class MeanRanks:
    """`ranks` are (method, mean rank), best first, over so many `cells`; those more than `difference` apart are told apart."""

    finding: str
    ranks: tuple[tuple[str, float], ...]
    difference: float
    cells: int
    chosen: str | None = None

    def title(self) -> str:
        return self.finding

    def describe(self) -> str:
        told = ", ".join(f"{name} {rank:.2f}" for name, rank in self.ranks)
        return f"Mean ranks over {self.cells} cells, critical difference {self.difference:.2f}: {told}."

    def table(self) -> dict[str, list]:
        first = self.ranks[0][1]
        return {
            "method": [name for name, _ in self.ranks],
            "mean rank": [round(rank, 2) for _, rank in self.ranks],
            "told apart from the first": ["yes" if rank - first > self.difference else "no" for _, rank in self.ranks],
        }

    def figure(self, palette: Palette) -> go.Figure:
        names = [f"<b>{plain(name)}</b>" if name == self.chosen else plain(name) for name, _ in self.ranks]
        values, half = [rank for _, rank in self.ranks], self.difference / 2
        first = values[0]
        colors = [
            palette.pruned if name == self.chosen else palette.ink if rank - first <= self.difference else palette.muted
            for name, rank in self.ranks
        ]
        bars = [
            dict(
                type="scatter",
                mode="lines",
                x=[rank - half, rank + half],
                y=[name, name],
                hoverinfo="skip",
                line=dict(color=see_through(color, 0.45), width=5),
            )
            for name, rank, color in zip(names, values, colors, strict=True)
        ]
        dots = dict(
            type="scatter",
            mode="markers+text",
            x=values,
            y=names,
            marker=dict(size=11, color=colors),
            text=[f"{rank:.1f}" for rank in values],
            textposition="top center",
            textfont=dict(size=11, color=palette.muted),
            hovertemplate="%{y}: mean rank %{x:.2f}<extra></extra>",
        )
        band = dict(
            type="rect",
            x0=first - half,
            x1=first + half,
            y0=0,
            y1=1,
            yref="paper",
            line=dict(width=0),
            layer="below",
            fillcolor=see_through(palette.muted, 0.12),
        )
        layout = dict(
            height=FRAME + ROW * len(names),
            shapes=[band],
            xaxis=dict(
                title=dict(text="mean rank, 1 is best;<br>bar: half the critical difference to either side"),
                zeroline=False,
                tickvals=list(range(1, len(names) + 1, max(1, round(len(names) / 6)))),
            ),
            yaxis=dict(range=[len(names) - 0.4, -0.8], type="category", ticksuffix=" ", showgrid=False),
        )
        return palette.figure([*bars, dots], layout)
