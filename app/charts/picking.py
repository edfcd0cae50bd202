"""Clicks: Plotly reports them on points only, so what can be clicked gets an unseen point on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def targets(
    x: Sequence[Any], y: Sequence[Any], customdata: Sequence[Any], size: float, hover: str = ""
) -> dict[str, Any]:
    """A trace of unseen squares that can be clicked; a click hands the square's `customdata` to the page.

    >>> targets(["vision 0"], ["fc1"], ["encoder.0.fc1.weight"], 30)["customdata"]
    ['encoder.0.fc1.weight']
    """
    clear = dict(marker=dict(opacity=0))
    return dict(
        type="scatter", mode="markers", x=list(x), y=list(y), customdata=list(customdata), showlegend=False, **clear,
        selected=clear, unselected=clear, hovertemplate=hover or None, hoverinfo=None if hover else "skip",
    ) | {"marker": dict(opacity=0, size=size, symbol="square")}  # fmt: skip
