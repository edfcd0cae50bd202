"""A small layer as neurons and links, an SVG drawing. Pure: numbers in, text out."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from html import escape

from ..look.palette import Palette

WIDTH, STEP, RADIUS = 260, 54, 17


@dataclass(frozen=True)
class Network:
    """`weights[row][column]` leads from an input (left) to an output (right); thicker is larger, dotted is pruned."""

    caption: str
    weights: tuple[tuple[float, ...], ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    gone: frozenset[tuple[int, int]] = frozenset()


def html(network: Network, palette: Palette) -> str:
    """A network as a picture. The drawing is an image of its own: a page would strip it of its lines otherwise.

    >>> from app.look.palette import LIGHT
    >>> "data:image/svg+xml" in html(Network("A layer", ((1.0, -2.0),), ("A",), ("1", "2")), LIGHT)
    True
    """
    caption = escape(network.caption)
    said = f"{caption}. {len(network.columns)} inputs at the left, {len(network.rows)} outputs at the right."
    image = "data:image/svg+xml;base64," + b64encode(svg(network, palette).encode()).decode()
    return f'<figure class="mf-drawing"><figcaption>{caption}</figcaption><img src="{image}" alt="{said}"></figure>'


def svg(network: Network, palette: Palette) -> str:
    """The drawing: a line for each weight.

    >>> from app.look.palette import LIGHT
    >>> drawn = svg(Network("A layer", ((1.0, -2.0),), ("A",), ("1", "2"), gone=frozenset({(0, 0)})), LIGHT)
    >>> drawn.count("<line"), drawn.count("stroke-dasharray")
    (2, 1)
    """
    left, right = _heights(len(network.columns)), _heights(len(network.rows))
    links = "".join(
        _link(network, palette, i, j, left[j], right[i]) for i in range(len(right)) for j in range(len(left))
    )
    neurons = "".join(
        _neuron(name, x, y, palette)
        for x, names, heights in ((RADIUS + 2, network.columns, left), (WIDTH - RADIUS - 2, network.rows, right))
        for name, y in zip(names, heights, strict=True)
    )
    height = STEP * max(len(left), len(right), 4)
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">{links}{neurons}</svg>'


def _link(network: Network, palette: Palette, i: int, j: int, y1: int, y2: int) -> str:
    largest = max(abs(w) for row in network.weights for w in row) or 1
    width = 1 + 7 * abs(network.weights[i][j]) / largest
    color, dashes = (palette.pruned, ' stroke-dasharray="2 6"') if (i, j) in network.gone else (palette.dense, "")
    return (
        f'<line x1="{2 * RADIUS}" y1="{y1}" x2="{WIDTH - 2 * RADIUS}" y2="{y2}" stroke="{color}"{dashes} '
        f'stroke-width="{width:.1f}" opacity=".75"/>'
    )


def _neuron(name: str, x: int, y: int, palette: Palette) -> str:
    return (
        f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="{palette.background}" stroke="{palette.dense}" stroke-width="2"/>'
        f'<text x="{x}" y="{y + 5}" text-anchor="middle" font-family="sans-serif" font-size="14" fill="{palette.ink}">'
        f"{escape(name)}</text>"
    )


def _heights(n: int) -> list[int]:
    """Where n neurons stand, one above the other; fewer than four in the middle of four places."""
    return [round(STEP * (k + 0.5 + max(0, 4 - n) / 2)) for k in range(n)]
