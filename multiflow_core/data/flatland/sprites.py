"""The 24 kinds of Flatland things as stickers: one small function a kind, drawn on a 100 x 100 field in any colour.

A function gets a `Pen` that knows its body colour, a lighter and a darker shade of it, and two neutral accents. Outline,
inner shading and shadow are the same for all kinds and are added by `sprite`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .scene import ALL_KINDS

RGB = tuple[int, int, int]
Point = tuple[float, float]

PALETTE: dict[str, RGB] = {
    "red": (216, 40, 48),
    "orange": (250, 136, 28),
    "yellow": (253, 214, 44),
    "green": (58, 160, 76),
    "blue": (44, 108, 216),
    "purple": (124, 60, 178),
    "pink": (250, 142, 190),
    "brown": (144, 84, 38),
    "white": (250, 247, 240),
    "black": (32, 35, 45),
}
CREAM: RGB = (255, 244, 220)
SLATE: RGB = (44, 47, 58)
GREY: RGB = (168, 178, 192)
DEEP: dict[str, RGB] = {  # what darkens a colour without leaving its hue; black is lightened instead
    "orange": (196, 76, 0),
    "yellow": (206, 148, 0),
    "pink": (190, 44, 120),
    "white": (120, 128, 156),
    "black": (150, 158, 180),
}
MARGIN = 0.06  # room for outline and shadow on each side of the figure, as a share of the sprite's width
OUTLINE = 0.04


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """Colour `a` with a share of `b` stirred in.

    >>> mix((0, 0, 0), (200, 100, 50), 0.5)
    (100, 50, 25)
    """
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b))  # type: ignore[return-value]


class Pen:
    """Draws on a 100 x 100 field, y downwards, that fills a transparent square picture of `px` pixels but for a margin."""

    def __init__(self, px: int, color: str) -> None:
        self.image = Image.new("RGBA", (px, px), (*PALETTE[color], 0))
        self._draw = ImageDraw.Draw(self.image)
        self._scale = px * (1 - 2 * MARGIN) / 100
        self._offset = px * MARGIN
        self.body = PALETTE[color]
        self.dark = mix(self.body, DEEP.get(color, (0, 0, 0)), 0.16 if color in ("white", "black") else 0.25)
        self.light = mix(self.body, (255, 255, 255), 0.12 if color == "black" else 0.26)
        self.ink = CREAM if color == "black" else SLATE
        self.hole = (100, 108, 126) if color == "black" else SLATE
        self.glass = GREY if color == "white" else CREAM

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [(self._offset + x * self._scale, self._offset + y * self._scale) for x, y in points]

    def poly(self, points: Sequence[Point], fill: RGB) -> None:
        self._draw.polygon(self._at(points), fill=fill)

    def curve(self, points: Sequence[Point], fill: RGB) -> None:
        """A smooth closed outline through the points (Catmull-Rom)."""
        self.poly(smooth(points), fill)

    def oval(self, x0: float, y0: float, x1: float, y1: float, fill: RGB) -> None:
        self._draw.ellipse(self._at([(x0, y0), (x1, y1)]), fill=fill)

    def dot(self, x: float, y: float, radius: float, fill: RGB) -> None:
        self.oval(x - radius, y - radius, x + radius, y + radius, fill)

    def rect(self, x0: float, y0: float, x1: float, y1: float, fill: RGB, radius: float = 0) -> None:
        self._draw.rounded_rectangle(self._at([(x0, y0), (x1, y1)]), radius * self._scale, fill=fill)

    def line(self, points: Sequence[Point], width: float, fill: RGB) -> None:
        """A stroke with round ends and joints."""
        self._draw.line(self._at(points), fill=fill, width=max(1, round(width * self._scale)), joint="curve")
        for x, y in (points[0], points[-1]):
            self.dot(x, y, width / 2, fill)

    def dome(self, x0: float, y0: float, x1: float, y1: float, fill: RGB) -> None:
        """The upper half of an oval."""
        self._draw.pieslice(self._at([(x0, y0), (x1, y1)]), 180, 360, fill=fill)

    def cut(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Takes an oval away."""
        self._draw.ellipse(self._at([(x0, y0), (x1, y1)]), fill=(*self.body, 0))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """What is drawn meanwhile shows only where something was drawn before."""
        alpha = self.image.getchannel("A")
        yield
        self.image.putalpha(alpha)


def smooth(points: Sequence[Point], steps: int = 8) -> list[Point]:
    """A closed Catmull-Rom curve through the points, as a polygon.

    >>> len(smooth([(0, 0), (1, 0), (1, 1), (0, 1)]))
    32
    """
    found, n = [], len(points)
    for i in range(n):
        a, b, c, d = (points[(i + k) % n] for k in (-1, 0, 1, 2))
        for s in range(steps):
            t = s / steps
            wa, wb = -t + 2 * t * t - t**3, 2 - 5 * t * t + 3 * t**3
            wc, wd = t + 4 * t * t - 3 * t**3, -t * t + t**3
            found.append(tuple((wa * p + wb * q + wc * r + wd * u) / 2 for p, q, r, u in zip(a, b, c, d)))
    return found


# --- animals ---------------------------------------------------------------------------------------------------------


def cat(pen: Pen) -> None:
    """Sitting, seen from the front: pointed ears, whiskers, the tail curled up."""
    pen.line([(66, 92), (84, 91), (92, 80), (91, 66), (95, 54)], 10, pen.dark)
    pen.curve([(43, 44), (62, 56), (74, 82), (70, 99), (43, 99), (16, 99), (12, 82), (24, 56)], pen.body)
    for side in (-1, 1):
        ear = [(43 + side * x, y) for x, y in ((38, 40), (37, 0), (8, 16))]
        pen.poly(ear, pen.body)
        pen.poly([(43 + side * x, y) for x, y in ((33, 26), (32, 10), (18, 18))], pen.dark)
    with pen.inside():
        pen.oval(10, 24, 76, 70, pen.dark)
    pen.oval(4, 12, 82, 64, pen.body)
    pen.oval(28, 70, 58, 98, pen.light)
    for side in (-1, 1):
        pen.oval(43 + side * 17 - 5, 30, 43 + side * 17 + 5, 43, pen.ink)
        pen.line([(43 + side * 20, 51), (43 + side * 36, 49)], 1.6, pen.ink)
        pen.line([(43 + side * 9, 86), (43 + side * 9, 98)], 2, pen.dark)
    pen.poly([(38, 46), (48, 46), (43, 52)], pen.ink)


def dog(pen: Pen) -> None:
    """Standing, seen from the side: muzzle, floppy ear, four legs, the tail up."""
    pen.line([(84, 54), (93, 40), (95, 26)], 10, pen.body)
    pen.rect(40, 64, 52, 95, pen.dark, 4)
    pen.rect(68, 64, 80, 95, pen.dark, 4)
    pen.curve([(28, 40), (50, 46), (78, 45), (91, 56), (89, 72), (62, 76), (32, 77), (24, 60)], pen.body)
    pen.rect(26, 62, 39, 99, pen.body, 5)
    pen.rect(78, 58, 91, 99, pen.body, 5)
    pen.rect(0, 27, 34, 50, pen.body, 10)
    pen.oval(10, 6, 52, 54, pen.body)
    pen.curve([(36, 8), (48, 8), (58, 26), (56, 46), (46, 50), (39, 34)], pen.dark)
    pen.oval(0, 25, 11, 35, pen.ink)
    pen.dot(25, 23, 4.2, pen.ink)
    pen.line([(6, 43), (18, 43)], 1.6, pen.dark)
    pen.line([(27, 56), (46, 55)], 5, pen.glass)


def fish(pen: Pen) -> None:
    """Swimming to the right: forked tail, fins, scales."""
    pen.curve([(46, 26), (52, 8), (72, 10), (84, 30)], pen.dark)
    pen.curve([(48, 74), (46, 92), (62, 90), (72, 76)], pen.dark)
    pen.curve([(30, 50), (12, 20), (0, 16), (8, 50), (0, 84), (12, 80)], pen.dark)
    pen.curve([(20, 50), (40, 26), (68, 19), (92, 34), (100, 50), (92, 66), (68, 81), (40, 74)], pen.body)
    for x, y in ((40, 42), (40, 58), (52, 34), (52, 50), (52, 66)):
        pen.oval(x - 4, y - 5, x + 4, y + 5, pen.light)
    pen.line([(68, 32), (63, 42), (63, 58), (68, 68)], 3, pen.dark)
    pen.dot(82, 42, 7.5, pen.glass)
    pen.dot(83, 42, 4.2, SLATE)
    pen.line([(90, 60), (97, 57)], 2, pen.ink)


def bird(pen: Pen) -> None:
    """Perched, looking right: beak, raised wing, fanned tail, two thin legs."""
    for x in (46, 60):
        pen.line([(x, 80), (x, 96), (x + 10, 96)], 4, pen.hole)
    pen.poly([(86, 22), (100, 31), (85, 38)], pen.hole)
    pen.poly([(30, 56), (4, 40), (0, 52), (5, 58), (2, 68), (10, 70), (34, 78)], pen.dark)
    pen.curve([(18, 58), (38, 48), (56, 28), (70, 12), (86, 16), (89, 34), (82, 58), (66, 82), (42, 86)], pen.body)
    pen.curve([(64, 56), (48, 34), (24, 8), (16, 12), (20, 40), (34, 64), (54, 70)], pen.dark)
    pen.curve([(56, 54), (44, 40), (28, 20), (27, 34), (38, 56), (50, 62)], pen.light)
    pen.dot(75, 26, 4.4, pen.ink)


def rabbit(pen: Pen) -> None:
    """Crouching, looking left: two long upright ears, a round back, a tuft of a tail."""
    pen.curve([(32, 46), (36, 20), (44, 2), (52, 4), (52, 24), (44, 48)], pen.dark)
    pen.dot(90, 78, 10, pen.glass)
    pen.curve([(32, 64), (54, 48), (78, 54), (92, 76), (86, 97), (56, 99), (28, 98), (24, 80)], pen.body)
    pen.curve([(18, 46), (15, 18), (20, 0), (28, 0), (34, 20), (34, 46)], pen.body)
    pen.curve([(22, 40), (20, 20), (23, 8), (28, 20), (29, 40)], pen.light)
    pen.oval(2, 36, 48, 76, pen.body)
    pen.curve([(56, 76), (70, 66), (84, 76), (84, 94), (64, 98), (54, 90)], pen.dark)
    pen.rect(14, 90, 44, 100, pen.body, 5)
    pen.rect(52, 90, 86, 100, pen.body, 5)
    pen.dot(18, 52, 4.2, pen.ink)
    pen.oval(2, 55, 9, 61, pen.ink)


# --- vehicles --------------------------------------------------------------------------------------------------------


def wheel(pen: Pen, x: float, y: float, radius: float) -> None:
    pen.dot(x, y, radius, SLATE)
    pen.dot(x, y, radius * 0.45, CREAM)


def car(pen: Pen) -> None:
    """Low and long, seen from the side: a rounded cabin on two big wheels."""
    pen.curve([(12, 46), (23, 27), (36, 15), (62, 15), (77, 28), (90, 46), (60, 54), (36, 54)], pen.body)
    pen.rect(0, 42, 100, 78, pen.body, 14)
    with pen.inside():
        pen.rect(0, 68, 100, 80, pen.dark)
    pen.poly([(26, 43), (35, 26), (47, 25), (47, 43)], pen.glass)
    pen.poly([(54, 43), (54, 25), (62, 26), (74, 43)], pen.glass)
    pen.rect(92, 50, 100, 58, pen.glass, 3)
    wheel(pen, 24, 76, 12.5)
    wheel(pen, 76, 76, 12.5)


def bus(pen: Pen) -> None:
    """A tall long box, seen from the side: a row of windows, small wheels."""
    pen.rect(0, 8, 100, 86, pen.body, 10)
    with pen.inside():
        pen.rect(0, 58, 100, 66, pen.light)
        pen.rect(0, 78, 100, 90, pen.dark)
    for x in (8, 28, 48):
        pen.rect(x, 22, x + 15, 41, pen.glass, 3)
    pen.rect(72, 22, 92, 41, pen.glass, 3)
    for x in (72, 82, 92):
        pen.line([(x, 48), (x, 74)], 1.8, pen.dark)
    wheel(pen, 22, 86, 10)
    wheel(pen, 76, 86, 10)


def boat(pen: Pen) -> None:
    """A sailing boat: two sails over a wide hull."""
    pen.line([(47, 3), (47, 70)], 4, pen.ink)
    pen.curve([(52, 4), (70, 20), (84, 40), (92, 62), (72, 62), (52, 62), (52, 40)], pen.body)
    pen.curve([(42, 14), (30, 34), (10, 62), (26, 62), (42, 62), (42, 40)], pen.light)
    pen.poly([(0, 68), (100, 68), (94, 84), (84, 96), (18, 96), (7, 84)], pen.dark)
    pen.poly([(0, 68), (100, 68), (98, 74), (2, 74)], pen.body)


def plane(pen: Pen) -> None:
    """An airliner flying to the right: swept wings and a tail fin."""
    pen.poly([(42, 46), (64, 46), (48, 14), (36, 14)], pen.dark)
    pen.poly([(4, 48), (0, 16), (14, 16), (34, 44)], pen.dark)
    pen.curve([(2, 44), (30, 38), (76, 37), (96, 46), (100, 54), (92, 61), (70, 65), (24, 62), (6, 54)], pen.body)
    pen.poly([(36, 55), (66, 55), (36, 94), (22, 94)], pen.dark)
    pen.poly([(38, 55), (64, 55), (38, 88), (30, 88)], pen.body)
    for x in (30, 41, 52, 63, 74):
        pen.dot(x, 47, 2.8, pen.glass)
    pen.poly([(83, 44), (91, 45), (96, 50), (84, 50)], pen.hole)


def rocket(pen: Pen) -> None:
    """Standing on its flame: pointed nose, a porthole, two fins."""
    pen.curve([(38, 80), (36, 88), (50, 101), (64, 88), (62, 80)], (255, 206, 120))
    pen.curve([(30, 46), (12, 62), (6, 90), (18, 84), (34, 78)], pen.dark)
    pen.curve([(70, 46), (88, 62), (94, 90), (82, 84), (66, 78)], pen.dark)
    pen.curve([(50, -1), (66, 14), (75, 38), (72, 66), (64, 83), (36, 83), (28, 66), (25, 38), (34, 14)], pen.body)
    with pen.inside():
        pen.rect(22, 68, 78, 74, pen.light)
    pen.dot(50, 40, 12, pen.hole)
    pen.dot(50, 40, 8, pen.glass)
    pen.rect(47, 62, 53, 90, pen.dark, 3)


# --- buildings -------------------------------------------------------------------------------------------------------


def house(pen: Pen) -> None:
    """A wide roof with a chimney, a door and two windows."""
    pen.rect(71, 8, 84, 40, pen.dark, 1)
    pen.rect(11, 40, 89, 99, pen.body, 2)
    pen.poly([(50, 2), (100, 46), (95, 53), (5, 53), (0, 46)], pen.dark)
    pen.rect(42, 68, 58, 99, pen.hole, 2)
    for x in (19, 66):
        pen.rect(x, 63, x + 15, 80, pen.glass, 1)
        pen.line([(x + 7.5, 64), (x + 7.5, 79)], 1.6, pen.dark)


def castle(pen: Pen) -> None:
    """Two crenellated towers beside a keep with a flag."""
    pen.line([(50, 1), (50, 26)], 3, pen.ink)
    pen.poly([(51, 0), (68, 6), (51, 12)], pen.dark)
    for x0, x1, top in ((32, 68, 24), (0, 29, 36), (71, 100, 36)):
        step = (x1 - x0) / 5
        pen.rect(x0, top + 9, x1, 99, pen.body)
        for k in (0, 2, 4):
            pen.rect(x0 + k * step, top, x0 + (k + 1) * step, top + 12, pen.body)
    pen.rect(26, 58, 74, 99, pen.dark)
    pen.rect(39, 68, 61, 99, pen.hole, 10)
    pen.rect(39, 84, 61, 99, pen.hole)
    for x, y in ((14.5, 56), (85.5, 56), (50, 40)):
        pen.rect(x - 4, y, x + 4, y + 14, pen.glass, 4)


def tent(pen: Pen) -> None:
    """A camping tent with crossed poles and an open flap."""
    pen.line([(44, 3), (54, 18)], 4, pen.hole)
    pen.line([(56, 3), (46, 18)], 4, pen.hole)
    pen.curve([(50, 8), (60, 30), (78, 66), (100, 95), (50, 97), (0, 95), (22, 66), (40, 30)], pen.body)
    with pen.inside():
        pen.poly([(50, 6), (24, 60), (8, 100), (30, 100)], pen.light)
        pen.poly([(50, 6), (76, 60), (92, 100), (70, 100)], pen.light)
    pen.poly([(50, 48), (63, 96), (37, 96)], pen.hole)
    pen.poly([(50, 48), (37, 96), (29, 96)], pen.dark)
    pen.poly([(50, 48), (63, 96), (71, 96)], pen.dark)


def lighthouse(pen: Pen) -> None:
    """A slender striped tower with a lantern, on a rock."""
    pen.curve([(12, 91), (22, 84), (50, 82), (78, 84), (90, 91), (90, 98), (50, 99), (10, 98)], pen.dark)
    pen.poly([(35, 34), (65, 34), (75, 94), (25, 94)], pen.body)
    with pen.inside():
        for y in (48, 72):
            pen.poly([(22, y), (78, y), (78, y + 9), (22, y + 9)], pen.light if pen.glass == CREAM else pen.dark)
    pen.rect(39, 17, 61, 32, pen.glass, 1)
    pen.line([(50, 16), (50, 30)], 2, pen.ink)
    pen.rect(28, 29, 72, 36, pen.hole, 2)
    pen.poly([(50, 2), (70, 18), (30, 18)], pen.body)
    pen.rect(44, 83, 56, 95, pen.hole, 5)


# --- plants ----------------------------------------------------------------------------------------------------------


def tree(pen: Pen) -> None:
    """A round leafy crown on a trunk."""
    pen.poly([(43, 58), (57, 58), (60, 92), (68, 99), (32, 99), (40, 92)], mix(SLATE, (120, 84, 60), 0.5))
    pen.oval(4, 28, 54, 74, pen.body)
    pen.oval(46, 28, 96, 74, pen.dark)
    pen.oval(20, 0, 80, 58, pen.body)
    pen.oval(24, 32, 78, 76, pen.body)
    pen.oval(30, 8, 56, 28, pen.light)
    for x, y in ((20, 46), (62, 44), (44, 56)):
        pen.oval(x, y, x + 13, y + 9, pen.light)


def flower(pen: Pen) -> None:
    """A daisy: six round petals around a pale heart, on a thin stem with two leaves."""
    pen.line([(50, 50), (50, 97)], 6, pen.dark)
    pen.curve([(50, 94), (54, 80), (70, 72), (86, 72), (78, 88), (62, 95)], pen.dark)
    pen.curve([(50, 94), (46, 80), (30, 72), (14, 72), (22, 88), (38, 95)], pen.dark)
    for k in range(6):
        angle = math.pi * (k / 3 + 1 / 6)
        pen.dot(50 + 25 * math.cos(angle), 38 + 25 * math.sin(angle), 13, pen.body)
    pen.dot(50, 38, 20, pen.body)
    for k in range(6):
        angle = math.pi * k / 3
        pen.line([(50, 38), (50 + 19 * math.cos(angle), 38 + 19 * math.sin(angle))], 2.4, pen.dark)
    pen.dot(50, 38, 10, pen.glass)
    pen.dot(50, 38, 5, pen.dark)


def cactus(pen: Pen) -> None:
    """A saguaro: a ribbed column with two raised arms."""
    for points in ([(50, 66), (13, 66), (13, 36)], [(50, 54), (87, 54), (87, 22)]):
        pen.line(points, 19, pen.body)
        pen.dot(*points[1], 9.5, pen.body)
    pen.rect(35, 0, 65, 100, pen.body, 15)
    with pen.inside():
        pen.rect(35, 92, 65, 101, pen.dark)
        for x in (43, 57):
            pen.line([(x, 10), (x, 90)], 3, pen.dark)
    for x, y in ((50, 18), (50, 38), (50, 58), (50, 78), (13, 44), (13, 60), (87, 30), (87, 46)):
        pen.line([(x - 3, y - 3), (x + 3, y + 3)], 1.8, pen.glass)
        pen.line([(x + 3, y - 3), (x - 3, y + 3)], 1.8, pen.glass)


def mushroom(pen: Pen) -> None:
    """A wide spotted cap on a thick pale stem."""
    stem = mix(pen.body, CREAM, 0.25 if pen.ink == CREAM else 0.5)
    pen.curve([(36, 52), (36, 74), (30, 94), (50, 99), (70, 94), (64, 74), (64, 52)], stem)
    pen.curve(
        [(0, 54), (8, 28), (28, 8), (50, 3), (72, 8), (92, 28), (100, 54), (80, 62), (50, 64), (20, 62)],
        pen.body,
    )
    with pen.inside():
        pen.curve([(0, 58), (20, 56), (50, 58), (80, 56), (100, 58), (80, 68), (50, 70), (20, 68)], pen.dark)
    for x, y, r in ((48, 20, 9), (22, 36, 7), (76, 34, 8), (50, 46, 6)):
        pen.oval(x - r, y - r * 0.85, x + r, y + r * 0.85, pen.glass)


# --- food ------------------------------------------------------------------------------------------------------------


def apple(pen: Pen) -> None:
    """Round with a dent at the top, a stem and one leaf."""
    right = [(50, 30), (66, 21), (88, 27), (98, 50), (90, 78), (70, 98), (50, 94)]
    pen.curve([*right, *((100 - x, y) for x, y in right[-2:0:-1])], pen.body)
    pen.curve([(14, 50), (22, 34), (34, 31), (26, 44), (22, 60)], pen.light)
    pen.line([(50, 33), (49, 18), (44, 7)], 6, pen.hole)
    pen.curve([(51, 22), (58, 6), (76, 0), (88, 2), (82, 14), (66, 22)], pen.dark)


def cake(pen: Pen) -> None:
    """Two tiers with dripping icing and three candles."""
    icing = mix(pen.body, pen.glass, 0.35 if pen.ink == CREAM else 0.62)
    for x in (32, 50, 68):
        pen.rect(x - 3, 14, x + 3, 38, pen.dark, 1)
        pen.curve([(x, 0), (x + 5, 9), (x, 15), (x - 5, 9)], (255, 206, 120))
    pen.rect(0, 95, 100, 99, pen.hole, 2)
    pen.rect(5, 58, 95, 95, pen.body, 3)
    pen.rect(19, 33, 81, 64, pen.body, 4)
    for x0, x1, y in ((19, 81, 33), (5, 95, 60)):
        count = 5 if x0 == 19 else 7
        step = (x1 - x0) / count
        for k in range(count):
            x = x0 + k * step
            pen.rect(x, y + 1, x + step, y + (6 if k % 2 else 10), icing if k % 2 == 0 else pen.body, step / 2)
        pen.rect(x0, y, x1, y + 5, icing, 2.5)
    with pen.inside():
        pen.rect(0, 85, 100, 94, pen.dark)


def carrot(pen: Pen) -> None:
    """A pointed root lying aslant with its leaves at the upper right."""
    for end in ((70, 4), (86, 2), (97, 16), (97, 32)):
        pen.line([(64, 36), end], 9, pen.dark)
    pen.curve([(2, 98), (14, 66), (30, 36), (50, 24), (70, 30), (77, 50), (64, 70), (34, 86)], pen.body)
    with pen.inside():
        for a, b in (((24, 46), (40, 56)), ((60, 74), (46, 64)), ((14, 70), (26, 77)), ((46, 26), (56, 36))):
            pen.line([a, b], 3.4, pen.dark)
    pen.curve([(38, 40), (50, 31), (54, 36), (42, 48)], pen.light)


# --- sky -------------------------------------------------------------------------------------------------------------


def star(pen: Pen) -> None:
    """Five blunt points."""
    points = []
    for k in range(10):
        radius, angle = (52, 25)[k % 2], math.pi * (k / 5 - 0.5)
        points.append((50 + radius * math.cos(angle), 53 + radius * math.sin(angle)))
    pen.poly(points, pen.body)
    with pen.inside():
        for k in range(0, 10, 2):
            pen.poly([(50, 53), points[k], points[(k + 1) % 10]], pen.dark)
    pen.line([points[9], points[0], points[1]], 0.5, pen.body)


def cloud(pen: Pen) -> None:
    """Wide with three billows and a flat base."""
    pen.rect(0, 54, 100, 84, pen.body, 15)
    pen.oval(8, 36, 42, 74, pen.body)
    pen.oval(26, 12, 70, 64, pen.body)
    pen.oval(62, 34, 94, 72, pen.body)
    with pen.inside():
        for x0, y0, x1, y1 in ((2, 66, 38, 96), (34, 68, 70, 98), (64, 66, 100, 96)):
            pen.oval(x0, y0 + 6, x1, y1, pen.dark)
    pen.oval(35, 20, 52, 32, pen.light)


def moon(pen: Pen) -> None:
    """A thick crescent open to the right, with craters."""
    pen.oval(4, 0, 100, 100, pen.body)
    pen.cut(46, -6, 122, 76)
    for x, y, r in ((24, 36, 6), (34, 66, 8), (60, 84, 6), (18, 58, 4)):
        pen.dot(x, y, r, pen.dark)


DRAWN: dict[str, Callable[[Pen], None]] = {
    draw.__name__: draw
    for draw in (
        cat,
        dog,
        fish,
        bird,
        rabbit,
        car,
        bus,
        boat,
        plane,
        rocket,
        house,
        castle,
        tent,
        lighthouse,
        tree,
        flower,
        cactus,
        mushroom,
        apple,
        cake,
        carrot,
        star,
        cloud,
        moon,
    )
}
assert set(DRAWN) == set(ALL_KINDS)


def supersampling(px: int) -> int:
    """How many times larger than needed something of `px` pixels is drawn before it is reduced.

    >>> supersampling(24), supersampling(480)
    (4, 2)
    """
    return 4 if px <= 128 else 2


def figure(kind: str, color: str, px: int) -> Image.Image:
    """The bare figure of `px` x `px` pixels, not antialiased, with neither outline nor shadow.

    >>> figure("cat", "red", 64).mode
    'RGBA'
    """
    if kind not in DRAWN:
        raise ValueError(f"unknown kind {kind!r}: use one of {', '.join(ALL_KINDS)}")
    if color not in PALETTE:
        raise ValueError(f"unknown color {color!r}: use one of {', '.join(PALETTE)}")
    pen = Pen(px, color)
    DRAWN[kind](pen)
    return pen.image


def shifted(mask: Image.Image, dx: int, dy: int) -> Image.Image:
    moved = Image.new("L", mask.size, 0)
    moved.paste(mask, (dx, dy))
    return moved


def grown(mask: Image.Image, distance: float) -> Image.Image:
    """The mask grown (distance > 0) or shrunk by about so many pixels, its corners rounded."""
    sharp = 255 * 0.5 * (1 + math.erf(-math.copysign(1, distance) / math.sqrt(2)))
    return mask.filter(ImageFilter.GaussianBlur(abs(distance))).point(lambda v: 255 if v > sharp else 0)


@lru_cache(maxsize=4096)
def sprite(kind: str, color: str, width: int) -> Image.Image:
    """The sticker of a kind in a colour, `width` pixels wide and high: figure, shading, white outline, soft shadow.

    >>> sprite("boat", "blue", 24).size
    (24, 24)
    """
    px = width * supersampling(width)
    art = figure(kind, color, px)
    mask = art.getchannel("A")
    paint = art.convert("RGB")
    shift = max(1, round(px * 0.035))
    side = ImageChops.subtract(mask, shifted(mask, -shift, -shift)).point(lambda v: v * 13 // 100)
    strength = 7 if color == "black" else 17
    glow = ImageChops.subtract(mask, shifted(mask, shift, shift)).point(lambda v: v * strength // 100)
    paint.paste((10, 12, 40), mask=side)
    paint.paste((255, 255, 255), mask=glow)
    if color == "white":
        paint.paste((158, 164, 178), mask=ImageChops.subtract(mask, grown(mask, -px * 0.022)))
    edge = grown(mask, px * OUTLINE)
    shadow = shifted(edge, 0, round(px * 0.018)).filter(ImageFilter.GaussianBlur(px * 0.014))
    sheet = Image.new("RGB", (px, px), (24, 26, 48))
    sheet.paste((255, 255, 255), mask=edge)
    sheet.paste(paint, mask=mask)
    sheet.putalpha(ImageChops.lighter(edge, shadow.point(lambda v: v * 34 // 100)))
    return sheet.resize((width, width), Image.Resampling.BOX)
