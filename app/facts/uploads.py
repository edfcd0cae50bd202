"""Pictures from outside: checked before anything else touches them. Pure, no streamlit."""

from __future__ import annotations

import hashlib

from PIL import Image, UnidentifiedImageError

from multiflow_core.data import pictures

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")
TYPES = ("png", "jpg", "jpeg", "webp", "tif", "tiff")
MAX_BYTES = 25 * 1024 * 1024
SIDE = 1024  # pixels
NAMED = "PNG, JPEG, WebP or TIFF"
HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc", b"ftypavif")  # at the fifth byte of a file


class BadImage(ValueError):
    """A picture that cannot be used; its text is one sentence for the reader."""


def read(data: bytes, most: int = MAX_BYTES) -> Image.Image:
    """The picture in a file as RGB, upright, at most 1024 pixels wide and high.

    Raises:
        BadImage: too large, not a picture, damaged, or of another format.
    """
    if not data:
        raise BadImage(f"This file is empty: choose a {NAMED} picture.")
    if len(data) > most:
        raise BadImage(f"This file has {len(data) / 2**20:.1f} MB; pictures of up to {most // 2**20} MB can be used.")
    try:
        image = pictures.decoded(data, SIDE, FORMATS)
    except Image.DecompressionBombError:
        raise BadImage("This picture has far more pixels than can be used: make it smaller.") from None
    except UnidentifiedImageError:
        if data[4:12] in HEIC:
            raise BadImage("This file is HEIC or AVIF, as phones write it: save the picture as JPEG.") from None
        raise BadImage(f"This file is not a {NAMED} picture.") from None
    except Exception:  # damaged files raise almost anything
        raise BadImage("This picture is damaged and cannot be read.") from None
    if min(image.size) < 8 or max(image.size) > 40 * min(image.size):
        width, height = image.size
        raise BadImage(f"This picture is {width} x {height} pixels, too small or too narrow to see anything in it.")
    return _shown(image)


def _shown(image: Image.Image) -> Image.Image:
    image.thumbnail((SIDE, SIDE))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
    return image.convert("RGB")


def identity(data: bytes) -> str:
    """A short name for a file's content."""
    return f"upload {hashlib.sha256(data).hexdigest()[:16]}"
