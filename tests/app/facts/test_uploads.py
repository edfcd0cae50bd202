"""Pictures from outside: good ones are read, bad ones get one sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from app.facts import uploads


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", uploads.FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pictures_are_read_as_rgb(kind, mode):
    image = uploads.read(saved(Image.new(mode, (40, 30), "red" if mode == "RGB" else 90), kind))
    assert image.mode == "RGB" and image.size == (40, 30)


def test_transparency_becomes_white():
    image = uploads.read(saved(Image.new("RGBA", (20, 20), (255, 0, 0, 0))))
    assert image.getpixel((5, 5)) == (255, 255, 255)


def test_a_palette_with_transparency_becomes_white():
    image = Image.new("P", (20, 20), 0)
    image.putpalette([255, 0, 0] * 2)
    assert uploads.read(saved(image, transparency=0)).getpixel((5, 5)) == (255, 255, 255)


def test_large_pictures_are_made_smaller():
    assert max(uploads.read(saved(Image.new("RGB", (3000, 1500)))).size) == 1024


def test_orientation_is_heeded():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert uploads.read(saved(Image.new("RGB", (40, 20)), "JPEG", exif=exif)).size == (20, 40)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled(kind):
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16)[None].repeat(64, 0)
    seen = np.asarray(uploads.read(saved(Image.fromarray(ramp), kind)))[0, :, 0].astype(int)
    assert np.abs(seen - np.arange(256)).max() <= 1


def test_a_picture_of_a_large_camera_is_made_smaller_and_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    held = saved(Image.new("L", (16320, 12240), 90), "JPEG", exif=exif)  # 200 million pixels, lying on its side
    assert uploads.read(held).size == (768, 1024)


def test_what_phones_write_and_nobody_reads_is_named():
    with pytest.raises(uploads.BadImage, match=r"HEIC.* save the picture as JPEG"):
        uploads.read(b"\0\0\0\x18ftypheic" + b"\0" * 100)


def bomb(width: int, height: int) -> bytes:
    """A small PNG file that claims to be huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


PNG = saved(Image.effect_noise((64, 64), 60))
BAD = {
    "empty": b"",
    "text": b"hello, I am not a picture",
    "gif": saved(Image.new("RGB", (20, 20)), "GIF"),
    "cut": PNG[: len(PNG) // 2],
    "flipped": PNG[:200] + b"\0\0\0\0" + PNG[204:],
    "bomb": bomb(60_000, 60_000),
    "large": bomb(6_000, 6_000),
    "lying": bomb(500, 500),
    "tiny": saved(Image.new("RGB", (2, 2))),
    "strip": saved(Image.new("RGB", (2000, 10))),
    "heavy": PNG + b"\0" * uploads.MAX_BYTES,
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_gets_one_sentence(kind):
    with pytest.raises(uploads.BadImage) as problem:
        uploads.read(BAD[kind])
    sentence = str(problem.value)
    assert sentence.endswith(".") and "\n" not in sentence and 20 < len(sentence) < 160


def test_identity_follows_the_content():
    assert uploads.identity(b"a") == uploads.identity(b"a") != uploads.identity(b"b")
