"""Paperland's pictures: flat figures cut from paper and laid down askew, each with a hard shadow, on a faded ground."""

from __future__ import annotations

import random
from functools import lru_cache

from PIL import Image

from ..flatland.backdrops import VARIANTS, backdrop
from ..flatland.draw import LARGEST, SMALLEST
from ..flatland.scene import Scene
from ..flatland.sprites import CREAM, figure, mix, supersampling

TILTS = (-36, -24, -12, 12, 24, 36)  # degrees
FADED = 0.45  # share of paper in the ground
SHADOW = (58, 50, 46)
SHRUNK = 0.92  # so that a tilted figure stays inside its square


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
        drawn = cut_out(thing.kind, thing.color, width, rng.choice(TILTS))
        picture.paste(drawn, (round(thing.x * size - width / 2), round(thing.y * size - width / 2)), drawn)
    return picture


@lru_cache(maxsize=64)
def ground(setting: str, variant: int, size: int) -> Image.Image:
    """Flatland's setting, printed on paper."""
    plain = backdrop(setting, variant, size)
    return Image.blend(plain, Image.new("RGB", plain.size, mix(CREAM, (255, 255, 255), 0.2)), FADED)


@lru_cache(maxsize=4096)
def cut_out(kind: str, color: str, width: int, tilt: int) -> Image.Image:
    """A figure on its shadow, tilted, `width` pixels wide and high.

    >>> cut_out("boat", "blue", 24, 12).size
    (24, 24)
    """
    px = width * supersampling(width)
    small = round(px * SHRUNK)
    art = figure(kind, color, small).rotate(tilt, Image.Resampling.BILINEAR)
    sheet = Image.new("RGBA", (px, px), (*SHADOW, 0))
    shift = max(1, round(px * 0.035))
    corner = (px - small) // 2
    sheet.paste(Image.new("RGBA", art.size, (*SHADOW, 190)), (corner + shift, corner + shift), art.getchannel("A"))
    sheet.paste(art, (corner, corner), art.getchannel("A"))
    return sheet.resize((width, width), Image.Resampling.BOX)
