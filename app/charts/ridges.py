"""Distributions one under the other: how large the weights, or their scores, are, and which of them go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import percent
from .bins import Histogram, median, middles, shown

FRAME, TALLEST, LOW, HIGH = 110, 620, 12, 130  # pixels: around all ridges, all of them, one of them
PEAK = 0.88  # how much of its row a ridge fills
BINS, POINTS = 160, 4800  # at most: as many bins as a screen can show, as many of all ridges as a page should carry
CLEAR = "rgba(0,0,0,0)"
HATCH = dict(shape="/", size=6, solidity=0.32, bgcolor=CLEAR)


@dataclass(frozen=True)
class Ridges:
    """Ridges over one logarithmic axis; `edges` are those of the bins, `axis` and `rows` what the axes show."""

    finding: str
    axis: str
    rows: str
    edges: np.ndarray
    ridges: tuple[Histogram, ...]

    def title(self) -> str:
        return self.finding

    def describe(self) -> str:
        parts = []
        for ridge in self.ridges:
            at = "" if ridge.threshold is None else f", threshold {ridge.threshold:.2g}"
            parts.append(
                f"{ridge.name}: median {median(ridge.total, self.edges):.2g}, {percent(ridge.sparsity)} cut{at}"
            )
        return f"Ridges of {self.axis}, one a {self.rows}; what is cut is hatched. {'; '.join(parts)}."

    def table(self) -> dict[str, list]:
        """The same numbers as columns, eight bins, which are a factor of two, in one row."""
        starts = np.arange(0, len(self.edges) - 1, 8)
        ends = [*self.edges[starts[1:]], self.edges[-1]]
        rows = []
        for ridge in self.ridges:
            bins = [(0.0, 0.0, *ridge.zeros)]
            if len(starts):
                cut, kept = (np.add.reduceat(values, starts) for values in (ridge.cut, ridge.kept))
                bins += zip(self.edges[starts].tolist(), ends, cut.tolist(), kept.tolist(), strict=True)
            rows += [(ridge.name, low, float(high), gone + left, gone) for low, high, gone, left in bins if gone + left]
        heads = (self.rows, "from", "below", "weights", "cut")
        return {head: [row[i] for row in rows] for i, head in enumerate(heads)}

    def figure(self, palette: Palette) -> go.Figure:
        edges, ridges = self._shown()
        row = min(HIGH, max(LOW, TALLEST // max(1, len(ridges))))
        bases = list(range(len(ridges)))[::-1]  # the first ridge on top
        traces = [_legend("kept", palette), _legend("cut", palette, fillpattern=HATCH | dict(fgcolor=palette.muted))]
        for modality in dict.fromkeys(ridge.modality for ridge in ridges):
            own = [(base, ridge) for base, ridge in zip(bases, ridges, strict=True) if ridge.modality == modality]
            color = palette.of(modality)
            traces += _areas(own, edges, color) + [_outline(base, ridge, edges, color) for base, ridge in own]
        traces += _thresholds(bases, ridges, palette)
        font = dict(size=13 if row >= 22 else 11 if row >= 15 else 9, color=palette.ink)
        beside = dict(x=1, xref="paper", xanchor="left", xshift=6, showarrow=False, font=font)
        labels = [
            beside | dict(y=base + 0.35, text=f"{percent(ridge.sparsity)} cut")
            for base, ridge in zip(bases, ridges, strict=True)
        ]
        down = dict(
            range=[-0.12, len(ridges) + 0.02], tickvals=[base + 0.35 for base in bases], ticktext=[r.name for r in ridges],
            ticksuffix=" ", tickfont=font, showgrid=False, zeroline=False, title=dict(text=self.rows),
        )  # fmt: skip
        layout = dict(
            height=FRAME + row * len(ridges), margin=dict(l=8, r=76, t=8, b=8), annotations=labels, showlegend=True,
            legend=dict(itemclick=False, itemdoubleclick=False),
            xaxis=log_axis(self.axis, edges), yaxis=down, hovermode="closest",
        )  # fmt: skip
        return palette.figure(traces, layout)

    def _shown(self) -> tuple[np.ndarray, tuple[Histogram, ...]]:
        """The bins with any visible height, as few as a screen can show."""
        first, last = shown([r.total for r in self.ridges])
        if first == last:
            return np.array([0.1, 1.0]), ()
        starts = np.arange(first, last, -(-(last - first) // min(BINS, POINTS // len(self.ridges))))
        edges = np.append(self.edges[starts], self.edges[last])

        def fewer(values: np.ndarray) -> np.ndarray:
            return np.add.reduceat(values[:last], starts)

        return edges, tuple(replace(r, cut=fewer(r.cut), kept=fewer(r.kept)) for r in self.ridges)


def log_axis(title: str, edges: np.ndarray) -> dict[str, Any]:
    """A logarithmic axis from the first edge to the last, with as many marks as have room."""
    low, high = np.log10(edges[[0, -1]]).tolist()
    return dict(
        type="log",
        title=dict(text=title),
        exponentformat="power",
        range=[low, high],
        dtick=1 if high - low > 3.5 else "D2",
    )


def heights(ridge: Histogram, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How high the cut weights, and all weights, reach: per unit of the logarithmic axis, the peak of all being PEAK."""
    widths = np.diff(np.log(edges))
    scale = PEAK / (np.max(ridge.total / widths, initial=0) or 1) / widths
    return scale * ridge.cut, scale * ridge.total


def _areas(own: list[tuple[int, Histogram]], edges: np.ndarray, color: str) -> list[dict[str, Any]]:
    """The ridges of one modality: hatched at the bottom what is cut, plain above it what is kept; a gap after each."""
    there_and_back = np.r_[middles(edges), middles(edges)[::-1], np.nan]
    x = np.tile(there_and_back, len(own)).astype(np.float32)
    cut, kept = [], []
    for base, ridge in own:
        low, high = (base + height for height in heights(ridge, edges))
        cut.append(np.r_[low, np.full(len(low), float(base)), np.nan])
        kept.append(np.r_[high, low[::-1], np.nan])
    area = dict(
        type="scatter", mode="lines", fill="toself", x=x, line=dict(width=0), showlegend=False, hoverinfo="skip"
    )
    return [
        area | dict(y=np.concatenate(cut).astype(np.float32), fillpattern=HATCH | dict(fgcolor=color)),
        area | dict(y=np.concatenate(kept).astype(np.float32), fillcolor=color, opacity=0.75),
    ]


def _outline(base: int, ridge: Histogram, edges: np.ndarray, color: str) -> dict[str, Any]:
    """The upper edge of a ridge, which tells its numbers where the reader points."""
    share = 100 * ridge.cut / np.maximum(ridge.total, 1)
    return dict(
        type="scatter",
        mode="lines",
        name=ridge.name,
        showlegend=False,
        line=dict(color=color, width=1.5),
        x=middles(edges).astype(np.float32),
        y=(base + heights(ridge, edges)[1]).astype(np.float32),
        customdata=np.stack([ridge.total, share], axis=1).astype(np.float32),
        hovertemplate="around %{x:.2g}: %{customdata[0]:,} weights, %{customdata[1]:.1f} % cut<extra>%{fullData.name}</extra>",
    )


def _thresholds(bases: list[int], ridges: tuple[Histogram, ...], palette: Palette) -> list[dict[str, Any]]:
    """One line through every ridge that has a threshold."""
    known = [(base, r.threshold) for base, r in zip(bases, ridges, strict=True) if r.threshold is not None]
    line = dict(
        type="scatter", mode="lines", name="threshold", x=[x for _, at in known for x in (at, at, None)],
        y=[y for base, _ in known for y in (base - 0.06, base + 0.94, None)], line=dict(color=palette.ink, width=2),
        hovertemplate="threshold %{x:.3g}<extra></extra>", showlegend=True,
    )  # fmt: skip
    return [line] if known else []


def _legend(name: str, palette: Palette, **look: Any) -> dict[str, Any]:
    """An entry of the legend that means all modalities."""
    return dict(
        type="scatter",
        mode="lines",
        x=[None],
        y=[None],
        name=name,
        fill="toself",
        fillcolor=palette.muted,
        line=dict(width=0, color=palette.muted),
        hoverinfo="skip",
        **look,
    )
