"""Captioning (IC) on Flatland: the share of captions that are true of their scene."""

from __future__ import annotations

from collections.abc import Sequence

from ..data.flatland import Scene, judge, parse


def scores(captions: Sequence[str], scenes: Sequence[Scene]) -> dict[str, float]:
    """Share of captions that are true and name something there is, and of those that are Flatland captions at all.

    "No dogs" is true of most pictures and says nothing about them: a model that has lost its sight must not score by it.

    >>> from multiflow_core.data.flatland import Scene, Thing
    >>> scene = Scene("day", (Thing("cat", "red", "small", 0.5, 0.5),))
    >>> scores(["a red cat", "a blue cat", "cat cat", "no dogs"], [scene] * 4)
    {'true': 0.25, 'understood': 0.75}
    """
    verdicts = [judge(caption, scene) for caption, scene in zip(captions, scenes, strict=True)]
    true = sum(v.true and _names_something(caption) for v, caption in zip(verdicts, captions, strict=True))
    return {"true": true / len(verdicts), "understood": sum(v.understood for v in verdicts) / len(verdicts)}


def _names_something(caption: str) -> bool:
    return any(phrase.kind and phrase.count != 0 for phrase in parse(caption).phrases)
