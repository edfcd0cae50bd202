"""Why one threshold for all takes more of one modality than of another: the sizes of their weights, sorted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..look.palette import CLEAR, Palette, vertical
from ..look.words import percent
from .ridges import log_axis

FAIR = 0.05  # up to this spread between modalities a common threshold is said to be nearly fair


@dataclass(frozen=True)
class QuantileLines:
    """One line a modality, over the shares 0, 1 %, ... 100 %: `sizes[m][k]` is the |w| at or under which so many lie.

    `common[k]` is the one |w| under which so many of all weights lie, `under[m][k]` the share of each modality under it.
    """

    modalities: tuple[str, ...]
    sizes: tuple[tuple[float, ...], ...]
    common: tuple[float, ...]
    under: tuple[tuple[float, ...], ...]
    target: float

    @property
    def step(self) -> int:
        return round(self.target * (len(self.common) - 1))

    @property
    def taken(self) -> tuple[float, ...]:
        """What the common threshold takes of each modality."""
        return tuple(line[self.step] for line in self.under)

    def title(self) -> str:
        medians = {name: line[len(line) // 2] for name, line in zip(self.modalities, self.sizes, strict=True)}
        small, large = (pick(medians, key=lambda name: medians[name]) for pick in (min, max))
        if medians[small] == 0:
            return f"Half the weights of {small} are exactly zero: this checkpoint was pruned before"
        if len(medians) == 1:
            return f"Half the weights of {small} are smaller than {medians[small]:.2g}"
        if self.step in (0, len(self.common) - 1):
            return f"The median weight of {large} is {medians[large] / medians[small]:.3g} times that of {small}"
        shares = dict(zip(self.modalities, self.taken, strict=True))
        most, least = (pick(shares, key=lambda name: shares[name]) for pick in (max, min))
        if percent(shares[most]) == percent(shares[least]):
            return f"One threshold on size is fair: it takes {percent(shares[most])} of every modality"
        what = (
            "One threshold on size is nearly fair"
            if shares[most] - shares[least] < FAIR
            else "One threshold on size is not fair"
        )
        return f"{what}: it takes {percent(shares[most])} of {most} and {percent(shares[least])} of {least}"

    def describe(self) -> str:
        parts = [
            f"{name}: median {line[len(line) // 2]:.2g}, its own threshold {line[self.step]:.2g}, the common one takes "
            f"{percent(taken)}"
            for name, line, taken in zip(self.modalities, self.sizes, self.taken, strict=True)
        ]
        return (
            f"Above, the sorted |w| of every modality with the common threshold {self.common[self.step]:.2g} for "
            f"{percent(self.target)}; below, how many points more than asked it takes of each. {'; '.join(parts)}."
        )

    def table(self) -> dict[str, list]:
        columns: dict[str, list] = {"share": self._shares(1), "|w| of all": list(self.common)}
        for name, line, taken in zip(self.modalities, self.sizes, self.under, strict=True):
            columns |= {f"|w| of {name}": list(line), f"{name} under |w| of all": list(taken)}
        return columns

    def _shares(self, unit: float) -> list[float]:
        last = len(self.common) - 1
        return [unit * k / last for k in range(last + 1)]

    def figure(self, palette: Palette) -> go.Figure:
        traces = []
        for name, line, under in zip(self.modalities, self.sizes, self.under, strict=True):
            traces += self._modality(name, line, under, palette.of(name), palette)
        common, target = self.common[self.step], 100 * self.target
        dashed = dict(color=palette.ink, width=1.5, dash="dash")
        one = dict(type="line", x0=0, x1=1, xref="paper", y0=common, y1=common, line=dashed)
        layout = dict(
            height=430, showlegend=True, margin=dict(l=8, r=26, t=8, b=8), hovermode="closest",
            shapes=[one] * (common > 0) + [vertical(target, palette)],
            xaxis=dict(
                range=[0, 100], ticksuffix=" %", anchor="y2", ticklabelstandoff=CLEAR,
                title=dict(text="share of the weights, smallest first"),
            ),
            yaxis=log_axis("|w|", self._sizes()) | dict(domain=[0.4, 1]),
            yaxis2=dict(domain=[0, 0.31], title=dict(text="points more<br>than asked"), range=self._points(), nticks=5),
        )  # fmt: skip
        return palette.figure(traces, layout)

    def _sizes(self) -> np.ndarray:
        """The ends of the upper panel: without zeros, and without the last two per cent, which would fill half of it."""
        tail = len(self.common) // 50
        inner = [size for line in self.sizes for size in line[tail : len(line) - tail] if size > 0] or [0.1, 1.0]
        return np.array([min(inner), max(inner)])

    def _points(self) -> list[float]:
        """The range of the lower panel, at least one point to either side."""
        last = len(self.common) - 1
        over = [100 * (taken - k / last) for line in self.under for k, taken in enumerate(line)]
        return [1.15 * min(-1.0, *over), 1.15 * max(1.0, *over)]

    def _modality(
        self, name: str, line: tuple[float, ...], under: tuple[float, ...], color: str, palette: Palette
    ) -> list[dict[str, Any]]:
        """The sorted sizes, where the thresholds meet them, and how far from the asked share the common one takes."""
        shares, taken = self._shares(100), under[self.step]
        thick = dict(type="scatter", mode="lines", line=dict(color=color, width=2.5))
        mark = dict(type="scatter", mode="markers", showlegend=False, cliponaxis=False)
        edge = dict(size=11, color=color, line=dict(color=palette.ink, width=1.5))
        over = [100 * taken - share for taken, share in zip(under, shares, strict=True)]
        return [
            thick
            | dict(
                x=shares,
                y=list(line),
                name=f"{name}: {percent(taken)} under the dashed line",
                hovertemplate=f"%{{x:.0f}} % of {name} lie at or under %{{y:.2g}}<extra></extra>",
            ),
            mark
            | dict(
                x=[100 * taken],
                y=[self.common[self.step]],
                marker=edge,
                hovertemplate=f"One |w| for all takes {percent(taken)} of {name}<extra></extra>",
            ),
            mark
            | dict(
                x=[100 * self.target],
                y=[line[self.step]],
                marker=edge | dict(symbol="diamond"),
                hovertemplate=f"{name} alone would be cut at {line[self.step]:.2g}<extra></extra>",
            ),
            thick
            | dict(
                x=shares,
                y=over,
                yaxis="y2",
                showlegend=False,
                name=name,
                hovertemplate=f"At %{{x:.0f}} % of all weights: %{{y:+.1f}} points of {name}<extra></extra>",
            ),
        ]
