"""Small matrices as HTML tables: shaded by size, crossed out where pruned, with averages at the edges. Pure, and its own table."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..look.palette import Palette
from ..look.words import number
from . import networks
from .networks import Network

Cell = tuple[int, int]
SHADE = 42  # per cent of ink behind the largest number: more would make it hard to read

RULES = """
.mf-matrices{display:flex;flex-wrap:wrap;gap:18px 22px;align-items:flex-start}
.mf-matrix{border-collapse:separate;border-spacing:3px;font-variant-numeric:tabular-nums;color:var(--mf-ink);margin:0;width:auto}
.mf-matrix caption{caption-side:top;text-align:left;font-weight:650;font-size:.98rem;padding:0 0 4px 3px;color:var(--mf-ink)}
.mf-matrix th{font-weight:500;font-size:.82rem;color:var(--mf-muted);padding:1px 6px;border:0;text-align:center;white-space:nowrap}
.mf-matrix td{min-width:46px;height:36px;padding:0 5px;text-align:center;border:1px solid var(--mf-line);border-radius:7px;
  font-size:1rem}
.mf-matrix .mf-edge{border-style:dashed;font-weight:650}
.mf-matrix .mf-gone{--strike:color-mix(in srgb,var(--mf-pruned) 60%,transparent);border-color:var(--mf-pruned);
  background:linear-gradient(to top right,transparent calc(50% - 1px),var(--strike) calc(50% - .6px),
  var(--strike) calc(50% + .6px),transparent calc(50% + 1px)),color-mix(in srgb,var(--mf-pruned) 10%,transparent)!important}
.mf-matrix .mf-ring{box-shadow:0 0 0 3px var(--mf-pruned)}
.mf-matrix .mf-ask{border:2px dashed var(--mf-pruned);color:var(--mf-pruned);font-weight:700}
.mf-drawing{margin:0} .mf-drawing img{display:block;max-width:100%}
.mf-drawing figcaption{font-weight:650;font-size:.98rem;padding-bottom:6px}
.mf-sign{font-size:.8rem;margin-left:3px}
.mf-unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
@media (max-width:900px){.mf-matrix td{min-width:42px;padding:0 3px;font-size:.94rem}}
"""


@dataclass(frozen=True)
class Matrix:
    """Numbers in rows and columns; None is a number that the reader is to find.

    Attributes:
        below, right: an edge, (its name, its numbers): averages and the like.
        gone: pruned. ringed: talked about. signs: ((cell, sign), ...) behind the number.
        darkest: the size that is shaded darkest, by default the largest here.
    """

    caption: str
    values: tuple[tuple[float | None, ...], ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    below: tuple[str, tuple[float | None, ...]] | None = None
    right: tuple[str, tuple[float | None, ...]] | None = None
    gone: frozenset[Cell] = frozenset()
    ringed: frozenset[Cell] = frozenset()
    signs: tuple[tuple[Cell, str], ...] = ()
    darkest: float | None = None


def side_by_side(pictures: tuple[Matrix | Network, ...], palette: Palette) -> str:
    """Several pictures in a row that wraps."""
    drawn = (networks.html(it, palette) if isinstance(it, Network) else html(it) for it in pictures)
    return f'<div class="mf-matrices">{"".join(drawn)}</div>'


def html(matrix: Matrix) -> str:
    """One matrix as a table.

    >>> '<td class="mf-ask">?</td>' in html(Matrix("Norms", ((None,),), ("A",), ("1",)))
    True
    """
    names = [*matrix.columns, *([matrix.right[0]] if matrix.right else [])]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    largest = matrix.darkest or max((abs(v) for row in matrix.values for v in row if v is not None), default=0) or 1
    signs = dict(matrix.signs)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(_cell(v, largest, (i, j), matrix, signs.get((i, j), "")) for j, v in enumerate(row))
        + (_edge(matrix.right[1][i]) if matrix.right else "")
        + "</tr>"
        for i, (name, row) in enumerate(zip(matrix.rows, matrix.values, strict=True))
    )
    foot = ""
    if matrix.below:
        foot = f'<tr><th scope="row">{escape(matrix.below[0])}</th>{"".join(map(_edge, matrix.below[1]))}</tr>'
    return (
        f'<table class="mf-matrix"><caption>{escape(matrix.caption)}</caption><tr><td style="all:unset"></td>{head}</tr>'
        f"{body}{foot}</table>"
    )


def _cell(value: float | None, largest: float, at: Cell, matrix: Matrix, sign: str) -> str:
    if value is None:
        return '<td class="mf-ask">?</td>'
    gone, ringed = at in matrix.gone, at in matrix.ringed
    classes = " ".join(c for c, on in (("mf-gone", gone), ("mf-ring", ringed)) if on)
    shade = f"background:color-mix(in srgb,var(--mf-dense) {SHADE * abs(value) / largest:.0f}%,transparent)"
    said = '<span class="mf-unseen"> pruned</span>' if gone else ""
    mark = f'<span class="mf-sign">{escape(sign)}</span>' if sign else ""
    return f'<td class="{classes}" style="{shade}">{number(value)}{said}{mark}</td>'


def _edge(value: float | None) -> str:
    return '<td class="mf-ask">?</td>' if value is None else f'<td class="mf-edge">{number(value)}</td>'
