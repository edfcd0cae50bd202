"""All layers in the order of the model, as bars: at a glance, which of them is destroyed first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ..look.palette import Palette, horizontal
from ..look.words import percent
from .blocks import ticks

GONE = 0.9  # the share of its weights without which a layer counts as gone


@dataclass(frozen=True)
class LayerBar:
    """One layer; `key` is what a click hands to the page, `name` what people read."""

    key: str
    name: str
    block: str
    modality: str
    sparsity: float


@dataclass(frozen=True)
class LayerBars:
    """`first` is the layer that reaches `GONE` first, and the target at which it does; None where all do, or unknown."""

    method: str
    layers: tuple[LayerBar, ...]
    target: float
    selected: str
    first: tuple[str, float] | None = None

    @property
    def worst(self) -> LayerBar:
        return max(self.layers, key=lambda layer: layer.sparsity)

    @property
    def even(self) -> bool:
        return self.worst.sparsity - min(layer.sparsity for layer in self.layers) < 0.005

    def title(self) -> str:
        if self.first:
            name, target = self.first
            return f"{self.method} empties {name} first: {percent(GONE)} of it is gone at a target of {percent(target)}"
        if self.even:
            return f"{self.method} takes the same share of every layer: {percent(self.worst.sparsity)}"
        return (
            f"{self.method} takes most of {self.worst.name}: {percent(self.worst.sparsity)} at a target of "
            f"{percent(self.target)}"
        )

    def describe(self) -> str:
        chosen = next((layer for layer in self.layers if layer.key == self.selected), None)
        own = f" The selected layer, {chosen.name}, loses {percent(chosen.sparsity)}." if chosen else ""
        return (
            f"Bars of the sparsity of {len(self.layers)} layers at a target of {percent(self.target)}. {self.title()}. Most "
            f"pruned now: {self.worst.name} with {percent(self.worst.sparsity)}.{own}"
        )

    def table(self) -> dict[str, list]:
        return {
            "layer": [layer.name for layer in self.layers],
            "modality": [layer.modality for layer in self.layers],
            "sparsity": [layer.sparsity for layer in self.layers],
        }

    def figure(self, palette: Palette) -> go.Figure:
        modalities = dict.fromkeys(layer.modality for layer in self.layers)
        places: dict[str, list[int]] = {}
        for i, layer in enumerate(self.layers):
            places.setdefault(layer.block, []).append(i)
        traces = [*(self._bars(modality, palette) for modality in modalities), self._pointer(palette)]
        layout = dict(
            height=280, bargap=0.12, margin=dict(l=8, r=8, t=30, b=8), barmode="overlay", hovermode="closest", dragmode=False,
            shapes=[horizontal(100 * self.target, palette)], annotations=[] if self.even else [self._most(palette)],
            showlegend=True, legend=dict(x=1, xanchor="right"),
            xaxis=dict(
                title=dict(text="layers in the order of the model, by block"), showgrid=False, tickangle=0, fixedrange=True,
                tickvals=[sum(at) / len(at) for at in places.values()], ticktext=ticks(list(places)),
                range=[-0.7, len(self.layers) - 0.3],
            ),
            yaxis=dict(
                title=dict(text="pruned now, %"), range=[0, 112], tickvals=[0, 50, 100], fixedrange=True
            ),
        )  # fmt: skip
        return palette.figure(traces, layout)

    def _bars(self, modality: str, palette: Palette) -> dict[str, Any]:
        own = [(i, layer) for i, layer in enumerate(self.layers) if layer.modality == modality]
        return dict(
            type="bar",
            name=modality,
            x=[i for i, _ in own],
            y=[round(100 * layer.sparsity, 2) for _, layer in own],
            marker=dict(color=palette.of(modality), line=dict(width=0)),
            unselected=dict(marker=dict(opacity=1)),
            customdata=[layer.key for _, layer in own],
            text=[layer.name for _, layer in own],
            textposition="none",
            hovertemplate="<b>%{text}</b><br>%{y:.1f} % pruned<extra></extra>",
        )

    def _pointer(self, palette: Palette) -> dict[str, Any]:
        """A mark over the selected layer."""
        at = [(i, layer) for i, layer in enumerate(self.layers) if layer.key == self.selected]
        name = f"selected: {at[0][1].name}" if at else ""
        return dict(
            type="scatter",
            mode="markers",
            x=[i for i, _ in at],
            y=[100 * layer.sparsity + 5 for _, layer in at],
            marker=dict(symbol="triangle-down", size=13, color=palette.ink),
            hoverinfo="skip",
            name=name,
            showlegend=bool(at),
            cliponaxis=False,
        )

    def _most(self, palette: Palette) -> dict[str, Any]:
        """The name of the layer that has lost most."""
        i = self.layers.index(self.worst)
        left = i < len(self.layers) / 2
        return dict(
            x=i,
            y=100 * self.worst.sparsity,
            text=f"most: {self.worst.name}, {percent(self.worst.sparsity)}",
            showarrow=False,
            xanchor="left" if left else "right",
            yanchor="bottom",
            xshift=8 if left else -8,
            yshift=1,
            font=dict(size=12, color=palette.ink),
        )
