"""Where the things that should be found stand in the ranking, as the model is pruned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette, vertical
from ..look.words import ordinal, percent, plain
from .said_ladder import Flip, flip

TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class RankLadder:
    """The best place of all that should be found at each of the sparsities, the dense model first, and `lines` for some
    of them, (name, places); places count from 1 to `total`.

    `what` they are, as in "best true picture"; the page shows the first `top`; the slider is at `sparsity`. Before it is
    `complete` it says nothing of where something changes.
    """

    what: str
    method: str
    sparsities: tuple[float, ...]
    best: tuple[int, ...]
    lines: tuple[tuple[str, tuple[int, ...]], ...]
    total: int
    top: int
    sparsity: float
    complete: bool = True

    def within(self, place: int) -> Flip | None:
        """Up to where the best of them is among the first `place`; None where it is not to begin with."""
        if self.best[0] > place:
            return None
        return flip([(s, best <= place) for s, best in zip(self.sparsities, self.best, strict=True)])

    def title(self) -> str:
        one = f"The {self.what}"
        if not self.complete:
            return f"{one} at {len(self.sparsities)} sparsities so far"
        first, top = self.within(1), self.within(self.top)
        if top is None:
            return f"{one} is only {ordinal(self.best[0])} in the dense model, {ordinal(min(self.best))} at best"
        if first is None:
            return (
                f"{one}, {ordinal(self.best[0])} in the dense model, {self._stays(top, f'among the first {self.top}')}"
            )
        if first.first is None:
            return f"{one} {self._stays(first, 'first')}"
        if top.first is None:
            return f"{one} {self._stays(first, 'first')}, among the first {self.top} throughout"
        return f"{one} {self._stays(first, 'first')}, among the first {self.top} up to {percent(top.last)}"

    def _stays(self, change: Flip, where: str) -> str:
        text = f"stays {where} up to {percent(change.last)}"
        if change.first is None:
            return f"stays {where} at every sparsity tried, up to {percent(change.last)}"
        return text + (f" (again at {percent(change.back)})" if change.back is not None else "")

    def describe(self) -> str:
        parts = [f"{ordinal(best)} at {percent(s)}" for s, best in zip(self.sparsities, self.best, strict=True)]
        return f"Line chart of the place of the {self.what} of {self.total} over sparsity: {', '.join(parts)}."

    def table(self) -> dict[str, list]:
        return {"sparsity": list(self.sparsities), self.what: list(self.best)} | {
            f"{n}. {name}": list(places) for n, (name, places) in enumerate(self.lines, start=1)
        }

    def figure(self, palette: Palette) -> go.Figure:
        x = [100 * s for s in self.sparsities]
        traces = [
            dict(
                type="scatter",
                mode="lines",
                x=x,
                y=list(places),
                name=plain(name),
                line=dict(color=palette.muted, width=1.4),
                hovertemplate=f"{plain(name)}: place %{{y}} at %{{x:.0f}} %<extra></extra>",
            )
            for name, places in self.lines
        ]
        best = dict(
            type="scatter", mode="lines+markers", x=x, y=list(self.best), name=self.what,
            line=dict(color=palette.pruned, width=3.5), marker=dict(size=8),
            hovertemplate=f"{self.what}: place %{{y}} at %{{x:.0f}} %<extra></extra>",
        )  # fmt: skip
        shown = [tick for tick in TICKS if tick < self.total] + [self.total]
        limit = dict(
            type="line", x0=0, x1=1, xref="paper", y0=self.top + 0.5, y1=self.top + 0.5,
            line=dict(color=palette.muted, width=1, dash="dash"),
        )  # fmt: skip
        layout = dict(
            height=300, margin=dict(l=8, r=26, t=8, b=8), shapes=[vertical(100 * self.sparsity, palette), limit],
            xaxis=dict(range=[-1.5, 101.5], ticksuffix=" %", tickangle=0, title=dict(text="weights pruned")),
            yaxis=dict(
                type="log", autorange=False, range=[math.log10(self.total * 1.15), math.log10(0.87)], tickvals=shown,
                ticktext=[ordinal(tick) for tick in shown], title=dict(text=f"place of {self.total}"),
            ),
        )  # fmt: skip
        return palette.figure([*traces, best] if len(self.lines) > 1 else [best], layout)
