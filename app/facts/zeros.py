"""What a checkpoint that was pruned before has lost already, and what sparsity means then."""

from __future__ import annotations

from dataclasses import dataclass

from multiflow_core.experiments.run import Run
from multiflow_core.models.vlm import SOME_ZEROS

from ..engine import runs
from ..engine.store import STORE, Progress
from ..look.words import percent

SAME = 0.0005  # of all weights


@dataclass(frozen=True)
class Zeros:
    """The share of a model's prunable weights that is zero, as it was opened and as a run leaves it."""

    before: float
    after: float


@STORE.keep(64)
def of(key: Run, report: Progress) -> Zeros | None:
    """The zeros of a run's model; None for a model that was not pruned before."""
    model = runs.vlm(key.model)
    report(0.1, "counting zeros")
    before = model.zero_share()
    if before < SOME_ZEROS:
        return None
    return Zeros(before, model.zero_share(runs.masks(key)) if key.sparsity else before)


def told(zeros: Zeros | None, method: str, sparsity: float) -> str:
    """What was zero before, and what the slider says of it; nothing of a model that was not pruned before.

    >>> told(Zeros(0.75, 0.75), "OMP", 0.5)[-92:]
    'OMP takes 50 % of all weights, and 75 % are zero, as before: what it takes was zero already.'
    """
    if zeros is None:
        return ""
    said = f"This checkpoint was pruned before: {percent(zeros.before)} of its prunable weights are zero already."
    if not sparsity:
        return f"{said} Sparsity counts from the checkpoint as it was opened: what a method takes of all weights, zeros among them."
    meant = f"{method} takes {percent(sparsity)} of all weights, and {percent(zeros.after)} are zero"
    if zeros.after - zeros.before < SAME:
        return f"{said} {meant}, as before: what it takes was zero already."
    return f"{said} {meant} then: some of what it takes was zero already."
