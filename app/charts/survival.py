"""Which sizes survive: the share of weights that are kept, over their |w|."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..look.palette import Palette, vertical
from ..look.words import percent
from .bins import Histogram, middles, shown
from .ridges import log_axis

FEW = 30  # the share of fewer weights is noise


@dataclass(frozen=True)
class Survival:
    """One line a modality: how many of its weights of each size are kept; `edges` are those of the bins of |w|.

    `below` and `above` are the shares kept of all weights that magnitude would cut, and of all that it would keep.
    """

    method: str
    edges: np.ndarray
    lines: tuple[Histogram, ...]
    below: float
    above: float

    def title(self) -> str:
        if self.below == 0 and self.above == 1:
            return f"{self.method} keeps what is above its threshold, and nothing below"
        return (
            f"{self.method} keeps {percent(self.below)} of what magnitude would cut, {percent(self.above)} of the rest"
        )

    def describe(self) -> str:
        parts = (f"{line.name}: half are kept from {self._even(line)}" for line in self.lines)
        return f"Lines of the share of weights kept over |w|, one a modality. {self.title()}. {'; '.join(parts)}."

    def _even(self, line: Histogram) -> str:
        x, y, _ = self._points(line)
        return f"|w| = {x[np.argmax(y >= 50)]:.2g} on" if (y >= 50).any() else "no size on"

    def table(self) -> dict[str, list]:
        rows = [(line.name, *point) for line in self.lines for point in zip(*self._points(line), strict=True)]
        columns = {"modality": [r[0] for r in rows], "|w| about": [float(r[1]) for r in rows]}
        return columns | {"weights": [int(r[3]) for r in rows], "kept": [float(r[2]) / 100 for r in rows]}

    def _points(self, line: Histogram) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """|w|, the share kept in per cent, and the number of weights, where there are enough of them."""
        enough = line.total >= min(FEW, max(1, line.total.max(initial=0)))
        total = line.total[enough]
        return middles(self.edges)[enough], 100 * line.kept[enough] / total, total

    def figure(self, palette: Palette) -> go.Figure:
        traces: list[dict[str, Any]] = []
        for line in self.lines:
            x, y, total = self._points(line)
            traces.append(
                dict(
                    type="scatter",
                    mode="lines",
                    name=line.name,
                    x=x,
                    y=y,
                    customdata=total,
                    line=dict(color=palette.of(line.modality), width=3),
                    hovertemplate="|w| around %{x:.2g}: %{y:.1f} % of %{customdata:,} kept<extra>%{fullData.name}</extra>",
                )
            )
        first, last = shown([line.total for line in self.lines])
        layout = dict(
            height=380, showlegend=True, hovermode="closest",
            xaxis=log_axis("|w|", self.edges[[first, last]]),
            yaxis=dict(range=[-2, 104], ticksuffix=" %", title=dict(text="share kept")),
            shapes=[self._threshold(line, palette) for line in self.lines if line.threshold is not None],
        )  # fmt: skip
        return palette.figure(traces, layout)

    def _threshold(self, line: Histogram, palette: Palette) -> dict[str, Any]:
        """A dotted line in the colour of the modality."""
        return vertical(line.threshold, palette) | dict(line=dict(color=palette.of(line.modality), width=2, dash="dot"))
