"""Pictures as models read them: upright, in eight bits, reduced; and a clause for those that cannot be opened."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from multiflow_core.data import pictures

from .made import picture


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    shown = np.asarray(pictures.opened(saved(Image.fromarray(ramp), kind), 8))
    assert shown.shape == (16, 16, 3) and shown[0, 0, 0] == 0 and shown[-1, -1, 0] == 255
    assert np.abs(shown[..., 0].ravel().astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0, 1e7])
def test_floats_are_scaled_to_the_range_they_are_in(top):
    ramp = (np.linspace(0, 1, 64) * top).astype(np.float32).reshape(8, 8)
    shown = np.asarray(pictures.opened(saved(Image.fromarray(ramp), "TIFF"), 8))[..., 0].ravel()
    assert np.abs(shown.astype(int) - np.rint(np.linspace(0, 255, 64))).max() <= 1


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_camera_that_was_held_askew(turn):
    """A picture whose upper left corner is red when it is shown as it should be."""
    upright = Image.new("RGB", (32, 48), "blue")
    upright.paste("red", (0, 0, 16, 16))
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transpositions of Pillow that undo each other
    stored = upright if turn == 1 else upright.transpose(Image.Transpose(back[turn]))
    exif = Image.Exif()
    exif[0x0112] = turn
    shown = pictures.opened(saved(stored, "JPEG", exif=exif, quality=95, subsampling=0), 32)
    assert shown.size == (32, 48) and shown.getpixel((4, 4))[0] > 200 and shown.getpixel((28, 44))[2] > 200


@pytest.mark.parametrize(
    ("size", "kept"),
    [((3000, 1900), (316, 200)), ((150, 90), (150, 90)), ((300, 250), (300, 250)), ((40, 4000), (40, 4000))],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_large_pictures_are_reduced_to_a_few_times_what_is_read(size, kept, kind):
    shown = pictures.opened(saved(Image.new("RGB", size, (200, 30, 90)), kind), 100)
    drafted = kind == "JPEG" and size[0] == 3000  # decoded at an eighth of its size, which is small enough
    assert shown.size == ((375, 238) if drafted else kept)
    assert np.abs(np.asarray(shown, int) - (200, 30, 90)).max() <= 3


def test_a_jpeg_is_never_held_at_its_full_size(monkeypatch):
    """What counts are the pixels that it is decoded to; a progressive one has to be held as a whole."""
    monkeypatch.setattr(pictures, "MOST_PIXELS", 100_000)
    monkeypatch.setattr(pictures, "MOST_REDUCED", 400_000)
    large = Image.new("RGB", (750, 500), (200, 30, 90))
    assert pictures.opened(saved(large, "JPEG"), 60).size == (188, 125)
    for held in (saved(large, "JPEG", progressive=True), saved(large, "PNG"), saved(large.resize((900, 600)), "JPEG")):
        with pytest.raises(ValueError, match="million pixels"):
            pictures.opened(held, 60)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_three_colours(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert pictures.opened(saved(Image.new(mode, (20, 20), 1 if mode == "I;16" else None), kind), 8).mode == "RGB"


def bomb(side: int) -> bytes:
    """A small PNG that says it is huge."""

    def chunk(kind: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("held", "said"),
    [
        (b"", "no picture that can be read"),
        (b"<html>", "no picture that can be read"),
        (picture(0, (200, 200), "JPEG")[:2000], "cut off"),
        (picture(0, (200, 200))[:2000], "cut off|cannot be decoded"),
        (bomb(10_000), "more than 89 million pixels"),
        (bomb(60_000), "more than 89 million pixels"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "no picture that can be read"),
    ],
)
def test_what_cannot_be_opened_says_why(held, said):
    assert pictures.problem(held)
    with pytest.raises(ValueError, match=said):
        pictures.opened(held, 32)


def test_a_file_that_is_too_large_is_not_decoded(monkeypatch):
    monkeypatch.setattr(pictures, "LARGEST_FILE", 10)
    assert "larger than 0 MB" in pictures.problem(picture())
