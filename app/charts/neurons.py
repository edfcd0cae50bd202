"""The neurons at one side of a layer that carry most, and how much of each is left."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import percent

ROW, FRAME, SHOWN = 26, 70, 10


@dataclass(frozen=True)
class TopNeurons:
    """Neurons by falling saliency: (index, saliency, share of its weights that is kept), and the saliency of the whole side."""

    side: str
    modality: str
    neurons: tuple[tuple[int, float, float], ...]
    total: float

    @property
    def shown(self) -> tuple[tuple[int, float, float], ...]:
        """Those in the picture; the table has more."""
        return self.neurons[:SHOWN]

    def title(self) -> str:
        index, saliency, kept = self.neurons[0]
        if not self.total:
            return f"No {self.side} carries any saliency"
        left = f"{percent(kept)} of its weights kept" if kept else "no weight left"
        return f"{self.side.capitalize()} {index}: {percent(saliency / self.total)} of the saliency, {left}"

    def describe(self) -> str:
        parts = (f"{self.side} {i}: {s:.3g}, {percent(k)} kept" for i, s, k in self.shown)
        return f"Bars of the saliency of the strongest {self.side} neurons. {'; '.join(parts)}."

    def table(self) -> dict[str, list]:
        return {
            f"{self.side} neuron": [i for i, _, _ in self.neurons],
            "saliency": [f"{s:.4g}" for _, s, _ in self.neurons],
            "share of the saliency": [s / self.total if self.total else 0.0 for _, s, _ in self.neurons],
            "weights kept": [k for _, _, k in self.neurons],
        }

    def figure(self, palette: Palette) -> go.Figure:
        names = [f"{self.side} {i}" for i, _, _ in self.shown]
        text = ["dead" if not k else f"{percent(k)} kept" for _, _, k in self.shown]
        bars = dict(
            type="bar", orientation="h", y=names, x=[s for _, s, _ in self.shown], width=0.7, text=text,
            textposition="inside", insidetextanchor="start", constraintext="none",
            textfont=dict(size=12, color=palette.on(palette.of(self.modality))),
            customdata=[i for i, _, _ in self.shown],
            marker=dict(color=palette.of(self.modality), line=dict(width=0)),
            hovertemplate="<b>%{y}</b>: saliency %{x:.3g}<br>%{text}<br>click: zoom to it<extra></extra>",
        )  # fmt: skip
        across = dict(title=dict(text=f"{self.side} saliency"), rangemode="tozero", nticks=6, fixedrange=True)
        down = dict(autorange="reversed", showgrid=False, type="category", ticksuffix=" ", fixedrange=True)
        return palette.figure([bars], dict(height=FRAME + ROW * len(names), xaxis=across, yaxis=down, dragmode=False))
