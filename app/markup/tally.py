"""How many gave which answer, as HTML. Pure: numbers in, text out; everything is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def bars(rows: Sequence[tuple[str, int, bool]], total: int) -> str:
    """One line an answer: what it is, a bar, how many gave it; a right one is marked.

    >>> bars([("3", 2, True)], 4).count("width:50%")
    1
    """
    lines = (
        f"<span>{'✓ ' if right else ''}{escape(answer)}</span>"
        f'<i class="{"ok" if right else ""}" style="width:{100 * count / max(1, total):.0f}%"></i><span>{count}</span>'
        for answer, count, right in rows
    )
    return f'<div class="mf-tally" role="img" aria-label="{_told(rows)}">{"".join(lines)}</div>'


def _told(rows: Sequence[tuple[str, int, bool]]) -> str:
    return escape(
        "; ".join(f"{count} answered {answer}{', which is right' if right else ''}" for answer, count, right in rows)
    )
