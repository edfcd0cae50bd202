"""Clicks: Plotly reports them on points only, so what can be clicked gets an unseen point on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# A click counts for the nearest point, however far it is; a drag neither zooms nor moves.
LAYOUT: dict[str, Any] = dict(hovermode="closest", hoverdistance=-1, dragmode=False)


def targets(
    x: Sequence[Any],
    y: Sequence[Any],
    customdata: Sequence[Any],
    size: float,
    hover: str = "",
    text: Sequence[str] | None = None,
) -> dict[str, Any]:
    """A trace of unseen squares that can be clicked; a click hands the square's `customdata` to the page.

    Arrays travel as such, which is many times smaller than lists where there are thousands of squares.

    >>> targets(["vision 0"], ["fc1"], ["encoder.0.fc1.weight"], 30)["customdata"]
    ['encoder.0.fc1.weight']

    `hover` is a template, in which `%{text}` is a square's own text. The trace below must skip its hover: Plotly would
    hand the click to that trace instead. Skipped here it would swallow the click, so no hover is "none".
    """
    clear = dict(marker=dict(opacity=0))
    return dict(
        type="scatter",
        mode="markers",
        x=x,
        y=y,
        customdata=customdata,
        text=text,
        showlegend=False,
        selected=clear,
        unselected=clear,
        hovertemplate=hover or None,
        hoverinfo=None if hover else "none",
        marker=dict(opacity=0, size=size, symbol="square"),
    )
