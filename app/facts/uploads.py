"""Pictures from outside: checked before anything else touches them. Pure, no streamlit."""

from __future__ import annotations

import contextlib
import hashlib
import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
TYPES = ("png", "jpg", "jpeg", "webp")
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 24_000_000


class BadImage(ValueError):
    """A picture that cannot be used; its text is one sentence for the reader."""


def read(data: bytes, most: int = MAX_BYTES) -> Image.Image:
    """The picture in a file as RGB, upright, at most 1024 pixels wide and high.

    Raises:
        BadImage: too large, not a picture, damaged, or of another format.
    """
    if not data:
        raise BadImage("This file is empty: choose a PNG, JPEG or WebP picture.")
    if len(data) > most:
        raise BadImage(f"This file has {len(data) / 2**20:.1f} MB; pictures of up to {most // 2**20} MB can be used.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            probe = Image.open(io.BytesIO(data), formats=FORMATS)
            _check_size(probe.size)
            probe.verify()
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            image.load()
    except BadImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadImage(_too_large("far too many")) from None
    except UnidentifiedImageError:
        raise BadImage("This file is not a PNG, JPEG or WebP picture.") from None
    except Exception:  # damaged files raise almost anything
        raise BadImage("This picture is damaged and cannot be read.") from None
    return _upright(image)


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise BadImage(_too_large(f"{width:,} x {height:,}"))
    if min(size) < 8 or max(size) > 40 * min(size):
        raise BadImage(f"This picture is {width} x {height} pixels, too small or too narrow to see anything in it.")


def _too_large(pixels: str) -> str:
    return f"This picture has {pixels} pixels; up to {MAX_PIXELS // 1_000_000} million can be used."


def _upright(image: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception):  # a damaged orientation tag says nothing about the picture
        image = ImageOps.exif_transpose(image)
    image.thumbnail((1024, 1024))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
    return image.convert("RGB")


def identity(data: bytes) -> str:
    """A short name for a file's content."""
    return f"upload {hashlib.sha256(data).hexdigest()[:16]}"
