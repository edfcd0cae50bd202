"""What each modality loses, against the target and against another method."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette, vertical
from ..look.words import percent


@dataclass(frozen=True)
class ModalityShares:
    """Sparsity per modality, 0..1, of the chosen method and of a rival (None: no rival)."""

    modalities: tuple[str, ...]
    sparsity: tuple[float, ...]
    target: float
    method: str
    rival: str | None = None
    rival_sparsity: tuple[float, ...] = ()

    @property
    def widest(self) -> tuple[str, float]:
        """The modality farthest above the target, and by how much."""
        gaps = {m: s - self.target for m, s in zip(self.modalities, self.sparsity, strict=True)}
        worst = max(gaps, key=lambda m: gaps[m])
        return worst, gaps[worst]

    def title(self) -> str:
        worst, gap = self.widest
        spread = max(self.sparsity) - min(self.sparsity)
        if gap < 0.015 and spread < 0.03:
            return f"{self.method} takes {'' if spread < 0.005 else 'nearly '}the same share of every modality"
        if gap < 0.015:  # of one it takes less, since layers of it are fixed
            least = self.modalities[self.sparsity.index(min(self.sparsity))]
            return f"{self.method} takes {percent(max(self.sparsity))} of {worst} and {percent(min(self.sparsity))} of {least}"
        return f"{self.method} takes {100 * gap:.1f} points more than asked from {worst}"

    def describe(self) -> str:
        parts = [f"{m} {percent(s)}" for m, s in zip(self.modalities, self.sparsity, strict=True)]
        text = f"Bars of sparsity per modality with {self.method}: {', '.join(parts)}; target {percent(self.target)}."
        if self.rival:
            others = [f"{m} {percent(s)}" for m, s in zip(self.modalities, self.rival_sparsity, strict=True)]
            text += f" Diamonds for {self.rival}: {', '.join(others)}."
        return text

    def table(self) -> dict[str, list]:
        columns = {
            "modality": list(self.modalities),
            "target": [self.target] * len(self.modalities),
            self.method: list(self.sparsity),
        }
        return columns | ({self.rival: list(self.rival_sparsity)} if self.rival else {})

    def figure(self, palette: Palette) -> go.Figure:
        names = list(self.modalities)
        bars = dict(
            type="bar", y=names, x=[100 * s for s in self.sparsity], orientation="h", name=self.method, width=0.56,
            showlegend=False,
            marker=dict(color=[palette.of(m) for m in names], line=dict(width=0)),
            text=[percent(s) for s in self.sparsity], textposition="inside", insidetextanchor="start",
            textfont=dict(size=14, color=[palette.on(palette.of(m)) for m in names]),
            hovertemplate=f"%{{y}}: %{{x:.2f}} % pruned by {self.method}<extra></extra>",
        )  # fmt: skip
        rival = dict(
            type="scatter", y=names, x=[100 * s for s in self.rival_sparsity], mode="markers",
            name=f"{self.rival} at the same total", showlegend=True,
            marker=dict(symbol="diamond-open", size=13, color=palette.ink, line=dict(width=2)),
            hovertemplate=f"%{{y}}: %{{x:.2f}} % pruned by {self.rival}<extra></extra>",
        )  # fmt: skip
        target = dict(
            x=100 * self.target, y=1, yref="paper", yanchor="bottom", showarrow=False, text=f"target {percent(self.target)}",
            font=dict(size=12, color=palette.muted),
        )  # fmt: skip
        layout = dict(
            height=118 + 40 * len(names), margin=dict(l=8, r=8, t=26, b=8), annotations=[target],
            showlegend=bool(self.rival), legend=dict(yanchor="top", y=-0.42),
            shapes=[vertical(100 * self.target, palette)],
            xaxis=dict(range=[0, 103], ticksuffix=" %", title=dict(text="share of the modality's weights pruned")),
            yaxis=dict(autorange="reversed", showgrid=False, ticksuffix=" "),
        )  # fmt: skip
        return palette.figure([bars, rival] if self.rival else [bars], layout)
