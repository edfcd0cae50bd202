"""Captions of Paperland: an opening, the setting, and every group from left to right, in rarer words; sizes are not told."""

from __future__ import annotations

import itertools
import random

from ..flatland.language import (
    COLOR_WORDS,
    KIND_WORDS,
    NUMBERS,
    RELATION_PHRASES,
    SETTING_PHRASES,
    plural,
    relation_between,
)
from ..flatland.scene import Scene, Thing

OPENINGS = ("we see", "there is")
SHORT = {
    relation: min(phrases[1:], key=lambda said: len(said.split())) for relation, phrases in RELATION_PHRASES.items()
}
SHORT |= {"left of": "left of", "right of": "right of"}


def caption(scene: Scene, rng: random.Random) -> str:
    """A true caption.

    >>> scene = Scene("night", (Thing("boat", "red", "large", 0.7, 0.8), Thing("cloud", "white", "small", 0.2, 0.2)))
    >>> caption(scene, random.Random(4))
    'we see on a dark night a white cloud over a red ship'
    """
    groups = sorted(scene.groups, key=lambda group: sum(thing.x for thing in group) / len(group))
    words = phrase(groups[0])
    for before, group in itertools.pairwise(groups):
        relation = relation_between(before, group)
        words += f" {SHORT[relation] if relation else 'with'} {phrase(group)}"
    return f"{rng.choice(OPENINGS)} {SETTING_PHRASES[scene.setting][-1]} {words}"


def phrase(group: tuple[Thing, ...]) -> str:
    """
    >>> phrase((Thing("cat", "purple", "small", 0.5, 0.5),))
    'a violet kitty'
    """
    noun, color = KIND_WORDS[group[0].kind][-1], COLOR_WORDS[group[0].color][-1]
    if len(group) > 1:
        return f"{NUMBERS[len(group)]} {color} {plural(noun)}"
    return f"{'an' if color[0] in 'aeiou' else 'a'} {color} {noun}"
