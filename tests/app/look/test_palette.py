"""Colours keep their distance, also for colour-blind eyes, and can be read on their background."""

import itertools

import numpy as np
import pytest

from app.charts import DARK, LIGHT, Palette

# Machado et al. 2009, severity 1, on linear RGB
EYES = {
    "typical": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(color: str) -> np.ndarray:
    v = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def lab(color: str, eyes: str) -> np.ndarray:
    xyz = XYZ @ np.clip(EYES[eyes] @ linear(color), 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(a: str, b: str, eyes: str) -> float:
    return float(np.linalg.norm(lab(a, eyes) - lab(b, eyes)))


def contrast(a: str, b: str) -> float:
    high, low = sorted((float(XYZ[1] @ linear(c)) for c in (a, b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
@pytest.mark.parametrize("eyes", EYES)
def test_meanings_can_be_told_apart(palette: Palette, eyes: str):
    for group in (
        palette.modality.values(),
        (palette.dense, palette.pruned),
        (palette.true, palette.false),
        palette.versus,
    ):
        for a, b in itertools.combinations(group, 2):
            assert distance(a, b, eyes) > 15, (a, b)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
def test_no_colour_means_two_things(palette: Palette):
    colors = {"dense": palette.dense, "pruned": palette.pruned, "true": palette.true, "false": palette.false}
    colors |= dict(zip(("own", "other"), palette.versus, strict=True))
    colors |= palette.modality
    for a, b in itertools.combinations(colors.items(), 2):
        assert distance(a[1], b[1], "typical") > 20, (a, b)
    for name, (line, color) in itertools.product(colors, enumerate(palette.beside)):
        assert distance(colors[name], color, "typical") > 20, (name, line)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
@pytest.mark.parametrize("eyes", EYES)
def test_the_sparsity_scale_has_one_direction(palette: Palette, eyes: str):
    lightness = [lab(color, eyes)[0] for color in palette.sparsity]
    steps = np.diff(lightness)
    assert (steps < -3).all() or (steps > 3).all()
    assert palette.pruned in palette.sparsity


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
@pytest.mark.parametrize("eyes", EYES)
def test_amounts_grow_in_one_direction_and_differences_in_two(palette: Palette, eyes: str):
    for modality in (*palette.modality, "unknown"):
        steps = np.diff([lab(color, eyes)[0] for _, color in palette.amounts(modality)])
        assert (steps < -8).all() or (steps > 8).all()
    (_, low), (_, middle), (_, high) = palette.divergence
    assert min(distance(middle, low, eyes), distance(middle, high, eyes)) > 30


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
def test_text_can_be_read(palette: Palette):
    for color in (palette.ink, palette.muted, palette.true, palette.false):
        for ground in (palette.background, palette.surface):
            assert contrast(color, ground) >= 4.5, (color, ground)
    for color in (palette.dense, palette.pruned, *palette.modality.values()):
        assert contrast(color, palette.background) >= 2.5, color
