"""Where a method cuts: the sparsity of every layer of a modality, block by block and role by role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import count, percent
from .blocks import ticks
from .picking import LAYOUT, targets

ROW, FRAME = 32, 84


@dataclass(frozen=True)
class SparsityGrid:
    """One cell a layer: `pruned[r][b]` of `size[r][b]` weights are gone from role r of block b; None where there is none.

    `keys[r][b]` is what a click on the cell hands to the page; `selected` is the key of the cell with a frame.
    """

    modality: str
    blocks: tuple[str, ...]
    roles: tuple[str, ...]
    size: tuple[tuple[int | None, ...], ...]
    pruned: tuple[tuple[int | None, ...], ...]
    keys: tuple[tuple[str | None, ...], ...] = ()
    selected: str | None = None

    @property
    def sparsity(self) -> list[list[float | None]]:
        """Per cell, 0..1."""
        return [
            [None if not n else k / n for n, k in zip(sizes, gone, strict=True)]
            for sizes, gone in zip(self.size, self.pruned, strict=True)
        ]

    def cells(self) -> list[tuple[str, str, int, int]]:
        """(block, role, pruned, size) of every layer."""
        return [(self.blocks[b], self.roles[r], self.pruned[r][b], self.size[r][b]) for r, b in self._places()]

    def title(self) -> str:
        cells = self.cells()
        block, role, gone, size = max(cells, key=lambda c: c[2] / c[3])
        low = min(gone / size for _, _, gone, size in cells)
        name = self.modality.capitalize()
        if gone / size - low < 0.005:
            return f"{name}: every layer loses {percent(gone / size)}"
        return f"{name}: layers lose {percent(low)} to {percent(gone / size)}, most in {block} {role}"

    def describe(self) -> str:
        return (
            f"Heatmap of sparsity for {self.modality}: {len(self.blocks)} blocks across, {len(self.roles)} kinds of weight "
            f"down. {self.title()}."
        )

    def table(self) -> dict[str, list]:
        cells = self.cells()
        return {
            "block": [c[0] for c in cells],
            "weight": [c[1] for c in cells],
            "weights": [c[3] for c in cells],
            "pruned": [c[2] for c in cells],
            "sparsity": [c[2] / c[3] for c in cells],
        }

    def figure(self, palette: Palette) -> go.Figure:
        values = self.sparsity
        trace = dict(
            type="heatmap", z=[[None if v is None else 100 * v for v in row] for row in values],
            x=list(self.blocks), y=list(self.roles), zmin=0, zmax=100, colorscale=palette.scale, showscale=False,
            text=[["" if v is None else _said(v, palette) for v in row] for row in values], texttemplate="%{text}",
            textfont=dict(size=11 if len(self.blocks) > 8 else 13, weight=600), xgap=2, ygap=2, hoverinfo="skip",
        )  # fmt: skip
        across = dict(
            title=dict(text="block, in the order in which the signal passes"), showgrid=False, tickangle=0, fixedrange=True,
            tickvals=list(self.blocks), ticktext=ticks(self.blocks), range=[-0.5, len(self.blocks) - 0.5],
        )  # fmt: skip
        down = dict(
            title=dict(text="weight matrix"),
            range=[len(self.roles) - 0.5, -0.5],
            showgrid=False,
            ticksuffix=" ",
            fixedrange=True,
        )
        layout = dict(
            height=FRAME + ROW * len(self.roles), xaxis=across, yaxis=down, shapes=self._frame(palette), **LAYOUT
        )
        return palette.figure([trace, self._targets()], layout)

    @property
    def wide(self) -> bool:
        """Whether the cells are too many for half the width of a page."""
        return len(self.blocks) > 14

    def _places(self) -> list[tuple[int, int]]:
        """(role, block) of every cell that there is."""
        return [(r, b) for r, sizes in enumerate(self.size) for b, size in enumerate(sizes) if size]

    def _targets(self) -> dict[str, Any]:
        at = self._places()
        return targets(
            [self.blocks[b] for _, b in at],
            [self.roles[r] for r, _ in at],
            [self.keys[r][b] if self.keys else None for r, b in at],
            ROW,
            "%{text}<extra></extra>",
            [
                f"<b>{block} · {role}</b><br>{100 * gone / size:.2f} % pruned<br>{count(gone)} of {count(size)} weights"
                for block, role, gone, size in self.cells()
            ],
        )

    def _frame(self, palette: Palette) -> list[dict[str, Any]]:
        """A frame around the selected cell."""
        line = dict(color=palette.ink, width=3)
        return [
            dict(type="rect", x0=b - 0.5, x1=b + 0.5, y0=r - 0.5, y1=r + 0.5, line=line)
            for r, b in self._places()
            if self.keys and self.keys[r][b] == self.selected
        ]


def _label(sparsity: float) -> str:
    """As short as fits a cell: whole per cent, but never 0 or 100 for what is not."""
    return percent(sparsity).removesuffix(" %")


def _said(sparsity: float, palette: Palette) -> str:
    return palette.written(_label(sparsity), palette.scale, sparsity)
