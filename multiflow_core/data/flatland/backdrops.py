"""The eight settings of Flatland: quiet backdrops, one small function each, in four variants."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from .scene import SETTINGS
from .sprites import RGB, mix, supersampling

VARIANTS = 4


class Scape:
    """Draws on the unit square; `rng` holds the variant's small accidents."""

    def __init__(self, px: int, rng: random.Random) -> None:
        self.px, self.rng = px, rng
        self.image = Image.new("RGB", (px, px))
        self._draw = ImageDraw.Draw(self.image)

    def sky(self, *stops: RGB, bottom: float = 1.0) -> None:
        """A vertical gradient through equally spaced colours, from the top edge down to `bottom`."""
        end = round(self.px * bottom)
        for y in range(end):
            t = y / end * (len(stops) - 1)
            k = min(int(t), len(stops) - 2)
            self._draw.line([(0, y), (self.px, y)], fill=mix(stops[k], stops[k + 1], t - k))

    def hill(self, base: float, height: float, waves: float, fill: RGB) -> None:
        """Ground whose upper edge swings around `base` by `height`, `waves` times across, at a phase of the variant."""
        phase = self.rng.random() * 2 * math.pi
        edge = [(x / 96, base - height * math.sin(phase + waves * math.pi * x / 48)) for x in range(97)]
        self.poly([*edge, (1, 1), (0, 1)], fill)

    def poly(self, points: Sequence[tuple[float, float]], fill: RGB) -> None:
        self._draw.polygon([(x * self.px, y * self.px) for x, y in points], fill=fill)

    def rect(self, x0: float, y0: float, x1: float, y1: float, fill: RGB) -> None:
        self._draw.rectangle([v * self.px for v in (x0, y0, x1, y1)], fill=fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: RGB) -> None:
        self._draw.ellipse([v * self.px for v in (x - rx, y - ry, x + rx, y + ry)], fill=fill)

    def dots(self, count: int, radius: float, fill: RGB, top: float = 0.0, bottom: float = 1.0) -> None:
        for _ in range(count):
            x, y, r = self.rng.random(), self.rng.uniform(top, bottom), radius * self.rng.uniform(0.6, 1.2)
            self.oval(x, y, r, r, fill)

    def glow(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        fill: RGB,
        strength: float,
        turn: float = 0.0,
        blur: float = 5,
    ) -> None:
        """A soft elliptical light, turned by `turn` degrees."""
        small = Image.new("L", (64, 64))
        place = [v * 64 for v in (x - rx, y - ry, x + rx, y + ry)]
        ImageDraw.Draw(small).ellipse(place, fill=round(255 * strength))
        small = small.rotate(turn, Image.Resampling.BILINEAR, center=(x * 64, y * 64))
        small = small.filter(ImageFilter.GaussianBlur(blur))
        self.image.paste(fill, mask=small.resize(self.image.size, Image.Resampling.BICUBIC))


def day(s: Scape) -> None:
    s.sky((128, 196, 240), (190, 226, 246), bottom=0.75)
    s.hill(0.66, 0.05, 1.0, (164, 211, 150))
    s.hill(0.76, 0.04, 1.4, (145, 199, 126))
    s.hill(0.89, 0.03, 0.9, (128, 186, 108))


def night(s: Scape) -> None:
    s.sky((22, 24, 74), (44, 46, 112), (66, 66, 138), bottom=0.9)
    s.dots(26, 0.0045, (198, 202, 236), bottom=0.62)
    s.hill(0.74, 0.05, 1.1, (38, 44, 88))
    s.hill(0.87, 0.035, 1.4, (27, 33, 68))


def sunset(s: Scape) -> None:
    s.sky((108, 74, 142), (196, 100, 134), (246, 150, 108), (254, 202, 128), bottom=0.8)
    x = 0.3 + 0.4 * s.rng.random()
    s.glow(x, 0.74, 0.30, 0.20, (255, 226, 150), 0.55)
    s.oval(x, 0.75, 0.10, 0.10, (255, 228, 158))
    s.hill(0.76, 0.025, 1.0, (150, 84, 118))
    s.hill(0.87, 0.03, 1.5, (116, 66, 106))


def snow(s: Scape) -> None:
    s.sky((186, 206, 226), (220, 231, 240), bottom=0.8)
    s.hill(0.64, 0.05, 1.0, (210, 222, 234))
    s.hill(0.76, 0.04, 1.3, (226, 235, 242))
    s.hill(0.89, 0.03, 0.8, (239, 244, 248))
    s.dots(44, 0.008, (250, 252, 254), bottom=0.9)


def beach(s: Scape) -> None:
    s.sky((164, 218, 238), (214, 238, 242), bottom=0.45)
    s.rect(0, 0.42, 1, 0.8, (92, 186, 204))
    s.rect(0, 0.52, 1, 0.8, (110, 198, 210))
    for _ in range(7):
        x, y = s.rng.random(), s.rng.uniform(0.46, 0.60)
        s.rect(x, y, x + 0.07, y + 0.007, (150, 216, 222))
    state = s.rng.getstate()  # foam and sand share one edge
    s.hill(0.665, 0.018, 1.5, (226, 244, 242))
    s.rng.setstate(state)
    s.hill(0.69, 0.018, 1.5, (240, 222, 176))
    s.dots(24, 0.004, (224, 202, 152), top=0.75)
    x = (0.1, 0.88, 0.14, 0.82)[s.rng.randrange(4)]
    s.poly([(x, 0.92), (x + 0.09, 0.90), (x + 0.115, 0.96), (x + 0.025, 0.98)], (236, 190, 160))
    s.poly([(x + 0.03, 0.913), (x + 0.06, 0.907), (x + 0.085, 0.967), (x + 0.055, 0.973)], (244, 232, 212))


def desert(s: Scape) -> None:
    s.sky((244, 222, 188), (252, 238, 208), bottom=0.7)
    s.hill(0.60, 0.045, 0.9, (236, 204, 150))
    s.hill(0.73, 0.05, 1.2, (226, 188, 130))
    s.hill(0.87, 0.04, 0.8, (216, 174, 114))


def city(s: Scape) -> None:
    s.sky((158, 174, 194), (198, 208, 218), bottom=0.9)
    for base, tall, fill in ((0.86, 0.52, (148, 162, 182)), (0.86, 0.36, (126, 141, 164))):
        x = -0.05 * s.rng.random()
        while x < 1:
            width, top = s.rng.uniform(0.09, 0.15), base - tall * s.rng.uniform(0.55, 1.0)
            s.rect(x, top, x + width, base, fill)
            for row in range(int((base - top) / 0.05) - 1):
                for column in range(int(width / 0.035)):
                    if s.rng.random() < 0.6:
                        wx, wy = x + 0.014 + column * 0.035, top + 0.025 + row * 0.05
                        s.rect(wx, wy, wx + 0.014, wy + 0.02, mix(fill, (236, 232, 206), 0.35))
            x += width + s.rng.uniform(0.0, 0.03)
    s.rect(0, 0.86, 1, 1, (108, 118, 134))
    s.rect(0, 0.86, 1, 0.875, (150, 158, 168))
    for k in range(6):
        s.rect(k / 6 + 0.03, 0.933, k / 6 + 0.11, 0.945, (168, 174, 180))


def space(s: Scape) -> None:
    s.sky((12, 10, 24), (18, 13, 34))
    turn = s.rng.uniform(20, 40) * s.rng.choice((-1, 1))
    s.glow(0.5, 0.5, 0.46, 0.11, (84, 50, 118), 0.75, turn, 9)
    s.glow(0.5, 0.5, 0.26, 0.045, (176, 128, 176), 0.6, turn, 5)
    s.dots(60, 0.004, (190, 186, 214))
    left = s.rng.random() < 0.5
    x = 0.03 if left else 0.97
    s.oval(x, 1.02, 0.30, 0.22, (48, 66, 92))
    s.oval(x + (0.03 if left else -0.03), 1.04, 0.27, 0.20, (38, 52, 78))
    x, y = (0.88 if left else 0.12), s.rng.uniform(0.1, 0.2)
    s.oval(x, y, 0.075, 0.016, (112, 92, 100))
    s.oval(x, y, 0.042, 0.042, (146, 112, 106))
    s.rect(x - 0.042, y - 0.003, x + 0.042, y + 0.005, (112, 92, 100))


DRAWN: dict[str, Callable[[Scape], None]] = {
    draw.__name__: draw for draw in (day, night, sunset, snow, beach, desert, city, space)
}
assert set(DRAWN) == set(SETTINGS)


@lru_cache(maxsize=128)
def backdrop(setting: str, variant: int, size: int) -> Image.Image:
    """The empty setting, size x size pixels, in one of its `VARIANTS` variants.

    >>> backdrop("snow", 0, 96).size
    (96, 96)
    """
    if setting not in DRAWN:
        raise ValueError(f"unknown setting {setting!r}: use one of {', '.join(SETTINGS)}")
    scape = Scape(size * supersampling(size), random.Random(f"flatland {setting} {variant % VARIANTS}"))
    DRAWN[setting](scape)
    return scape.image.resize((size, size), Image.Resampling.BOX)
