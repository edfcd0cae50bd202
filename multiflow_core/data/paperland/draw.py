"""Paperland's pictures: flat figures cut from paper, every second one mirrored, each with a hard shadow, on a faded ground."""

from __future__ import annotations

import random
from functools import lru_cache

from PIL import Image

from ..flatland.backdrops import VARIANTS, backdrop
from ..flatland.draw import LARGEST, SMALLEST
from ..flatland.scene import Scene
from ..flatland.sprites import CREAM, figure, mix, supersampling

FADED = 0.25  # share of paper in the ground
SHADOW = (58, 50, 46)


def render(scene: Scene, size: int = 96) -> Image.Image:
    """The picture of a scene, RGB, `size` pixels wide and high; the same scene always gives the same picture.

    >>> from .scenes import scene
    >>> render(scene("test", 3)).size
    (96, 96)
    """
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"size must be between {SMALLEST} and {LARGEST} pixels, not {size}")
    picture = ground(scene.setting, scene.backdrop % VARIANTS, size).copy()
    rng = random.Random(scene.backdrop)
    for thing in scene.things:
        width = round(thing.width * size)
        drawn = cut_out(thing.kind, thing.color, width, rng.random() < 0.5)
        picture.paste(drawn, (round(thing.x * size - width / 2), round(thing.y * size - width / 2)), drawn)
    return picture


@lru_cache(maxsize=64)
def ground(setting: str, variant: int, size: int) -> Image.Image:
    """Flatland's setting, printed on paper."""
    plain = backdrop(setting, variant, size)
    return Image.blend(plain, Image.new("RGB", plain.size, mix(CREAM, (255, 255, 255), 0.2)), FADED)


@lru_cache(maxsize=4096)
def cut_out(kind: str, color: str, width: int, mirrored: bool) -> Image.Image:
    """A figure on its shadow, `width` pixels wide and high.

    >>> cut_out("boat", "blue", 24, True).size
    (24, 24)
    """
    px = width * supersampling(width)
    art = figure(kind, color, px)
    if mirrored:
        art = art.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    sheet = Image.new("RGBA", (px, px), (*SHADOW, 0))
    shift = max(1, round(px * 0.035))
    sheet.paste(Image.new("RGBA", art.size, (*SHADOW, 190)), (shift, shift), art.getchannel("A"))
    sheet.paste(art, (0, 0), art.getchannel("A"))
    return sheet.resize((width, width), Image.Resampling.BOX)
