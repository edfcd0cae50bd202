"""How long, how fast and in which precision a model is fine-tuned."""

from __future__ import annotations

import math
from dataclasses import dataclass

ABOUT = {
    "steps": "at most so many; early stopping may end before",
    "batch": "pictures a step",
    "accumulation": "parts in which a batch is taken, one after the other",
    "learning_rate": "the highest, from which a cosine takes it to zero",
    "warm_up": "steps in which the learning rate rises",
    "weight_decay": "of AdamW, on matrices alone",
    "clip": "the longest gradient",
    "check_every": "steps between looks at the split val",
    "patience": "checks without anything better before it ends",
    "checked": "pictures of that split that a check asks about",
    "pictures": "at most so many to learn from",
    "questions": "at most so many about a picture in one step",
    "precision": "of the products: float32, bfloat16, or measured for whichever is faster here",
}
PRECISIONS = ("float32", "bfloat16", "measured")


@dataclass(frozen=True)
class Recipe:
    """How a model is fine-tuned; the defaults are those of the lab's own tables.

    >>> recipe = Recipe(steps=100, learning_rate=1e-3, warm_up=10)
    >>> recipe.rate(0), recipe.rate(9), round(recipe.rate(55), 6), recipe.rate(100)
    (0.0001, 0.001, 0.0005, 0.0)

    `ABOUT` says what each is.
    """

    steps: int = 200
    batch: int = 32
    accumulation: int = 1
    learning_rate: float = 1e-3
    warm_up: int = 20
    weight_decay: float = 0.05
    clip: float = 1.0
    check_every: int = 50
    patience: int = 3
    checked: int = 100
    pictures: int = 4000
    questions: int = 4
    precision: str = "measured"

    def __post_init__(self):
        if self.precision not in PRECISIONS:
            raise ValueError(f"unknown precision {self.precision!r}: use one of {', '.join(PRECISIONS)}")
        whole = {"batch": self.batch, "accumulation": self.accumulation, "check_every": self.check_every}
        for name, value in whole.items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if self.accumulation > self.batch:
            raise ValueError(f"a batch of {self.batch} cannot be taken in {self.accumulation} parts")

    def rate(self, step: int) -> float:
        """The learning rate of a step, the first of which is 0."""
        if step < self.warm_up:
            return self.learning_rate * (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        return self.learning_rate * (1 + math.cos(math.pi * min(1.0, done))) / 2
