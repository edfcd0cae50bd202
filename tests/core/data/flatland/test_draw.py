import itertools

import numpy as np
import pytest

from multiflow_core.data.flatland.backdrops import VARIANTS, backdrop
from multiflow_core.data.flatland.draw import contact_sheet, render
from multiflow_core.data.flatland.scene import ALL_KINDS, COLORS, SETTINGS, Scene, Thing, scene
from multiflow_core.data.flatland.sprites import PALETTE, figure, sprite


def pixels(image):
    return np.asarray(image, dtype=np.float32)


def test_the_same_scene_gives_the_same_bytes():
    first = [render(scene("test", i)).tobytes() for i in range(4)]
    sprite.cache_clear()
    backdrop.cache_clear()
    assert [render(scene("test", i)).tobytes() for i in range(4)] == first


@pytest.mark.parametrize("index", range(8))
def test_large_and_small_show_the_same_picture(index):
    one = scene("val", index)
    large = render(one, 384).reduce(4)
    assert np.abs(pixels(large) - pixels(render(one, 96))).mean() < 5


@pytest.mark.parametrize("size", [64, 97, 256])
def test_any_size_is_rgb_and_square(size):
    picture = render(scene("test", 1), size)
    assert picture.size == (size, size) and picture.mode == "RGB"


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_kind_is_nearest_to_its_own_colour(kind):
    palette = np.array([PALETTE[color] for color in COLORS], dtype=np.float32)
    for color in COLORS:
        art = pixels(figure(kind, color, 96))
        mean = art[art[..., 3] > 0][:, :3].mean(0)
        assert COLORS[np.square(palette - mean).sum(1).argmin()] == color, (kind, color, mean)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_the_body_colour_dominates(kind):
    art = pixels(figure(kind, "blue", 200))
    shown = art[art[..., 3] > 0][:, :3]
    bluish = (shown[:, 2] > shown[:, 0] + 60) & (shown[:, 2] > shown[:, 1] + 20)
    assert bluish.mean() >= 0.65


def test_every_silhouette_differs_from_every_other():
    masks = {kind: pixels(figure(kind, "red", 48))[..., 3] > 0 for kind in ALL_KINDS}
    for a, b in itertools.combinations(ALL_KINDS, 2):
        assert (masks[a] & masks[b]).sum() / (masks[a] | masks[b]).sum() < 0.93, (a, b)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_sticker_fills_its_box_and_stays_inside(kind):
    alpha = pixels(sprite(kind, "green", 90))[..., 3]
    left, top, right, bottom = figure(kind, "green", 400).getbbox()
    assert max(right - left, bottom - top) >= 0.84 * 400
    edge = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    assert edge.max() < 128


def test_settings_and_their_variants_differ():
    shown = {backdrop(s, v, 64).tobytes() for s in SETTINGS for v in range(VARIANTS)}
    assert len(shown) == len(SETTINGS) * VARIANTS
    means = {s: pixels(backdrop(s, 0, 64).resize((4, 4))) for s in SETTINGS}
    for a, b in itertools.combinations(SETTINGS, 2):
        assert np.abs(means[a] - means[b]).mean() > 12, (a, b)


def test_a_thing_is_drawn_where_the_scene_says():
    empty, full = Scene("day", (), 0), Scene("day", (Thing("bus", "red", "small", 0.7, 0.3),), 0)
    changed = np.abs(pixels(render(full)) - pixels(render(empty))).sum(-1) > 40
    y, x = (axis.mean() / 96 for axis in np.nonzero(changed))
    assert abs(x - 0.7) < 0.02 and abs(y - 0.3) < 0.03


def test_contact_sheet_has_room_for_all():
    assert contact_sheet([scene("test", i) for i in range(3)], columns=2, size=64).size == (134, 134)


@pytest.mark.parametrize("size", [0, 63, 1025])
def test_a_size_out_of_range_is_one_sentence(size):
    with pytest.raises(ValueError, match=f"^size must be between 64 and 1024 pixels, not {size}$"):
        render(scene("test", 0), size)


def test_unknown_words_are_one_sentence():
    with pytest.raises(ValueError, match="unknown kind 'cow'"):
        sprite("cow", "red", 24)
    with pytest.raises(ValueError, match="unknown color 'teal'"):
        sprite("cat", "teal", 24)
    with pytest.raises(ValueError, match="unknown setting 'moor'"):
        backdrop("moor", 0, 96)
