"""What pruned models are able to again, step by step of fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from typing import Any

import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import listed, percent, plain
from .lines import DASHES


@dataclass(frozen=True)
class Recovery:
    """`lines` are (method, ((step, figure), ...)), shares of a task; `dense`: the best of the dense model, tuned alike."""

    task: str
    at: float
    lines: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]
    dense: float | None
    chosen: str

    def title(self) -> str:
        at = f"{self.task} at {percent(self.at)}"
        half = [(step, name) for name, points in self.lines if (step := self._half(points)) is not None]
        if not half:
            return f"{at}: nobody comes half-way to the dense model"
        soonest = min(half)[0]
        first = [name for step, name in half if step == soonest]
        when = f"after {soonest:.0f} steps" if soonest else "before the first step"
        if len(first) == len(self.lines) > 1:
            return f"{at}: all are half-way to the dense model {when}"
        return f"{at}: {listed(first)} {'are' if len(first) > 1 else 'is'} first half-way to the dense model, {when}"

    def _half(self, points: tuple[tuple[float, float], ...]) -> float | None:
        """The step of the first check at half of the dense figure or above."""
        top = self.dense if self.dense is not None else max(v for _, line in self.lines for _, v in line)
        return next((step for step, value in points if value >= top / 2), None)

    def describe(self) -> str:
        ends = "; ".join(f"{name} from {percent(p[0][1])} to {percent(p[-1][1])}" for name, p in self.lines)
        return f"Lines of {self.task} over the steps of fine-tuning: {ends}."

    def table(self) -> dict[str, list]:
        rows = [(name, step, value) for name, points in self.lines for step, value in points]
        return {head: [row[i] for row in rows] for i, head in enumerate(("method", "step", "figure"))}

    def figure(self, palette: Palette) -> go.Figure:
        hues = palette.hues([name for name, _ in self.lines], self.chosen)
        dashes = dict(zip([name for name, _ in self.lines if name != self.chosen], cycle(DASHES[1:]), strict=False))
        traces = [
            dict(
                type="scatter",
                mode="lines+markers",
                name=plain(name),
                x=[s for s, _ in points],
                y=[100 * v for _, v in points],
                line=dict(color=hues[name], width=3 if name == self.chosen else 1.8, dash=dashes.get(name, "solid")),
                marker=dict(size=6),
                hovertemplate=f"{plain(name)}, step %{{x}}: %{{y:.1f}} %<extra></extra>",
            )
            for name, points in self.lines
        ]
        if self.dense is not None:
            traces.append(self._dense(palette))
        layout = dict(
            height=330,
            showlegend=True,
            hovermode="closest",
            xaxis=dict(title=dict(text="steps of fine-tuning"), rangemode="tozero"),
            yaxis=dict(title=dict(text=self.task), ticksuffix=" %", rangemode="tozero"),
        )
        return palette.figure(traces, layout)

    def _dense(self, palette: Palette) -> dict[str, Any]:
        steps = [step for _, points in self.lines for step, _ in points]
        return dict(
            type="scatter",
            mode="lines",
            name="dense",
            x=[min(steps), max(steps)],
            y=[100 * self.dense] * 2,
            line=dict(color=palette.dense, width=1.5),
            hovertemplate="dense, tuned alike, at its best: %{y:.1f} %<extra></extra>",
        )
