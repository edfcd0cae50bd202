"""All that decides the weights of a built-in checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

STAGES = ("looking", "wording", "joint", "fading")


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights of a built-in checkpoint.

    Vision looks at pictures alone, text reads sentences alone, then both learn together, at a lower learning rate that is level
    until validation stands still, and falls to zero at the end.

    >>> Recipe(looking=100, wording=50).stage(120), Recipe(warmup=10, learning_rate=1.0).rate("looking", 4)
    ('wording', 0.5)

    Attributes:
        looking, wording, joint, fading: steps of each stage; `joint`: at most so many.
        batch: pictures a step. learning_rate, joint_rate: of the stages of one side alone, and of both together.
        warmup: steps at the start of each stage in which the learning rate rises.
        vision_decay, text_decay: weight decay as published for ViTs (MAE, DeiT) and for BERT.
        check_every: joint steps from one validation to the next. patience: validations without a gain that end the stage.
        precision: of the products: "float32", "bfloat16", or "measured" at the start: whichever is faster here.
    """

    seed: int = 0
    looking: int = 1200
    wording: int = 300
    joint: int = 6000
    fading: int = 500
    batch: int = 48
    learning_rate: float = 1e-3
    joint_rate: float = 4e-4
    warmup: int = 100
    vision_decay: float = 0.05
    text_decay: float = 0.01
    check_every: int = 200
    patience: int = 6
    precision: str = "measured"

    @property
    def steps(self) -> int:
        """Of all stages."""
        return sum(getattr(self, stage) for stage in STAGES)

    def stage(self, step: int) -> str:
        """The stage that a step belongs to."""
        for stage in STAGES:
            if step < getattr(self, stage):
                return stage
            step -= getattr(self, stage)
        raise ValueError(f"there are {self.steps} steps")

    def begins(self, stage: str) -> int:
        """The first step of a stage."""
        return sum(getattr(self, before) for before in STAGES[: STAGES.index(stage)])

    def rate(self, stage: str, done: int) -> float:
        """Learning rate after so many steps of a stage."""
        if stage == "fading":
            return self.joint_rate * (1 - done / self.fading)
        level = self.joint_rate if stage == "joint" else self.learning_rate
        return level * min(1.0, (done + 1) / self.warmup)
