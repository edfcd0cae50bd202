"""What sweeps ask of fine-tuning: for which tasks a model can be tuned, the whole recipe, and a tuned model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..finetuning.finetune import finetune
from ..finetuning.recipe import Recipe
from ..models.vlm import VLM
from ..support.registry import unknown_name
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
    return vlm.family.learns(vlm.model)


def recipe_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The whole recipe, with what a sweep file leaves out.

    >>> recipe_of({"steps": 7})["steps"], recipe_of({})["precision"]
    (7, 'float32')

    Its precision is one that is named: which one is faster differs from machine to machine, and a cell has the same figures on all.
    """
    known = [field.name for field in fields(Recipe)]
    for name in given:
        if name not in known:
            raise unknown_name("part of a recipe", name, known)
    if given.get("precision") == "measured":
        raise ValueError(
            "the precision of a sweep is float32 or bfloat16: what is faster differs from machine to machine"
        )
    return asdict(Recipe(**{"precision": "float32", **given}))


def tune(vlm: VLM, cell: Cell, masks: Masks | None, folder: Path | None) -> Trained:
    """A pruned or dense model, tuned as a cell says; with a folder it goes on where it was stopped."""
    recipe = Recipe(**cell.recipe)
    tuned = finetune(vlm, cell.task, cell.data, masks=masks, seed=cell.seed, recipe=recipe, folder=folder)
    noted = [{"step": float(step), "loss": float(loss)} for step, loss in tuned.losses]
    checked = [{"step": float(check.step), "figure": float(check.figure)} for check in tuned.curve]
    return Trained(tuned.vlm, tuple(sorted(noted + checked, key=lambda point: point["step"])), tuned.steps)
