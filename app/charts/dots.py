"""Numbers of several methods, or blocks, as dots on one line each: densities per modality, seconds, overlaps."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette, vertical
from ..look.words import plain

ROW, FRAME = 28, 92
SIZES = (16, 11, 6)  # of the dots of a row, so that one on another leaves a ring of it
CHANCE = "by chance"  # a series of what would be there for no reason: drawn muted


@dataclass(frozen=True)
class Dots:
    """One line a method (or whatever `kind` says), one dot a series: (name, values by row; None where not measured).

    A series that is the name of a modality has its colour, any other that of the pruned model. `target` is a dotted line.
    """

    finding: str
    axis: str
    rows: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    unit: str = ""
    target: float | None = None
    logarithmic: bool = False
    chosen: str | None = None
    kind: str = "method"

    def title(self) -> str:
        return self.finding

    def describe(self) -> str:
        lines = []
        for r, row in enumerate(self.rows):
            cells = (f"{name} {values[r]:.3g}{self.unit}" for name, values in self.series if values[r] is not None)
            lines.append(f"{row}: {', '.join(cells)}")
        return f"Dot plot of {self.axis}. {'; '.join(lines)}."

    def table(self) -> dict[str, list]:
        return {self.kind: list(self.rows)} | {f"{name} ({self.axis})": list(values) for name, values in self.series}

    def figure(self, palette: Palette) -> go.Figure:
        rows = [f"<b>{plain(row)}</b>" if row == self.chosen else plain(row) for row in self.rows]
        colors = palette.modality | {CHANCE: palette.muted}
        edge = dict(width=1, color=palette.background)
        sizes = SIZES if len(self.series) > 1 else (12,)
        traces = [
            dict(
                type="scatter",
                mode="markers",
                name=plain(name),
                x=list(values),
                y=rows,
                marker=dict(
                    size=sizes[min(i, len(sizes) - 1)], color=colors.get(name) or self._marked(palette), line=edge
                ),
                hovertemplate=f"%{{y}} · {plain(name)}: %{{x:.3g}}{self.unit}<extra></extra>",
            )
            for i, (name, values) in enumerate(self.series)
        ]
        across = dict(title=dict(text=self.axis.replace(", ", ",<br>")), ticksuffix=self.unit, side="bottom")
        across |= dict(type="log", dtick=1) if self.logarithmic else dict(rangemode="tozero")
        layout = dict(
            height=FRAME + ROW * len(rows), xaxis=across,
            yaxis=dict(autorange="reversed", type="category", title=dict(text=self.kind), ticksuffix=" "),
            showlegend=len(self.series) > 1,
            shapes=[] if self.target is None else [vertical(self.target, palette)],
        )  # fmt: skip
        return palette.figure(traces, layout)

    def _marked(self, palette: Palette) -> str | list[str]:
        """The pruned model's colour, where a row is chosen for that row alone."""
        if self.chosen is None:
            return palette.pruned
        return [palette.pruned if row == self.chosen else palette.muted for row in self.rows]
