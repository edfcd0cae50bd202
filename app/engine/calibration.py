"""How many image-text pairs a model is calibrated with, and which methods would keep a page waiting for too long.

A pass through a large model costs hundreds of times a pass through a built-in one, so it gets fewer pairs, in smaller
batches. How many depends on the model alone, and on no clock: the same link shows the same masks on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from multiflow_core.data import dataset

if TYPE_CHECKING:
    from multiflow_core.experiments.prepare import Sample
    from multiflow_core.models.vlm import VLM
    from multiflow_core.pruning.method import Method

MOST, FEWEST = 512, 16  # pairs
MINUTE = 3e12  # multiply-adds that two cores do in about a minute: what one calibration may take
PORTION = 1e11  # multiply-adds of one batch: seconds between two reports of progress, and bounded memory
BACKWARD = 4  # a pass with gradients, or with second moments, costs about as much as so many plain ones
PATIENCE = 15  # minutes that a page waits for passes through a model


def work(vlm: VLM) -> int:
    """What one image-text pair costs a model: multiply-adds of its prunable weights."""
    from multiflow_core.calibration.passes import multiply_adds

    (batch,) = vlm.batches(dataset.open().pairs(1, 0, vlm.side))
    return multiply_adds(vlm.model, batch)


def sample(work: float, passes: float = 1) -> Sample:
    """How many pairs, and how many at once, where a pair costs `work` and is worth so many plain passes.

    >>> sample(25e9).pairs, sample(25e9).batch
    (120, 4)
    """
    from multiflow_core.experiments.prepare import CALIBRATION_BATCH, GRADIENT_BATCH, Sample

    at_once = max(4, int(PORTION / work))
    batch = min(CALIBRATION_BATCH, at_once)
    pairs = max(FEWEST, min(MOST, int(MINUTE / passes / work)))
    return Sample(pairs // batch * batch, batch, min(GRADIENT_BATCH, at_once))


def slow_sample(work: float) -> Sample:
    """The same for a method that needs gradients or second moments."""
    return sample(work, BACKWARD)


def too_long(work: float, method: Method, title: str) -> str | None:
    """Why a page does not wait for a method on a model, in a sentence; None where it does."""
    chosen = slow_sample(work)
    times = method.passes(method.settings(method.quick), -(-chosen.pairs // chosen.gradient_batch))
    minutes = times * chosen.gradient_batch * BACKWARD * work / MINUTE
    if minutes <= PATIENCE:
        return None
    return (
        f"{method.title} would send {times} batches of {chosen.gradient_batch} pairs through {title} and back, about "
        f"{minutes:.0f} minutes on two cores, and a page waits for {PATIENCE} at most: choose another method, or prune the "
        "model from Python."
    )
