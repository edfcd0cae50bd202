"""Flatland scenes as pictures: a quiet backdrop with one sticker a thing, at any size from the same description."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from .backdrops import VARIANTS, backdrop
from .scene import Scene
from .sprites import sprite

SMALLEST, LARGEST = 64, 1024


def render(scene: Scene, size: int = 96) -> Image.Image:
    """The picture of a scene, RGB, `size` pixels wide and high; the same scene always gives the same picture.

    >>> from multiflow_core.data.flatland.scene import scene
    >>> render(scene("test", 3)).size
    (96, 96)
    """
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"size must be between {SMALLEST} and {LARGEST} pixels, not {size}")
    picture = backdrop(scene.setting, scene.backdrop % VARIANTS, size).copy()
    for thing in scene.things:
        width = round(thing.width * size)
        drawn = sprite(thing.kind, thing.color, width)
        picture.paste(drawn, (round(thing.x * size - width / 2), round(thing.y * size - width / 2)), drawn)
    return picture


def contact_sheet(scenes: Sequence[Scene], columns: int = 6, size: int = 192) -> Image.Image:
    """The scenes side by side, row after row, with a narrow white gap between them.

    >>> from multiflow_core.data.flatland.scene import scene
    >>> contact_sheet([scene("test", i) for i in range(5)], columns=3, size=96).size
    (296, 198)
    """
    if columns < 1:
        raise ValueError(f"columns must be at least 1, not {columns}")
    gap = max(2, size // 48)
    rows = -(-len(scenes) // columns)
    sheet = Image.new("RGB", (columns * (size + gap) + gap, rows * (size + gap) + gap), "white")
    for k, one in enumerate(scenes):
        sheet.paste(render(one, size), (gap + k % columns * (size + gap), gap + k // columns * (size + gap)))
    return sheet
