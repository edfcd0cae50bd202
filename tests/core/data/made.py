"""Small pictures, and files that say something of them."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from multiflow_core.data.reader import Bad, Row, readers


def picture(seed: int = 0, size: tuple[int, int] = (24, 16), kind: str = "PNG") -> bytes:
    """The bytes of a picture that no other seed has."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def put(folder: Path, *names: str, first: int = 0) -> None:
    """Different pictures of these names."""
    for seed, name in enumerate(names, first):
        write(folder / name, picture(seed, kind="JPEG" if name.endswith("jpg") else "PNG"))


def write(file: Path, held: object) -> Path:
    """A file of bytes, text or JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(
        held if isinstance(held, bytes) else (held if isinstance(held, str) else json.dumps(held)).encode()
    )
    return file


def read(path: Path, reader: str) -> tuple[list[Row], list[str]]:
    """The rows of a path, and its bad ones as text; `reader` is the one that recognises it."""
    found = next(one for one in readers() if one.recognises(path))
    assert found.name == reader
    rows = list(found.rows(path))
    return [row for row in rows if isinstance(row, Row)], [str(row) for row in rows if isinstance(row, Bad)]
