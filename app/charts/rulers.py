"""Where one weight stands: its size, its neurons and its score, each on a ruler from the lowest of all to the highest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import percent

ROW, FRAME = 50, 74
SHADE = 0.17  # of a row, up and down: as high as the marks, so that no edge runs through what is written above them


class Ruler(NamedTuple):
    """One ruler: `share` of all come before, 0..1; `note` is written beside the mark; `rivals` are those that the cut divides."""

    name: str
    share: float
    note: str
    rivals: bool = False
    used: bool = True


@dataclass(frozen=True)
class Rulers:
    """`cut` is the share of the rivals that is pruned; rulers that the method does not look at are drawn pale."""

    rulers: tuple[Ruler, ...]
    cut: float
    kept: bool

    def title(self) -> str:
        size, score = (
            next(r for r in self.rulers if r.rivals and last == (r is self.rulers[-1])) for last in (False, True)
        )
        said, cut = percent(score.share), percent(self.cut)
        if said == cut:  # and yet it stays, or goes, by a little
            said, cut = f"{100 * score.share:.2f} %", f"{100 * self.cut:.2f} %"
        return f"By size {percent(size.share)} of its rivals go before it, by score {said}; {cut} have to go"

    def describe(self) -> str:
        parts = "; ".join(f"{r.name}: after {percent(r.share)} ({r.note})" for r in self.rulers)
        return f"Rulers from lowest to highest. {parts}. The lowest {percent(self.cut)} are pruned: the weight is " + (
            "kept." if self.kept else "pruned."
        )

    def table(self) -> dict[str, list]:
        return {
            "what": [r.name for r in self.rulers],
            "share before it": [float(r.share) for r in self.rulers],
            "place": [r.note for r in self.rulers],
            "part of the score": ["yes" if r.used else "no" for r in self.rulers],
        }

    def figure(self, palette: Palette) -> go.Figure:
        names = [r.name for r in self.rulers]
        marks = dict(
            type="scatter", mode="markers+text", x=[100 * r.share for r in self.rulers], y=names,
            marker=dict(
                size=17, color=[palette.pruned if r.used else palette.muted for r in self.rulers],
                opacity=[1.0 if r.used else 0.45 for r in self.rulers], line=dict(width=2, color=palette.background),
            ),
            text=[r.note for r in self.rulers], textfont=dict(size=13, color=palette.ink),
            textposition=[_beside(r.share) for r in self.rulers],
            hovertemplate="%{y}: after %{x:.1f} %<extra></extra>", cliponaxis=False,
        )  # fmt: skip
        lines = [
            dict(type="line", x0=0, x1=100, y0=name, y1=name, line=dict(color=palette.line, width=5), layer="below")
            for name in names
        ]
        layout = dict(
            height=FRAME + ROW * len(names), margin=dict(l=8, r=26, t=8, b=8), shapes=[*lines, *self._cut(palette)],
            xaxis=dict(
                range=[-2, 102], ticksuffix=" %", dtick=20, showgrid=False, zeroline=False,
                title=dict(text="share that comes before it, the lowest first"),
            ),
            yaxis=dict(
                autorange="reversed", showgrid=False, ticksuffix="  ", type="category", title=dict(text="")
            ),
        )  # fmt: skip
        return palette.figure([marks], layout)

    def _cut(self, palette: Palette) -> list[dict]:
        """What goes, on the rulers of those that the cut divides: shaded up to it."""
        shaded = dict(type="rect", x0=0, x1=100 * self.cut, line=dict(width=0), fillcolor=palette.pruned, opacity=0.22)
        return [shaded | dict(y0=n - SHADE, y1=n + SHADE, layer="below") for n, r in enumerate(self.rulers) if r.rivals]


def _beside(share: float) -> str:
    """Above the mark, and never beyond the ends of the ruler."""
    return f"top {'right' if share < 0.2 else 'left' if share > 0.8 else 'center'}"
