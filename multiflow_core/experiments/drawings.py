"""Small charts as SVG text, which follow the colours of the page that they stand in. For reports: needs no browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH = 680
_LEFT, _ROW = 130, 26


def percent(share: float) -> str:
    """A share in words.

    >>> percent(0.5), percent(0.6294)
    ('50 %', '62.9 %')
    """
    return f"{100 * share:.3g} %"


def bars(shares: Mapping[str, float], target: float | None = None) -> str:
    """One bar for every share, 0..1, with its number; a dotted line where the target is.

    >>> bars({"vision": 0.5}).count("<rect")
    1
    """
    span = WIDTH - _LEFT - 60
    rows = []
    for row, (name, share) in enumerate(shares.items()):
        y = row * _ROW + 4
        rows.append(
            f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{_LEFT}" y="{y}" width="{max(0.0, share) * span:.1f}" height="18" rx="2" class="own"/>'
            f'<text x="{_LEFT + share * span + 6:.1f}" y="{y + 14}">{percent(share)}</text>'
        )
    height = len(shares) * _ROW + 6
    line = (
        ""
        if target is None
        else f'<line x1="{_LEFT + target * span:.1f}" x2="{_LEFT + target * span:.1f}" y1="0" y2="{height}" class="target"/>'
    )
    return _svg(height, "".join(rows) + line, ", ".join(f"{name} {percent(share)}" for name, share in shares.items()))


def grid(cells: Mapping[tuple[str, str], float]) -> str:
    """{(row, column): share} as squares, darker where the share is greater, with the share in per cent.

    >>> "63" in grid({("fc1", "vision 0"): 0.63})
    True
    """
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = list(dict.fromkeys(column for _, column in cells))
    wide = min(64.0, (WIDTH - _LEFT) / max(1, len(columns)))
    drawn = [
        f'<text x="{_LEFT - 8}" y="{n * _ROW + 40}" text-anchor="end">{escape(row)}</text>'
        for n, row in enumerate(rows)
    ]
    for n, column in enumerate(columns):
        number = column.rpartition(" ")[2]
        drawn.append(f'<text x="{_LEFT + (n + 0.5) * wide:.1f}" y="16" text-anchor="middle">{escape(number)}</text>')
    for (row, column), share in cells.items():
        x, y = _LEFT + columns.index(column) * wide, rows.index(row) * _ROW + 23
        drawn.append(
            f'<rect x="{x:.1f}" y="{y}" width="{wide - 2:.1f}" height="{_ROW - 2}" class="own" '
            f'fill-opacity="{0.06 + 0.6 * share:.2f}"/>'
            f'<text x="{x + wide / 2 - 1:.1f}" y="{y + 17}" text-anchor="middle">{100 * share:.0f}</text>'
        )
    return _svg(len(rows) * _ROW + 26, "".join(drawn), f"{len(cells)} layers")


def lines(curves: Mapping[str, Sequence[tuple[float, float]]], own: str, at: float, dense: float, title: str) -> str:
    """What each curve keeps over sparsity; `own` is thick and named, the dense model's figure dashed, `at` dotted.

    >>> lines({"omp": [(0.3, 0.9), (0.5, 0.4)]}, "omp", 0.5, 0.95, "found").count("<polyline")
    1
    """
    height, span, top = 210, WIDTH - _LEFT - 110, 12
    highest = max([dense, *(value for curve in curves.values() for _, value in curve)], default=1.0) or 1.0

    def place(sparsity: float, value: float) -> str:
        return f"{_LEFT + sparsity * span:.1f},{top + (1 - value / highest) * (height - 45):.1f}"

    drawn = [
        f'<text x="{_LEFT + tick * span:.1f}" y="{height - 8}" text-anchor="middle">{percent(tick)}</text>'
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    x = _LEFT + at * span
    drawn.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{height - 28}" class="target"/>')
    level = place(0, dense).split(",")[1]
    drawn.append(f'<line x1="{_LEFT}" x2="{_LEFT + span}" y1="{level}" y2="{level}" class="dense"/>')
    drawn.append(f'<text x="{_LEFT - 8}" y="{float(level) + 5:.1f}" text-anchor="end">dense {dense:.2f}</text>')
    for name, curve in sorted(curves.items(), key=lambda held: held[0] == own):
        points = " ".join(place(*point) for point in [(0.0, dense), *curve])
        drawn.append(f'<polyline points="{points}" class="{"line" if name == own else "others"}"/>')
        if name == own and curve:
            x, y = place(*curve[-1]).split(",")
            drawn.append(f'<text x="{float(x) + 8:.1f}" y="{float(y) + 5:.1f}">{escape(name)}</text>')
    return _svg(height, "".join(drawn), title)


def _svg(height: float, inside: str, said: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(said)}">{inside}</svg>'
