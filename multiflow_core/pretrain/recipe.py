"""All that decides the weights of a built-in checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights of a built-in checkpoint."""

    seed: int = 0
    steps: int = 2400
    batch: int = 64
    learning_rate: float = 1e-3
    warmup: int = 150
    weight_decay: float = 0.05
    looking: float = 0.2  # share of the steps in which the vision encoder learns alone
    matching: float = 0.8  # share of the steps after which ITM joins

    def rate(self, step: int) -> float:
        """Learning rate: level while looking, then a cosine to zero; warm-up at the start and where the text parts join."""
        joined = int(self.looking * self.steps)
        if step < joined:
            return self.learning_rate * min(1.0, (step + 1) / self.warmup)
        warm = min(1.0, 0.1 + (step - joined + 1) / self.warmup)
        return self.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * (step - joined) / (self.steps - joined)))
