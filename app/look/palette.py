"""One visual language: a colour has one meaning everywhere, in light and in dark, also for colour-blind eyes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import plotly.graph_objects as go

FONT = '"Source Sans", "Source Sans Pro", "Helvetica Neue", Arial, sans-serif'
# that no chart writes itself
_TAG = re.compile(r'<(?=/?[a-z])(?!/?(?:b|br|i|sup|extra)>|/span>|span style="color:#[0-9a-f]{6}">)', re.IGNORECASE)


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as #rrggbb.

    `modality` colours name vision, text and fusion; `dense` and `pruned` the two models; `sparsity` runs from nothing
    pruned (next to the background) to everything pruned, through the colour of the pruned model; `true` and `false` mark
    what is right and wrong, always together with a sign; `versus` is what only the chosen method, or only another one, keeps,
    and so runs A and B; `action` is the ground of white words on a button. `beside` tells apart methods that stand beside the
    chosen one, in hues that mean nothing else.
    """

    name: str
    background: str
    surface: str
    ink: str
    muted: str
    line: str
    dense: str
    pruned: str
    action: str
    true: str
    false: str
    versus: tuple[str, str]
    modality: dict[str, str]
    beside: tuple[str, ...]
    sparsity: tuple[str, ...]

    def of(self, modality: str) -> str:
        """The colour of a modality; layers of no known one are drawn muted."""
        return self.modality.get(modality, self.muted)

    def on(self, color: str) -> str:
        """The colour of words on a ground of this colour: dark on light, light on dark.

        >>> LIGHT.on("#e08214"), LIGHT.on("#4a5368")
        ('#000000', '#ffffff')
        """
        dark, light = "#000000", "#ffffff"
        ground = _luminance(color)
        return dark if (ground + 0.05) / (_luminance(dark) + 0.05) > (1.05) / (ground + 0.05) else light

    def hues(self, names: Iterable[str], chosen: str) -> dict[str, str]:
        """The colour of every method's line: that of the pruned model for the chosen one.

        >>> LIGHT.hues(["OMP", "MULTIFLOW"], "MULTIFLOW") == {"OMP": LIGHT.beside[0], "MULTIFLOW": LIGHT.pruned}
        True
        """
        others = [name for name in dict.fromkeys(names) if name != chosen]
        hues = {name: self.beside[i % len(self.beside)] for i, name in enumerate(others)}
        return hues | {chosen: self.pruned}

    def written(self, text: str, scale: Sequence[tuple[float, str]], share: float) -> str:
        """Words for a cell whose ground is this share of the way along a scale of Plotly's.

        >>> LIGHT.written("7", [(0.0, "#ffffff"), (1.0, "#000000")], 0.9)
        '<span style="color:#ffffff">7</span>'
        """
        below = max((part for part in scale if part[0] <= share), default=scale[0])
        above = min((part for part in scale if part[0] >= share), default=scale[-1])
        way = (share - below[0]) / (above[0] - below[0]) if above[0] > below[0] else 0.0
        return f'<span style="color:{self.on(_between(below[1], above[1], way))}">{text}</span>'

    @property
    def scale(self) -> list[tuple[float, str]]:
        """The sparsity scale as Plotly wants it."""
        last = len(self.sparsity) - 1
        return [(i / last, color) for i, color in enumerate(self.sparsity)]

    @property
    def divergence(self) -> list[tuple[float, str]]:
        """From what only another method keeps, through agreement, to what only the chosen one keeps, as Plotly wants it."""
        own, other = self.versus
        return [(0.0, other), (0.5, self.surface), (1.0, own)]

    def amounts(self, modality: str) -> list[tuple[float, str]]:
        """From little to much of what is measured in a modality, through its colour towards the ink, as Plotly wants it."""
        color = self.of(modality)
        return [(0.0, self.surface), (0.55, color), (1.0, _between(color, self.ink, 0.7))]

    def figure(self, traces: list[dict[str, Any]], layout: dict[str, Any]) -> go.Figure:
        """A figure in this look. Built in one go: changing a figure afterwards takes Plotly ten times as long."""
        return go.Figure(data=_tame(traces), layout={"template": self.template} | _tame(layout))

    @cached_property
    def template(self) -> go.layout.Template:
        """The look shared by all figures."""
        axis = dict(
            gridcolor=self.line, linecolor=self.line, automargin=True, zerolinecolor=self.line, tickcolor=self.line,
            title=dict(font=dict(color=self.muted, size=13), standoff=8), tickfont=dict(color=self.ink, size=13),
        )  # fmt: skip
        return go.layout.Template(
            layout=go.Layout(
                font=dict(family=FONT, color=self.ink, size=14),
                paper_bgcolor=self.background,  # not see-through: a saved chart keeps its ground
                plot_bgcolor=self.background,
                colorway=[self.dense, self.pruned],
                xaxis=axis,
                yaxis=axis,
                margin=dict(l=8, r=8, t=8, b=8),
                legend=dict(orientation="h", yanchor="bottom", y=1.0, x=0),  # on top, where a chart has one
                hoverlabel=dict(bgcolor=self.surface, bordercolor=self.line, font=dict(color=self.ink, family=FONT)),
                showlegend=False,
            )
        )


def _tame(part: Any) -> Any:
    """A part of a figure in which no tag works that charts do not write themselves: a link in a name stays a name."""
    if isinstance(part, str):
        return _TAG.sub("&lt;", part) if "<" in part else part
    if isinstance(part, dict):
        return {name: value if name == "customdata" else _tame(value) for name, value in part.items()}
    if isinstance(part, list | tuple) and any(isinstance(one, str | dict | list | tuple) for one in part):
        return [_tame(one) for one in part]
    return part


CLEAR = 8  # pixels from an axis to the numbers below it, where one at its left begins at the same corner


def vertical(x: float, palette: Palette, axis: str = "x", across: str = "paper") -> dict[str, Any]:
    """A dotted line from bottom to top at x: where the slider stands."""
    line = dict(color=palette.ink, width=1.5, dash="dot")
    return dict(type="line", x0=x, x1=x, y0=0, y1=1, xref=axis, yref=across, line=line)


def horizontal(y: float, palette: Palette) -> dict[str, Any]:
    """A dotted line from side to side at y: a target."""
    line = dict(color=palette.ink, width=1.5, dash="dot")
    return dict(type="line", x0=0, x1=1, y0=y, y1=y, xref="paper", yref="y", line=line)


def see_through(color: str, opacity: float) -> str:
    """A colour through which one sees what lies under it.

    >>> see_through("#7b3fc6", 0.5)
    'rgba(123,63,198,0.5)'
    """
    return f"rgba({','.join(map(str, bytes.fromhex(color[1:])))},{opacity:g})"


def _luminance(color: str) -> float:
    """Relative luminance, 0 (black) to 1 (white), as contrast is measured on the web (WCAG 2)."""
    parts = (x / 255 for x in bytes.fromhex(color[1:]))
    linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(weight * x for weight, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _between(a: str, b: str, share: float) -> str:
    """The colour that lies this share of the way from a to b.

    >>> _between("#000000", "#ff8000", 0.5)
    '#804000'
    """
    ends = zip(bytes.fromhex(a[1:]), bytes.fromhex(b[1:]), strict=True)
    return f"#{bytes(round(x + share * (y - x)) for x, y in ends).hex()}"


LIGHT = Palette(
    name="light",
    background="#ffffff",
    surface="#f5f5f8",
    ink="#1f2330",
    muted="#5c6375",
    line="#dfe1e8",
    dense="#4a5368",
    pruned="#7b3fc6",
    action="#7b3fc6",
    true="#15803d",
    false="#c62828",
    versus=("#007898", "#7a5c14"),
    modality={"vision": "#2f8fd3", "text": "#e08214", "fusion": "#b83a86"},
    beside=("#174f8f", "#6b1424", "#137a72", "#7c7f0a", "#ba4866", "#55792a"),
    sparsity=("#f4f3f7", "#dfd5f0", "#c2abe6", "#a17fd9", "#7b3fc6", "#5a2699", "#3a1268", "#1f0640"),
)
DARK = Palette(
    name="dark",
    background="#14151b",
    surface="#1f212a",
    ink="#ebedf3",
    muted="#a4abbd",
    line="#343846",
    dense="#c3cad9",
    pruned="#a97df0",
    action="#7d4cd9",
    true="#5fd894",
    false="#ff6b60",
    versus=("#00c0e0", "#b9984a"),
    modality={"vision": "#4fb0f0", "text": "#f2a03d", "fusion": "#d967b0"},
    beside=("#a2aef6", "#c06868", "#5fcfc4", "#cfd25a", "#f2a0bf", "#a6d26f"),
    sparsity=("#22242e", "#352b52", "#4b357d", "#6b48b0", "#a97df0", "#c5a6f7", "#e0cffb", "#f8f3ff"),
)
