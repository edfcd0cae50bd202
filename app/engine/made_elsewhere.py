"""Masks and packed checkpoints that were made elsewhere: kept by their content, so that an address can name them.

.uploads/masks-0123456789abcdef/NAME.safetensors
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from multiflow_core.experiments.run import GIVEN, Run
from multiflow_core.support.atomic import whole

from . import archives, runs
from .store import STORE, Progress

if TYPE_CHECKING:
    from multiflow_core.pruning.given import GivenOrder

KEPT = 16  # files


def keep(name: str, data: bytes, model: str) -> str:
    """Keep a file, and return what runs call it.

    ValueError, in a sentence, for one that holds neither masks nor weights, or weights of a larger model.
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
                read_given(file, _most(model))
            except ValueError as problem:
                raise ValueError(str(problem).replace(str(file), file.name)) from None
    os.utime(place)
    _make_room()
    return form


def _most(model: str) -> int:
    """Bytes that weights for a model may take: its own in double precision."""
    return sum(8 * parameter.numel() for parameter in runs.vlm(model).model.parameters())


def file_of(form: str) -> Path:
    """Where it lies. FileNotFoundError, in a sentence, where it is gone."""
    found = sorted((archives.folder() / form).glob("*"))
    if not found:
        raise FileNotFoundError("These masks are no longer kept here: give the file again.")
    return found[0]


def title(form: str) -> str:
    """What it is called on a page."""
    return file_of(form).stem


def run_of(model: str, form: str, data: str = "", progress: Progress | None = None) -> Run:
    """The run that it stands for, of a model. ValueError, in a sentence, where it fits none of the model's layers."""
    os.utime(file_of(form).parent)  # it is used, and there
    found = Run(model, "", 0.0, data=data, form=form)
    return found.at(round(order(found, progress).sparsity, 6))


def order(key: Run, progress: Progress | None = None) -> GivenOrder:
    """The masks as an order of one sparsity."""
    return _order(key.model, key.form, progress)


@STORE.keep(4)
def _order(model: str, form: str, report: Progress) -> GivenOrder:
    from multiflow_core.pruning.given import GivenOrder, read_given

    report(0.3, "reading masks")
    return GivenOrder(runs.vlm(model).layers, *read_given(file_of(form)))


def _make_room() -> None:
    """Let those go that were used the longest ago."""
    kept = sorted(archives.folder().glob(f"{GIVEN}-*"), key=lambda place: place.stat().st_mtime, reverse=True)
    for place in kept[KEPT:]:
        shutil.rmtree(place, ignore_errors=True)
