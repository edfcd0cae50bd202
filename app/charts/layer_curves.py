"""How the sparsity of every layer grows with that of the whole model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ..look.palette import CLEAR, Palette, vertical
from ..look.words import ordinal, percent
from .layer_bars import GONE


@dataclass(frozen=True)
class LayerCurve:
    """One layer: its sparsity `now`, and at evenly spaced sparsities of the model from 0 to 1; all fractions."""

    key: str
    name: str
    modality: str
    now: float
    sparsity: tuple[float, ...]


@dataclass(frozen=True)
class LayerCurves:
    """One line a layer. `reached` are the model's sparsities at which the layers reach `GONE`, in their order."""

    layers: tuple[LayerCurve, ...]
    reached: tuple[float, ...]
    sparsity: float
    selected: str

    @property
    def chosen(self) -> LayerCurve:
        return next((layer for layer in self.layers if layer.key == self.selected), self.layers[0])

    def title(self) -> str:
        target = dict(zip((layer.key for layer in self.layers), self.reached, strict=True))[self.chosen.key]
        place = 1 + sum(other < target for other in self.reached)
        if not math.isfinite(target):
            return f"{self.chosen.name} stays at {percent(self.chosen.now)}, whatever the target"
        if max(self.reached) - min(self.reached) < 0.005:
            return f"All {len(self.layers)} layers go together: {percent(GONE)} pruned at a target of {percent(target)}"
        return (
            f"{self.chosen.name} is {percent(GONE)} pruned at a target of {percent(target)}, "
            f"{ordinal(place)} of {len(self.layers)}"
        )

    def describe(self) -> str:
        return (
            f"Line chart of the sparsity of {len(self.layers)} layers over the sparsity of the model. {self.title()}; at "
            f"{percent(self.sparsity)} it has lost {percent(self.chosen.now)}."
        )

    def table(self) -> dict[str, list]:
        """The same numbers as columns, every tenth of the way."""
        steps = len(self.chosen.sparsity) - 1
        at = {f"at {percent(tenth / 10)}": steps * tenth // 10 for tenth in range(11)}
        columns = {
            "layer": [layer.name for layer in self.layers],
            "modality": [layer.modality for layer in self.layers],
        }
        return columns | {head: [layer.sparsity[step] for layer in self.layers] for head, step in at.items()}

    def figure(self, palette: Palette) -> go.Figure:
        modalities = dict.fromkeys(layer.modality for layer in self.layers)
        legend = [
            dict(
                type="scatter", mode="lines", x=[None], y=[None], name=name, line=dict(color=palette.of(name), width=4)
            )
            for name in modalities
        ]
        lines = [self._line(layer, palette) for layer in self.layers]
        strong = self._line(self.chosen, palette) | dict(opacity=1)
        strong["line"] = strong["line"] | dict(width=4)
        even = dict(
            type="scatter", mode="lines", x=[0, 100], y=[0, 100], line=dict(color=palette.muted, width=1, dash="dash"),
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        layout = dict(
            height=380, hovermode="closest", margin=dict(l=8, r=26, t=30, b=8), dragmode=False,
            shapes=[vertical(100 * self.sparsity, palette)],
            showlegend=len(modalities) > 1, legend=dict(x=1, xanchor="right"),
            xaxis=dict(
                range=[0, 101], dtick=20, ticksuffix=" %", ticklabelstandoff=CLEAR,
                title=dict(text="weights of the whole model pruned"),
            ),
            yaxis=dict(range=[0, 103], dtick=20, ticksuffix=" %", title=dict(text="weights of the layer pruned")),
        )  # fmt: skip
        return palette.figure([*lines, *legend, even, strong, self._ring(palette), self._dots(palette)], layout)

    def _line(self, layer: LayerCurve, palette: Palette) -> dict[str, Any]:
        return dict(
            type="scatter",
            mode="lines",
            x0=0,
            dx=100 / (len(layer.sparsity) - 1),
            opacity=0.4,
            showlegend=False,
            y=[round(100 * s, 1) for s in layer.sparsity],
            line=dict(color=palette.of(layer.modality), width=0.9),
            hovertemplate=f"<b>{layer.name}</b><br>%{{y}} % at %{{x}} %<extra></extra>",
        )

    def _dots(self, palette: Palette) -> dict[str, Any]:
        """Every layer at the slider's place: what can be clicked. A larger dot would lose the mouse to the lines."""
        return dict(
            type="scatter",
            mode="markers",
            x=[100 * self.sparsity] * len(self.layers),
            showlegend=False,
            y=[round(100 * layer.now, 2) for layer in self.layers],
            customdata=[layer.key for layer in self.layers],
            text=[layer.name for layer in self.layers],
            unselected=dict(marker=dict(opacity=1)),
            marker=dict(size=6, opacity=1, color=[palette.of(layer.modality) for layer in self.layers]),
            hovertemplate="<b>%{text}</b><br>%{y:.1f} % pruned now<extra></extra>",
        )

    def _ring(self, palette: Palette) -> dict[str, Any]:
        """Where the selected layer stands."""
        return dict(
            type="scatter",
            mode="markers",
            x=[100 * self.sparsity],
            y=[100 * self.chosen.now],
            hoverinfo="skip",
            marker=dict(size=14, symbol="circle-open", color=palette.ink, line=dict(width=2)),
            showlegend=False,
        )
