"""What is left of the flow through a block, over all sparsities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ..look.palette import CLEAR, Palette, vertical
from ..look.words import percent


@dataclass(frozen=True)
class Retained:
    """`strong[k]` of the flow between the strongest neurons, and `every[k]` of all flow, is left at sparsity k / last.

    `rival` are the same two lines for another method, or None.
    """

    method: str
    strong: tuple[float, ...]
    every: tuple[float, ...]
    sparsity: float
    rival: tuple[str, tuple[float, ...], tuple[float, ...]] | None = None

    @property
    def at(self) -> int:
        return round(self.sparsity * (len(self.strong) - 1))

    def title(self) -> str:
        strong, every = self.strong[self.at], self.every[self.at]
        if self.at in (0, len(self.strong) - 1):
            return "Everything flows" if self.at == 0 else "Nothing flows any more"
        verb = "outlast the others" if strong > every else "go no later than the others"
        return f"The strongest paths {verb}: {percent(strong)} against {percent(every)} of all flow"

    def describe(self) -> str:
        said = "; ".join(f"{name} {percent(line[self.at])}" for name, line, _ in self._lines())
        return f"Lines of the flow that is left over sparsity. At {percent(self.sparsity)}: {said}."

    def table(self) -> dict[str, list]:
        last = len(self.strong) - 1
        return {"sparsity": [k / last for k in range(last + 1)]} | {name: list(line) for name, line, _ in self._lines()}

    def _lines(self) -> list[tuple[str, tuple[float, ...], str]]:
        """(name, line, its dashes)."""
        own = [(f"{self.method}, strongest", self.strong, "solid"), (f"{self.method}, all flow", self.every, "dot")]
        if self.rival is None:
            return own
        name, strong, every = self.rival
        return [*own, (f"{name}, strongest", strong, "solid"), (f"{name}, all flow", every, "dot")]

    def figure(self, palette: Palette) -> go.Figure:
        last = len(self.strong) - 1
        traces: list[dict[str, Any]] = [
            dict(
                type="scatter",
                mode="lines",
                name=name,
                x=[100 * k / last for k in range(last + 1)],
                y=[100 * v for v in line],
                hovertemplate="%{fullData.name} at %{x:.0f} %: %{y:.1f} % left<extra></extra>",
                line=dict(color=palette.pruned if n < 2 else palette.muted, width=3 if n < 2 else 1.8, dash=dash),
            )
            for n, (name, line, dash) in enumerate(self._lines())
        ]
        layout = dict(
            height=330, showlegend=True, margin=dict(l=8, r=26, t=8, b=8), hovermode="closest",
            shapes=[vertical(100 * self.sparsity, palette)],
            xaxis=dict(range=[0, 100], ticksuffix=" %", ticklabelstandoff=CLEAR, title=dict(text="weights of the model pruned")),
            yaxis=dict(range=[0, 104], ticksuffix=" %", title=dict(text="flow left")),
        )  # fmt: skip
        return palette.figure(traces, layout)
