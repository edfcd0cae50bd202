"""The measured figures of a model, from its result file. Needs no torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from multiflow_core.experiments.results import Results

from ..engine import checkpoints


def load(model: str) -> Results | None:
    """The result file of a model, read again only when it has changed; None when there is none, or none that can be read."""
    file = checkpoints.result_file(model)
    try:
        return _read(file, file.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=8)
def _read(file: Path, changed: int) -> Results:
    return Results.load(file)
