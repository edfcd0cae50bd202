"""Where a method cuts: the sparsity of every layer of a modality, block by block and role by role."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from .palette import Palette
from .words import count, percent

ROW, FRAME = 32, 84


@dataclass(frozen=True)
class SparsityGrid:
    """One cell a layer: `pruned[r][b]` of `size[r][b]` weights are gone from role r of block b; None where there is none."""

    modality: str
    blocks: tuple[str, ...]
    roles: tuple[str, ...]
    size: tuple[tuple[int | None, ...], ...]
    pruned: tuple[tuple[int | None, ...], ...]

    @property
    def sparsity(self) -> list[list[float | None]]:
        """Per cell, 0..1."""
        return [
            [None if not n else k / n for n, k in zip(sizes, gone, strict=True)]
            for sizes, gone in zip(self.size, self.pruned, strict=True)
        ]

    def cells(self) -> list[tuple[str, str, int, int]]:
        """(block, role, pruned, size) of every layer."""
        return [
            (block, role, self.pruned[r][b], self.size[r][b])
            for r, role in enumerate(self.roles)
            for b, block in enumerate(self.blocks)
            if self.size[r][b]
        ]

    def title(self) -> str:
        cells = self.cells()
        block, role, gone, size = max(cells, key=lambda c: c[2] / c[3])
        low = min(gone / size for _, _, gone, size in cells)
        name = self.modality.capitalize()
        if gone / size - low < 0.005:
            return f"{name}: every layer loses {percent(gone / size)}"
        return f"{name}: layers lose {percent(low)} to {percent(gone / size)}, most in {block} {role}"

    def describe(self) -> str:
        """Alternative text."""
        return (
            f"Heatmap of sparsity for {self.modality}: {len(self.blocks)} blocks across, {len(self.roles)} kinds of weight "
            f"down. {self.title()}."
        )

    def table(self) -> dict[str, list]:
        """The same numbers as columns."""
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
        narrow = len(self.blocks) > 14
        text = [["" if v is None else _label(v) for v in row] for row in values]
        hover = [
            ["" if not n else f"{count(k)} of {count(n)} weights" for n, k in zip(sizes, gone, strict=True)]
            for sizes, gone in zip(self.size, self.pruned, strict=True)
        ]
        trace = dict(
            type="heatmap", z=[[None if v is None else 100 * v for v in row] for row in values],
            x=list(self.blocks), y=list(self.roles), zmin=0, zmax=100, colorscale=palette.scale, showscale=False,
            text=text, texttemplate="%{text}", textfont=dict(size=11 if narrow else 13),
            customdata=hover, xgap=2, ygap=2, hoverongaps=False,
            hovertemplate="<b>%{x} · %{y}</b><br>%{z:.2f} % pruned<br>%{customdata}<extra></extra>",
        )  # fmt: skip
        across = dict(title=dict(text="block, in the order in which the signal passes"), showgrid=False)
        down = dict(title=dict(text="weight matrix"), autorange="reversed", showgrid=False, ticksuffix=" ")
        return palette.figure([trace], dict(height=FRAME + ROW * len(self.roles), xaxis=across, yaxis=down))


def _label(sparsity: float) -> str:
    """As short as fits a cell: whole per cent, but never 0 or 100 for what is not."""
    return percent(sparsity).removesuffix(" %")
