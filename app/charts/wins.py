"""How often each method is first, and how many of these wins are inside the noise."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette, see_through
from ..look.words import plain

ROW, FRAME = 28, 96


@dataclass(frozen=True)
class Wins:
    """`rows` are (method, clear wins, wins inside the noise), most first; `cells`: how many could be won."""

    finding: str
    rows: tuple[tuple[str, int, int], ...]
    cells: int
    chosen: str | None = None

    def title(self) -> str:
        return self.finding

    def describe(self) -> str:
        told = (f"{name} {clear} clearly, {near} inside the noise" for name, clear, near in self.rows)
        return f"Bars of wins, out of {self.cells} cells: {'; '.join(told)}."

    def table(self) -> dict[str, list]:
        heads = ("method", "clear wins", "inside the noise")
        return {head: [row[i] for row in self.rows] for i, head in enumerate(heads)}

    def figure(self, palette: Palette) -> go.Figure:
        names = [f"<b>{plain(name)}</b>" if name == self.chosen else plain(name) for name, _, _ in self.rows]
        looks = (
            ("clear", 1, dict(color=palette.pruned), palette.on(palette.pruned)),
            (
                "inside the noise",
                2,
                dict(color=see_through(palette.pruned, 0.3), line=dict(color=palette.pruned, width=1)),
                palette.ink,  # little more than the page's own ground is behind it
            ),
        )
        traces = [
            dict(
                type="bar",
                orientation="h",
                name=name,
                y=names,
                x=[row[i] for row in self.rows],
                marker=marker,
                text=[row[i] or "" for row in self.rows],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont=dict(color=ink),
                hovertemplate=f"%{{y}}: %{{x}} {name}<extra></extra>",
            )
            for name, i, marker, ink in looks
        ]
        layout = dict(
            height=FRAME + ROW * len(names),
            barmode="stack",
            showlegend=True,
            legend=dict(traceorder="normal"),
            bargap=0.3,
            xaxis=dict(
                title=dict(text=f"first in so many of {self.cells} cells"), rangemode="tozero", dtick=_step(self.cells)
            ),
            yaxis=dict(autorange="reversed", type="category", ticksuffix=" "),
        )
        return palette.figure(traces, layout)


def _step(cells: int) -> int:
    return 1 if cells <= 12 else 2 if cells <= 24 else 5
