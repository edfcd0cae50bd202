"""By how much what should be found leads over what should not."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette


@dataclass(frozen=True)
class ScoreGaps:
    """The scores of what should be found and of what should not in the dense and in the pruned model, (good, bad) each.

    As in ScoreGaps("best true picture", "best false picture", "OMP at 75 %", (0.7, 0.4), (0.3, 0.35)).
    """

    good: str
    bad: str
    method: str
    dense: tuple[float, float]
    pruned: tuple[float, float]
    score: str = "cosine similarity"

    @property
    def gaps(self) -> tuple[float, float]:
        """The lead in the dense and in the pruned model, of the figures as they are shown; negative where the wrong thing leads."""
        return tuple(round(good, 2) - round(bad, 2) for good, bad in (self.dense, self.pruned))

    def title(self) -> str:
        dense, pruned = (f"{'trails' if gap < 0 else 'leads'} by {abs(gap):.2f}" for gap in self.gaps)
        return f"The {self.good} {dense} in the dense model and {pruned} after pruning"

    def describe(self) -> str:
        sides = (
            f"{name}: {self.good} {good:.2f}, {self.bad} {bad:.2f}"
            for name, (good, bad) in (("dense", self.dense), (self.method, self.pruned))
        )
        return f"Bars of the {self.score} of the {self.good} and of the {self.bad}. {'; '.join(sides)}."

    def table(self) -> dict[str, list]:
        good, bad = zip(self.dense, self.pruned, strict=True)
        rows = {
            "model": ["dense", self.method],
            self.good: [f"{x:.4f}" for x in good],
            self.bad: [f"{x:.4f}" for x in bad],
        }
        return rows | {"lead": [f"{a - b:+.4f}" for a, b in zip(good, bad, strict=True)]}

    def figure(self, palette: Palette) -> go.Figure:
        names = [f"dense  {self.gaps[0]:+.2f}", f"pruned  {self.gaps[1]:+.2f}"]
        colors = [palette.dense, palette.pruned]
        good, bad = zip(self.dense, self.pruned, strict=True)
        line = dict(color=colors, width=2)
        full = self._bars(
            self.good, good, names, dict(color=colors, line=line), [palette.on(c) for c in colors], palette
        )
        hollow = self._bars(self.bad, bad, names, dict(color=palette.background, line=line), palette.ink, palette)
        layout = dict(
            height=260, barmode="group", bargap=0.35, bargroupgap=0.12,
            xaxis=dict(title=dict(text=self.score), rangemode="tozero", zeroline=True),
            yaxis=dict(autorange="reversed", type="category", showgrid=False, ticksuffix="  ", title=dict(text="model and lead")),
        )  # fmt: skip
        return palette.figure([full, hollow], layout)

    def _bars(
        self,
        name: str,
        values: tuple[float, ...],
        names: list[str],
        marker: dict,
        inside: str | list[str],
        palette: Palette,
    ) -> dict:
        return dict(
            type="bar",
            orientation="h",
            name=name,
            x=list(values),
            y=names,
            marker=marker,
            text=[f"{name}: {value:.2f}" for value in values],
            textposition="auto",
            insidetextanchor="start",
            insidetextfont=dict(size=13, color=inside),
            outsidetextfont=dict(size=13, color=palette.ink),
            cliponaxis=False,
            hovertemplate=f"%{{y}}<br>{name}: %{{x:.3f}}<extra></extra>",
        )
