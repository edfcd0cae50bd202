"""Tables as HTML for notebooks, with a bar behind a share: plain elements, in the colours of whoever shows them. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

MOST = 60  # rows; a notebook that scrolls for ever shows nothing
_CELL = "padding:2px 12px 2px 0;text-align:left"


class Share(float):
    """A number from 0 to 1 that is shown as a bar with per cent."""


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]], most: int = MOST) -> str:
    """A title, and rows under a head; of more than `most` rows the first ones, and how many there are besides.

    >>> table("A", ["layer", "pruned"], [["<fc1>", Share(0.5)]]).count("&lt;fc1&gt;")
    1
    >>> "50.0 %" in table("A", ["layer", "pruned"], [["fc1", Share(0.5)]])
    True
    """
    held = list(rows)
    heads = "".join(f'<th style="{_CELL}">{escape(name)}</th>' for name in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{_cell(cell)}</td>' for cell in row) + "</tr>" for row in held[:most]
    )
    more = f"<p>and {len(held) - most} more</p>" if len(held) > most else ""
    return f"<div><strong>{escape(title)}</strong><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{more}</div>"


def _cell(value: object) -> str:
    if isinstance(value, Share):
        wide = 80 * min(1.0, max(0.0, value))
        bar = f'<span style="display:inline-block;width:{wide:.0f}px;height:9px;background:#2a9d8f"></span>'
        return f'<span style="display:inline-block;width:84px">{bar}</span>{100 * value:.1f} %'
    if isinstance(value, float):
        return f"{value:.3f}"
    return escape(f"{value:,}" if isinstance(value, int) else str(value))
