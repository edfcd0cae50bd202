"""Information flow through two layers of a block: the strongest neurons and the links between them, as a Sankey diagram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from ..look.palette import Palette, see_through
from ..look.words import percent

ROOM, PAD = 58, 14  # pixels: for a neuron, between two
SCALES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
LEAST = 1e-9  # a link without flow keeps its place
OTHERS = "all other"
BESIDE = 82  # pixels for the names at either side
UNSEEN = "rgba(0,0,0,0)"  # Plotly's own names stand on the ribbons


class Link(NamedTuple):
    """Flow between two neurons, or all others, as a share of the flow through the layer; `cut` of it is pruned."""

    layer: int
    start: str
    end: str
    flow: float
    cut: float

    @property
    def others(self) -> bool:
        """Whether it begins or ends at all other neurons."""
        return OTHERS in self.start + self.end


class Band(NamedTuple):
    """What is drawn of a link: the part that is kept, or the part that is gone."""

    link: Link
    flow: float
    width: float
    gone: bool


@dataclass(frozen=True)
class BlockFlow:
    """The flow through a block's strongest neurons, of the dense or of the pruned model.

    `inputs`, `hidden`, `outputs` are numbers of neurons. `flow` and `cut` hold, for both layers, the flow along every link
    and what of it is pruned, (to + 1, from + 1), as shares of the layer's flow; the last row and column are all others.
    """

    who: str
    pruned: bool
    roles: tuple[str, str]
    inputs: tuple[int, ...]
    hidden: tuple[int, ...]
    outputs: tuple[int, ...]
    flow: tuple[np.ndarray, np.ndarray]
    cut: tuple[np.ndarray, np.ndarray]

    def title(self) -> str:
        if self.pruned:
            strong = [(f[:-1, :-1].sum(), c[:-1, :-1].sum()) for f, c in zip(self.flow, self.cut, strict=True)]
            left = float(np.mean([1 - c / f if f else 0.0 for f, c in strong]))
            return f"{self.who}: {percent(left)} of the flow between them is left"
        share = float(np.mean([self.flow[0][:-1].sum(), self.flow[1][:, :-1].sum()]))
        return f"{self.who}: {percent(share)} of the flow passes the {len(self.hidden)} strongest hidden neurons"

    def describe(self) -> str:
        links = sorted(self.links(), key=lambda link: link.cut - link.flow)
        strongest = [link for link in links if not link.others and link.flow > link.cut][:3]
        said = "; ".join(f"{a} to {b} {percent(flow - cut)}" for _, a, b, flow, cut in strongest) or "none"
        return (
            f"Sankey diagram of the flow from {len(self.inputs)} inputs of {self.roles[0]} through {len(self.hidden)} hidden "
            f"neurons to {len(self.outputs)} outputs of {self.roles[1]}, {self.who}. Strongest links: {said}."
        )

    def table(self) -> dict[str, list]:
        links = list(self.links())
        return {
            "layer": [self.roles[link.layer] for link in links],
            "from": [link.start for link in links],
            "to": [link.end for link in links],
            "flow": [float(link.flow) for link in links],
            "cut": [float(link.cut) for link in links],
        }

    def links(self) -> Iterator[Link]:
        """Every link from or to a hidden neuron that is shown."""
        inputs, hidden, outputs = (
            [*(f"{name} {n}" for n in numbers), f"{OTHERS} {name}s"]
            for name, numbers in (("input", self.inputs), ("hidden", self.hidden), ("output", self.outputs))
        )
        for layer, (starts, ends) in enumerate(((inputs, hidden[:-1]), (hidden[:-1], outputs))):
            for i, end in enumerate(ends):
                for j, start in enumerate(starts):
                    yield Link(layer, start, end, self.flow[layer][i, j], self.cut[layer][i, j])

    def scale(self) -> int:
        """By how much the links of all others are drawn narrower, so that they do not fill the picture."""
        others = sum(link.flow for link in self.links() if link.others)
        strong = sum(link.flow for link in self.links() if not link.others)
        return next((s for s in SCALES if others <= s * strong), SCALES[-1])

    def figure(self, palette: Palette) -> go.Figure:
        scale, bands = self.scale(), self._bands()
        names = list(dict.fromkeys(name for band in bands for name in (band.link.start, band.link.end)))
        height = ROOM * len(self.hidden)
        x, y = _places(names, bands, height)
        color, faint = (palette.pruned, 0.0) if self.pruned else (palette.dense, 0.14)
        trace = dict(
            type="sankey", arrangement="fixed", textfont=dict(color=UNSEEN, shadow="none"),
            node=dict(
                label=names, x=x, y=y, pad=PAD, thickness=12, color=palette.muted, line=dict(width=0),
                hovertemplate="%{label}<extra></extra>",
            ),
            link=dict(
                source=[names.index(band.link.start) for band in bands], target=[names.index(band.link.end) for band in bands],
                value=[band.width for band in bands],
                color=[see_through(color, faint if band.gone else 0.55) for band in bands],
                customdata=[f"{percent(band.flow)} of the flow{', cut' if band.gone else ''}" for band in bands],
                hovertemplate="%{source.label} to %{target.label}: %{customdata}<extra></extra>",
            ),
        )  # fmt: skip
        small = dict(xref="paper", yref="paper", showarrow=False, font=dict(size=13, color=palette.muted))
        labels = [_named(name, *place, palette) for name, *place in zip(names, x, y, strict=True)]
        labels += [
            small | dict(x=at, y=1, xanchor=anchor, xshift=shift, yanchor="bottom", yshift=8, text=text)
            for at, anchor, shift, text in zip((0, 1), ("left", "right"), (-BESIDE, BESIDE), self._heads(), strict=True)
        ]
        if scale > 1:
            note = f"all others are drawn at 1/{scale} of their width"
            labels.append(small | dict(x=0, y=0, xanchor="left", yanchor="top", yshift=-6, text=note))
        margin = dict(l=BESIDE, r=BESIDE, t=34, b=30)
        return palette.figure(
            [trace], dict(height=height + margin["t"] + margin["b"], margin=margin, annotations=labels)
        )

    def _bands(self) -> list[Band]:
        """What is drawn of every link: what is kept of it and what is cut, all links of a layer together 1 wide."""
        links, scale = list(self.links()), self.scale()
        passing = [sum(link.flow for link in links if link.layer == layer) or 1.0 for layer in (0, 1)]
        bands = []
        for link in links:
            unit = passing[link.layer] * (scale if link.others else 1)
            parts = ((link.flow - link.cut, False), (link.cut, True))
            bands += [Band(link, flow, flow / unit, gone) for flow, gone in parts if flow > LEAST] or [
                Band(link, 0.0, LEAST, gone=True)
            ]
        return bands

    def _heads(self) -> tuple[str, str]:
        return f"inputs of {self.roles[0]}", f"outputs of {self.roles[1]}"


def _named(name: str, x: float, y: float, palette: Palette) -> dict[str, Any]:
    """The name of a node: at its outer side, or in the middle column at its left on a ground of its own."""
    outer = {0.001: dict(x=0, xanchor="right", xshift=-6), 0.999: dict(x=1, xanchor="left", xshift=6)}
    middle = dict(x=0.5, xanchor="right", xshift=-10, bgcolor=see_through(palette.background, 0.8))
    place = outer.get(x, middle)
    font = dict(size=13, color=palette.ink)
    return place | dict(
        y=1 - y,
        xref="paper",
        yref="paper",
        yanchor="middle",
        showarrow=False,
        borderpad=1,
        text=_short(name),
        font=font,
    )


def _short(name: str) -> str:
    """All others without what they are, which stands above the column.

    >>> _short("all other outputs"), _short("output 7")
    ('all other', 'output 7')
    """
    return OTHERS if name.startswith(OTHERS) else name


def _places(names: list[str], bands: list[Band], height: float) -> tuple[list[float], list[float]]:
    """Where the nodes go, in units of the picture: their column, and from top to bottom in the order of their names."""
    size = [
        max(sum(b.width for b in bands if b.link.end == name), sum(b.width for b in bands if b.link.start == name))
        for name in names
    ]
    starts, ends = ({getattr(b.link, side) for b in bands} for side in ("start", "end"))
    column = [0.5 if name in starts and name in ends else 0.001 if name in starts else 0.999 for name in names]
    columns = {x: [n for n, at in enumerate(column) if at == x] for x in column}
    unit = min((height - PAD * (len(nodes) - 1)) / sum(size[n] for n in nodes) for nodes in columns.values())
    middle = [0.0] * len(names)
    for nodes in columns.values():
        top = (height - unit * sum(size[n] for n in nodes) - PAD * (len(nodes) - 1)) / 2
        for n in nodes:
            middle[n] = (top + unit * size[n] / 2) / height
            top += unit * size[n] + PAD
    return column, middle
