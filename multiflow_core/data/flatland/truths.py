"""Many texts judged on many scenes at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from .language import Phrase, is_exact, needs, parse
from .scene import RELATIONS, Scene, holds


def truths(texts: Sequence[str], scenes: Sequence[Scene]) -> np.ndarray:
    """Which text is true of which scene, (texts, scenes): what `judge` says of each, hundreds of times as fast.

    >>> from .scene import Thing
    >>> scenes = [Scene("day", (Thing("cat", color, "small", 0.5, 0.5),)) for color in ("red", "blue")]
    >>> truths(["a red cat", "no dogs", "nonsense"], scenes).tolist()
    [[True, False], [True, True], [False, False]]
    """
    return _Scenes(scenes).judge(texts)


class _Scenes:
    """Scenes as arrays, (scenes, things)."""

    def __init__(self, scenes: Sequence[Scene]):
        self.scenes = scenes
        self.most = max(len(scene.things) for scene in scenes)
        self.setting = np.array([scene.setting for scene in scenes])
        self.parts = {part: self._of_things(lambda t, p=part: getattr(t, p)) for part in ("kind", "color", "size")}
        self.there = self.parts["kind"] != ""
        self._relations: dict[str, np.ndarray] = {}

    def _of_things(self, value) -> np.ndarray:
        return np.array([[*map(value, s.things), *[""] * (self.most - len(s.things))] for s in self.scenes])

    def judge(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self._judge(text) for text in texts])

    def _judge(self, text: str) -> np.ndarray:
        try:
            said = parse(text)
        except ValueError:
            return np.zeros(len(self.scenes), bool)
        right = np.full(len(self.scenes), True) if said.setting is None else self.setting == said.setting
        meant = [self._fits(phrase) for phrase in said.phrases]
        for phrase, fit in zip(said.phrases, meant):
            count = fit.sum(1)
            right = right & (count == phrase.count if is_exact(phrase, said.words) else count > 0)
        for n in range(2, len(meant) + 1):  # every phrase speaks of things of its own (Hall's condition)
            for chosen in itertools.combinations(range(len(meant)), n):
                fitting = np.logical_or.reduce([meant[i] for i in chosen]).sum(1)
                right = right & (fitting >= sum(needs(said.phrases[i], said.words) for i in chosen))
        for (link, _), before, after in zip(said.links, meant, meant[1:]):
            if link in RELATIONS:
                related = (before[:, :, None] & after[:, None] & self._related(link)).any((1, 2))
                right = right & (related | ~before.any(1) | ~after.any(1))
        return right

    def _fits(self, phrase: Phrase) -> np.ndarray:
        fit = self.there
        for part, values in self.parts.items():
            if (said := getattr(phrase, part)) is not None:
                fit = fit & (values == said)
        return fit

    def _related(self, relation: str) -> np.ndarray:
        if relation not in self._relations:
            table = np.zeros((len(self.scenes), self.most, self.most), bool)
            for i, scene in enumerate(self.scenes):
                for a, one in enumerate(scene.things):
                    for b, other in enumerate(scene.things):
                        table[i, a, b] = a != b and holds(one, relation, other)
            self._relations[relation] = table
        return self._relations[relation]
