"""Gradients of several losses at once, one thread each, that are the same however many threads there are.

PyTorch's own threads wait for each other in every product, which on processors that others use too takes most of the time;
here they meet three times a step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")
R = TypeVar("R")
Figures = dict[str, Tensor]
CPU = torch.device("cpu")
Loss = Callable[[], tuple[Tensor, Figures]]


class Lanes:
    """So many threads of one core each, or that feed one GPU, with products in one precision.

    >>> Lanes(2, "float32").map(abs, [-1, 2])
    [1, 2]
    """

    def __init__(self, threads: int, precision: str, device: torch.device = CPU):
        self._pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
        self._device = device.type
        self._low = precision == "bfloat16"

    def map(self, function: Callable[..., R], *items: Iterable[T]) -> list[R]:
        return list(self._pool.map(self._with_precision(function), *items))

    def _with_precision(self, function: Callable[..., R]) -> Callable[..., R]:
        def run(*arguments: T) -> R:
            # no cache: a weight's copy in low precision must not be shared by the graphs of two threads
            with torch.autocast(self._device, torch.bfloat16, enabled=self._low, cache_enabled=False):
                return function(*arguments)

        return run

    def backward(self, losses: Sequence[Loss], wanted: Sequence[Tensor]) -> tuple[list[Tensor | None], Figures]:
        """The gradient of the sum of losses by each tensor, and all their figures."""

        def one(loss: Loss) -> tuple[Sequence[Tensor | None], Figures]:
            value, figures = loss()
            return torch.autograd.grad(value, wanted, allow_unused=True), figures

        found = self.map(one, losses)
        figures = {name: value.detach() for _, part in found for name, value in part.items()}
        return [added(row) for row in zip(*(gradients for gradients, _ in found))], figures


def added(gradients: Iterable[Tensor | None]) -> Tensor | None:
    """The sum of those that are there."""
    there = [gradient for gradient in gradients if gradient is not None]
    return torch.stack(there).sum(0) if len(there) > 1 else there[0] if there else None


def faster_precision(device: torch.device = CPU) -> str:
    """The precision in which this device multiplies faster: bfloat16 takes 3 to 10 times as long where it is emulated."""

    def seconds(precision: str) -> float:
        layer, rows = nn.Linear(256, 1024).to(device), torch.randn(2048, 256).to(device)
        lanes = Lanes(1, precision, device)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            lanes.map(lambda _: layer(rows).sum().backward(), [0])
            layer.weight.grad.sum().item()  # waits for a GPU
            times.append(time.perf_counter() - began)
        return min(times)

    return min(("float32", "bfloat16"), key=seconds)
