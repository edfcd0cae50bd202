"""How many image-text pairs a model is calibrated with, and which methods would keep a page waiting for too long.

A pass through a large model costs hundreds of times a pass through a built-in one, so it gets fewer pairs, in smaller
batches. How many depends on the model alone, so that the same link shows the same masks on every machine.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiflow_core.methods import Method
    from multiflow_core.sweep import Sample
    from multiflow_core.vlm import VLM

MOST, FEWEST = 512, 16  # pairs
WORK = 3e12  # multiply-adds of one calibration: about a minute on two cores
PORTION = 1e11  # multiply-adds of one batch: seconds between two reports of progress, and bounded memory
BACKWARD = 4  # a pass with gradients, or with the second moments of what it reads, costs as much as so many without
PATIENCE = 15 * 60  # seconds of one machine that a page waits for at most


@dataclass(frozen=True)
class Pace:
    """What one image-text pair costs a model: multiply-adds of its prunable weights, and seconds here when all is quiet."""

    work: float
    seconds: float


def pace(vlm: VLM) -> Pace:
    """Send one pair through a model, twice: the first pass also prepares the memory for it."""
    import torch

    from multiflow_core.benchmark import calibration_pairs, drawing_size
    from multiflow_core.calibrate import multiply_adds

    (batch,) = vlm.batches(calibration_pairs(1, 0, drawing_size(vlm)))
    multiply_adds(vlm.model, batch)
    began = time.process_time()  # not the clock on the wall: others may be at work
    work = multiply_adds(vlm.model, batch)
    return Pace(work, (time.process_time() - began) / torch.get_num_threads())


def sample(pace: Pace, passes: float = 1) -> Sample:
    """How many pairs, and how many at once, for work that costs so many plain passes.

    >>> sample(Pace(work=25e9, seconds=0.3))
    Sample(pairs=120, batch=4, gradient_batch=4)
    """
    from multiflow_core.sweep import BATCH, GRADIENT_BATCH, Sample

    at_once = max(4, int(PORTION / pace.work))
    batch = min(BATCH, at_once)
    pairs = max(FEWEST, min(MOST, int(WORK / passes / pace.work)))
    return Sample(pairs // batch * batch, batch, min(GRADIENT_BATCH, at_once))


def slow_sample(pace: Pace) -> Sample:
    """The same for a method that needs gradients or second moments."""
    return sample(pace, BACKWARD)


def too_long(pace: Pace, method: Method, title: str) -> str | None:
    """Why a page does not wait for a method on a model, in a sentence; None where it does."""
    from multiflow_core.sweep import OPTIONS

    chosen, options = slow_sample(pace), OPTIONS.get(method.name, {})
    batches = -(-chosen.pairs // chosen.gradient_batch)
    times = options.get("steps") or min(batches, options.get("gradients", batches)) * options.get("stages", 1)
    seconds = times * chosen.gradient_batch * BACKWARD * pace.seconds
    if seconds <= PATIENCE:
        return None
    return (
        f"{method.title} would send {times} batches of {chosen.gradient_batch} pairs through {title} and back, at least "
        f"{seconds / 60:.0f} minutes of this machine, and a page waits for {PATIENCE // 60}: choose another method, or "
        f"prune it from Python."
    )
