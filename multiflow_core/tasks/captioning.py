"""Captioning (IC) on Flatland: the share of captions that are true of their scene."""

from __future__ import annotations

from collections.abc import Sequence

from ..data.flatland import Scene, judge


def scores(captions: Sequence[str], scenes: Sequence[Scene]) -> dict[str, float]:
    """Share of captions that are true, and of those that are Flatland captions at all.

    >>> from multiflow_core.data.flatland import Scene, Thing
    >>> scene = Scene("day", (Thing("cat", "red", "small", 0.5, 0.5),))
    >>> scores(["a red cat", "a blue cat", "cat cat"], [scene] * 3)
    {'true': 0.333..., 'understood': 0.666...}
    """
    verdicts = [judge(caption, scene) for caption, scene in zip(captions, scenes, strict=True)]
    return {part: sum(getattr(v, part) for v in verdicts) / len(verdicts) for part in ("true", "understood")}
