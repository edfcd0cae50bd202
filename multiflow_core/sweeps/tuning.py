"""What sweeps ask of fine-tuning: for which tasks a model can be tuned, the whole recipe, and a tuned model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..models.vlm import VLM
from ..weights.masks import Masks
from .cell import Cell
from .store import Curve


@dataclass(frozen=True)
class Trained:
    """A model after tuning, what was noted on the way, and how many steps it took."""

    vlm: VLM
    curve: Curve = ()
    steps: int = 0


def tunable(vlm: VLM) -> tuple[str, ...]:
    """The tasks that a model can be tuned for."""
    return ()


def recipe_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The whole recipe, with what a sweep file leaves out."""
    return dict(given)


def tune(vlm: VLM, cell: Cell, masks: Masks | None, folder: Path | None) -> Trained:
    """A pruned or dense model, tuned as a cell says; with a folder it goes on where it was stopped."""
    raise ValueError("this version of the lab cannot fine-tune yet")
