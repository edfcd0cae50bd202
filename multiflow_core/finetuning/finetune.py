"""Fine-tuning: from a dense or pruned model to one that knows a task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..data.dataset import DataSet
from ..models.vlm import VLM
from ..support.threads import Progress
from ..weights.masks import Masks
from .recipe import Recipe


@dataclass(frozen=True)
class Check:
    """What the split "val" said after so many steps."""

    step: int
    figure: float


@dataclass(frozen=True)
class Tuned:
    """What fine-tuning made.

    Attributes:
        vlm: the model as it was at its best check; zeros where the mask has them.
        curve: the checks in order, the first before the first step.
        seconds: of training and checks, those of earlier calls with the same folder among them.
        steps: taken.
    """

    vlm: VLM
    curve: tuple[Check, ...]
    seconds: float
    steps: int


def finetune(
    vlm: VLM,
    task: str,
    data: str | DataSet,
    *,
    masks: Masks | None = None,
    seed: int = 0,
    recipe: Recipe = Recipe(),
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """A new VLM that has learnt a task; the one given is untouched.

    Args:
        vlm: dense or pruned.
        task: "retrieval", "captioning" or "vqa".
        data: a data set, or what `mf.data.open` knows; its splits "train" and "val" are seen, "test" never.
        masks: what stays zero; without it, whatever is zero in a model that was pruned before.
        folder: where a checkpoint is kept, from which the same call goes on to the same bits.
        progress: called as progress(fraction, message); what it raises ends the work, which goes on from the last checkpoint.

    Raises:
        ValueError: the model cannot be trained for the task, or the data has nothing to learn it from.
    """
    raise NotImplementedError
