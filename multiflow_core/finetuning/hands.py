"""Who computes: this process alone, or several at once, each on a share of every batch.

Started by `accelerate launch -m multiflow_core finetune ...`, every process has a device of its own, and their gradients are
averaged. Otherwise accelerate is neither needed nor imported: it takes longer to import than a small step to compute.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


class Alone:
    """One process on the model's own device."""

    number, count, main = 0, 1, True

    def device(self, own: torch.device) -> torch.device:
        return own

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make gradients those of all processes."""

    def agree(self, value: Any) -> Any:
        """What the main process says."""
        return value


class Together:
    """One of several processes, through accelerate."""

    def __init__(self, cpu: bool = False):
        from accelerate import Accelerator

        self._accelerator = Accelerator(cpu=cpu)
        self.number, self.count = self._accelerator.process_index, self._accelerator.num_processes
        self.main = self._accelerator.is_main_process

    def device(self, own: torch.device) -> torch.device:
        return self._accelerator.device

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        for parameter in parameters:
            if parameter.grad is None:  # every process waits for every gradient
                parameter.grad = torch.zeros_like(parameter)
            reduced: Tensor = self._accelerator.reduce(parameter.grad, reduction="mean")
            parameter.grad.copy_(reduced)

    def agree(self, value: Any) -> Any:
        from accelerate.utils import broadcast_object_list

        return broadcast_object_list([value])[0]


def hands() -> Alone | Together:
    """Several where this process was launched as one of several."""
    return Together() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else Alone()
