"""What a method costs: time and memory for one mask, in a process that did nothing before."""

from __future__ import annotations

import time
from typing import Any

import torch

from ..data import dataset
from ..models.vlm import load
from ..support.memory import forget_peak, process_memory
from .prepare import CALIBRATION_PAIRS, order_of
from .run import Run


def cost(model: str, method: str, sparsity: float) -> dict[str, Any]:
    """Seconds and bytes to make one mask, calibration and gradients included, in a process that did nothing before.

    The seconds are those of a processor core, all threads added up: other work on the machine does not count.
    """
    vlm = load(model)
    run = Run(model, method, sparsity, seed=1)  # for seed 0 there may be statistics beside the checkpoint
    dataset.open().pairs(CALIBRATION_PAIRS, run.seed, vlm.side)  # drawing them is no work of the method
    forget_peak()
    before = process_memory("VmRSS")
    began = time.process_time()
    order_of(vlm, run).masks(sparsity)
    seconds = time.process_time() - began
    peak = process_memory("VmHWM")
    grown = None if before is None or peak is None else max(0, peak - before)
    threads = torch.get_num_threads()
    return {"method": method, "sparsity": sparsity, "seconds": round(seconds, 3), "memory": grown, "threads": threads}
