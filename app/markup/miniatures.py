"""Masks of a few small layers as tiny squares: filled where a weight is kept. Pure: masks in, HTML out."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..look.palette import Palette

RULES = """
.mf-minis{display:flex;flex-wrap:wrap;gap:14px 20px;margin:2px 0 4px}
.mf-mini{margin:0} .mf-mini figcaption{font-size:.8rem;color:var(--mf-muted);padding-top:3px;white-space:nowrap}
.mf-squares{display:grid;gap:3px}
.mf-squares i{width:14px;height:14px;border-radius:3px;border:1px solid var(--mf-line)}
"""


@dataclass(frozen=True)
class Grid:
    """The mask of one layer, row by row, True where the weight is kept."""

    name: str
    modality: str
    kept: tuple[tuple[bool, ...], ...]

    @property
    def lost(self) -> int:
        return sum(not kept for row in self.kept for kept in row)

    @property
    def size(self) -> int:
        return sum(map(len, self.kept))


@dataclass(frozen=True)
class Miniature:
    """What a method leaves of a few layers."""

    grids: tuple[Grid, ...]

    def html(self, palette: Palette) -> str:
        """The squares, in the colours of the modalities, with what each layer loses.

        >>> from app.look.palette import LIGHT
        >>> drawn = Miniature((Grid("text 1", "text", ((True, False),)),)).html(LIGHT)
        >>> drawn.count(LIGHT.modality["text"]), "text 1: −1 of 2" in drawn
        (1, True)
        """
        return f'<div class="mf-minis">{"".join(_grid(grid, palette.of(grid.modality)) for grid in self.grids)}</div>'


def _grid(grid: Grid, color: str) -> str:
    cells = "".join(f'<i style="background:{color}"></i>' if kept else "<i></i>" for row in grid.kept for kept in row)
    name = escape(grid.name)
    return (
        f'<figure class="mf-mini"><div class="mf-squares" role="img" aria-label="{name} keeps {grid.size - grid.lost} of '
        f'{grid.size}" style="grid-template-columns:repeat({len(grid.kept[0])},14px)">{cells}</div>'
        f"<figcaption>{name}: −{grid.lost} of {grid.size}</figcaption></figure>"
    )
