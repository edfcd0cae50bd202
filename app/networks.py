"""A small layer as neurons and links, an SVG drawing. Pure: numbers in, text out."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from .charts.words import number

WIDTH, STEP, RADIUS = 260, 54, 17

RULES = """
.mf-network{display:block;max-width:100%;height:auto}
.mf-network text{fill:var(--mf-ink);font-size:14px;font-weight:600;text-anchor:middle;dominant-baseline:central}
.mf-network circle{fill:var(--mf-background);stroke:var(--mf-dense);stroke-width:2}
.mf-link{stroke:var(--mf-dense);opacity:.75}
.mf-cut{stroke:var(--mf-pruned);stroke-dasharray:2 6;opacity:.8}
.mf-drawing{margin:0} .mf-drawing figcaption{font-weight:650;font-size:.98rem;padding-bottom:6px}
"""


@dataclass(frozen=True)
class Network:
    """`weights[row][column]` leads from an input (left) to an output (right); thicker is larger, dotted is pruned."""

    caption: str
    weights: tuple[tuple[float, ...], ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    gone: frozenset[tuple[int, int]] = frozenset()


def html(network: Network) -> str:
    """A network as a drawing.

    >>> drawn = html(Network("A layer", ((1.0, -2.0),), ("A",), ("1", "2"), gone=frozenset({(0, 0)})))
    >>> drawn.count("mf-link"), drawn.count("mf-cut")
    (1, 1)
    """
    left, right = _heights(len(network.columns)), _heights(len(network.rows))
    links = "".join(_link(network, i, j, left[j], right[i]) for i in range(len(right)) for j in range(len(left)))
    neurons = "".join(
        f'<circle cx="{x}" cy="{y}" r="{RADIUS}"/><text x="{x}" y="{y}">{escape(name)}</text>'
        for x, names, heights in ((RADIUS + 2, network.columns, left), (WIDTH - RADIUS - 2, network.rows, right))
        for name, y in zip(names, heights, strict=True)
    )
    height, caption = STEP * max(len(left), len(right)), escape(network.caption)
    said = f"{caption}. {len(left)} inputs at the left, {len(right)} outputs at the right, a line for each weight."
    return (
        f'<figure class="mf-drawing"><figcaption>{caption}</figcaption><svg class="mf-network" role="img" aria-label="{said}" '
        f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">{links}{neurons}</svg></figure>'
    )


def _link(network: Network, i: int, j: int, y1: int, y2: int) -> str:
    largest = max(abs(w) for row in network.weights for w in row) or 1
    weight, kind = network.weights[i][j], "mf-cut" if (i, j) in network.gone else "mf-link"
    return (
        f'<line class="{kind}" x1="{2 * RADIUS}" y1="{y1}" x2="{WIDTH - 2 * RADIUS}" y2="{y2}" '
        f'stroke-width="{1 + 7 * abs(weight) / largest:.1f}"><title>{number(weight)}</title></line>'
    )


def _heights(n: int) -> list[int]:
    """Where n neurons stand, one above the other; fewer than four in the middle of four places."""
    return [round(STEP * (k + 0.5 + max(0, 4 - n) / 2)) for k in range(n)]
