"""Masks and packed checkpoints that were made elsewhere: kept by their content, so that an address can name them.

.uploads/masks-0123456789abcdef/NAME.safetensors
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from multiflow_core.experiments.run import GIVEN
from multiflow_core.support.atomic import whole

from . import archives

KEPT = 16  # files


def keep(name: str, data: bytes, most: int) -> str:
    """Keep a file, and return what runs call it.

    ValueError, in a sentence, for one that holds neither masks nor weights, or weights of more than `most` bytes.
    """
    from multiflow_core.pruning.given import read_given

    form = f"{GIVEN}-{hashlib.sha256(data).hexdigest()[:16]}"
    place = archives.folder() / form
    if not place.is_dir():
        with whole(place) as made:
            made.mkdir()
            file = made / (Path(name).name or "masks.safetensors")
            file.write_bytes(data)
            try:
                read_given(file, most)
            except ValueError as problem:
                raise ValueError(str(problem).replace(str(file), file.name)) from None
    os.utime(place)
    _make_room()
    return form


def file_of(form: str) -> Path:
    """Where it lies. FileNotFoundError, in a sentence, where it is gone."""
    found = sorted((archives.folder() / form).glob("*"))
    if not found:
        raise FileNotFoundError("These masks are no longer kept here: give the file again.")
    return found[0]


def title(form: str) -> str:
    """What it is called on a page."""
    return file_of(form).stem


def used(form: str) -> None:
    """It is not to be let go yet. FileNotFoundError where it is gone."""
    os.utime(file_of(form).parent)


def _make_room() -> None:
    """Let those go that were used the longest ago."""
    kept = sorted(archives.folder().glob(f"{GIVEN}-*"), key=lambda place: place.stat().st_mtime, reverse=True)
    for place in kept[KEPT:]:
        shutil.rmtree(place, ignore_errors=True)
