"""Pictures as models read them: upright, eight bits a colour, and no larger than is of use."""

from __future__ import annotations

import warnings
from contextlib import suppress
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".jfif", ".ppm", ".pgm")
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # none that needs another program
LARGEST_FILE = 1 << 28
MOST_PIXELS = Image.MAX_IMAGE_PIXELS or 89_478_485
MOST_REDUCED = (
    4 * MOST_PIXELS
)  # of a JPEG that is decoded at a fraction of its size, line by line: phones take 200 million
FEW = 2  # models read side x side pixels; a picture keeps at most so many times that on its shorter side
WORTH = 0.75  # a picture that is hardly larger stays as it is
WHITES = (1, 255, 65535)


def is_picture(name: str) -> bool:
    """Whether a file is called like a picture.

    >>> is_picture("a.JPG"), is_picture("a.txt"), is_picture(".hidden.jpg")
    (True, False, False)
    """
    return name.lower().endswith(SUFFIXES) and not name.rpartition("/")[2].startswith(".")


def opened(held: bytes, side: int) -> Image.Image:
    """The picture that a file holds, for a model that reads side x side pixels; ValueError, as a clause, if it cannot be opened.

    >>> file = BytesIO()
    >>> Image.new("L", (900, 600), 7).save(file, "PNG")
    >>> opened(file.getvalue(), 100).size, opened(file.getvalue(), 100).getpixel((0, 0))
    ((300, 200), (7, 7, 7))
    """
    try:
        return _opened(held, side)
    except Image.UnidentifiedImageError:
        raise ValueError("is no picture that can be read") from None
    except Image.DecompressionBombError:
        raise ValueError(f"has more than {MOST_PIXELS / 1e6:.0f} million pixels") from None
    except ValueError:
        raise
    except Exception as error:  # damaged files raise almost anything
        cut = "truncated" in str(error).lower()
        raise ValueError("is cut off" if cut else f"cannot be decoded ({type(error).__name__})") from None


def _opened(held: bytes, side: int) -> Image.Image:
    shown = decoded(held, FEW * side).convert("RGB")
    share = FEW * side / min(shown.size)
    if share < WORTH:
        size = tuple(max(1, round(length * share)) for length in shown.size)
        shown = shown.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return shown


def decoded(held: bytes, side: int, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """The picture of a file, upright and in eight bits a colour; a JPEG at once smaller, but not below side x side.

    >>> file = BytesIO()
    >>> Image.new("L", (1600, 900), 7).save(file, "JPEG")
    >>> decoded(file.getvalue(), 100).size
    (200, 113)

    Raises what Pillow raises, and DecompressionBombError for more pixels than are decoded here.
    """
    with _file(held, formats) as image:
        reduced = isinstance(image, JpegImagePlugin.JpegImageFile) and not image.info.get("progressive")
        if image.width * image.height > (MOST_REDUCED if reduced else MOST_PIXELS):
            raise Image.DecompressionBombError
        image.draft("RGB", (side, side))
        if image.width * image.height > MOST_PIXELS:
            raise Image.DecompressionBombError
        image.load()
        return eight_bits(_upright(image))


def _file(held: bytes, formats: tuple[str, ...]) -> Image.Image:
    """A file of pictures, of which only the header was read."""
    if held.startswith(b"\xff\xd8\xff") and "JPEG" in formats:  # Pillow would refuse a large one before it is reduced
        return JpegImagePlugin.JpegImageFile(BytesIO(held))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # counted by who calls
        return Image.open(BytesIO(held), formats=formats)


def _upright(image: Image.Image) -> Image.Image:
    with suppress(Exception):  # a damaged orientation tag says nothing about the picture
        return ImageOps.exif_transpose(image)
    return image


def eight_bits(image: Image.Image) -> Image.Image:
    """A picture of more bits a colour, scaled (Pillow would clip it); any other as it is.

    >>> eight_bits(Image.fromarray(np.array([[0, 257, 65535]], np.uint16))).tobytes()
    b'\\x00\\x01\\xff'
    """
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.nan_to_num(np.asarray(image, np.float64))
    top = values.max(initial=0)
    # of floats the largest says in which range they are; what is stored in 16 bits may be dark
    whites = WHITES if image.mode == "F" else WHITES[-1:]
    white = next((white for white in whites if top <= white), top)
    return Image.fromarray(np.rint(values.clip(0, white) * (255 / white)).astype(np.uint8))


def problem(held: bytes) -> str:
    """Why a file is no usable picture, as a clause; "" where it is one."""
    if len(held) > LARGEST_FILE:
        return f"is larger than {LARGEST_FILE >> 20} MB"
    try:
        opened(held, 32)
    except ValueError as error:
        return str(error)
    return ""
