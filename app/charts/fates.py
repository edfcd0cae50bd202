"""One weight under every method: up to which sparsity each keeps it, and where the slider stands."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette, vertical
from ..look.words import percent

ROW, FRAME = 30, 62
BESIDE = 62  # pixels at the right for the numbers, which no line crosses there


@dataclass(frozen=True)
class Fates:
    """`rows` are (method, critical sparsity 0..1): kept below it, pruned from it on."""

    rows: tuple[tuple[str, float], ...]
    sparsity: float
    chosen: str

    @property
    def ordered(self) -> list[tuple[str, float]]:
        """The longest kept first."""
        return sorted(self.rows, key=lambda row: -row[1])

    def title(self) -> str:
        kept = sum(critical > self.sparsity for _, critical in self.rows)
        how = {0: "no method keeps it", len(self.rows): "every method keeps it"}
        said = how.get(kept, f"{kept} of {len(self.rows)} methods keep it")
        own = dict(self.rows).get(self.chosen)
        return f"At {percent(self.sparsity)} {said}" + (
            "" if own is None else f"; {self.chosen} until {100 * own:.1f} %"
        )

    def describe(self) -> str:
        parts = ", ".join(f"{name} until {100 * critical:.1f} %" for name, critical in self.ordered)
        return f"Bars up to the sparsity at which each method prunes the weight: {parts}. Slider at {percent(self.sparsity)}."

    def table(self) -> dict[str, list]:
        return {
            "method": [name for name, _ in self.ordered],
            "kept until": [critical for _, critical in self.ordered],
            "now": ["kept" if critical > self.sparsity else "pruned" for _, critical in self.ordered],
        }

    def figure(self, palette: Palette) -> go.Figure:
        rows = self.ordered
        names = [f"<b>{name}</b>" if name == self.chosen else name for name, _ in rows]
        bars = dict(
            type="bar", orientation="h", y=names, x=[100 * critical for _, critical in rows], width=0.56,
            marker=dict(color=[palette.pruned if n == self.chosen else palette.muted for n, _ in rows], line=dict(width=0)),
            hovertemplate="%{y}: pruned from %{x:.2f} % on<extra></extra>",
        )  # fmt: skip
        numbers = [
            dict(
                x=1, y=name, xref="paper", xanchor="left", xshift=10, showarrow=False,
                text=f"{100 * critical:.1f} %", font=dict(size=13, color=palette.ink),
            )
            for name, (_, critical) in zip(names, rows, strict=True)
        ]  # fmt: skip
        layout = dict(
            height=FRAME + ROW * len(rows), shapes=[vertical(100 * self.sparsity, palette)], annotations=numbers,
            margin=dict(l=8, r=BESIDE, t=8, b=8),
            xaxis=dict(
                range=[0, 100], ticksuffix=" %", dtick=20,
                title=dict(text="sparsity at which the weight goes"),
            ),
            yaxis=dict(autorange="reversed", showgrid=False, ticksuffix=" ", type="category", title=dict(text="method")),
        )  # fmt: skip
        return palette.figure([bars], layout)
