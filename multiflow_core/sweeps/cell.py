"""A cell: one figure of the table to be, with everything that decides it. Needs no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..experiments.run import Run

FORMAT = 1
DENSE = "dense"  # what the model as it is goes by among the methods
ZERO_SHOT, FINE_TUNED = "zero-shot", "fine-tuned"
TRANSFERS = (ZERO_SHOT, FINE_TUNED)
DIGITS = 16  # of a digest


@dataclass(frozen=True)
class Setting:
    """What holds for a whole sweep and decides its figures.

    Attributes:
        split: that models are asked about. items, captioned, asked: how many pictures of it for retrieval, to describe, and
            to ask about.
        pairs: how many pairs methods are calibrated with; 0: as many as the shipped results were made with.
        threads: of one cell. Sums of many numbers depend on it in their last bits, so that it stays the same wherever a cell
            is computed.
        device: where models run.
    """

    split: str = "test"
    items: int = 1000
    captioned: int = 200
    asked: int = 100
    pairs: int = 0
    threads: int = 1
    device: str = "cpu"


@dataclass(frozen=True)
class Cell:
    """One model, pruned by one method to one sparsity, with or without training afterwards, asked for one task.

    >>> cell = Cell("flatland-blip", Run("", "omp", 0.63), "vqa")
    >>> cell.name
    'flatland-blip omp 63 % vqa zero-shot seed 0'
    >>> cell.digest == Cell("flatland-blip", Run("", "omp", 0.63), "vqa", seed=1).digest  # the same work for another seed
    True

    Attributes:
        model: as `load` takes it. model_is: digits of its files, which decide in place of its name.
        run: how it is pruned; no method is the dense model. settings: all options of the method, with those not given.
        task, data: what it is asked, and on which data set. data_is: digits of what lies there.
        transfer: "zero-shot" or "fine-tuned". recipe: how it is tuned. seed: of tuning, and of pruning where chance or data
            have a part in it.
        setting: what holds for the whole sweep. versions: of the libraries that compute it.
    """

    model: str
    run: Run
    task: str
    data: str = "flatland"
    transfer: str = ZERO_SHOT
    seed: int = 0
    recipe: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    setting: Setting = field(default_factory=Setting)
    model_is: str = ""
    data_is: str = ""
    calibrated_is: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def tuned(self) -> bool:
        return self.transfer == FINE_TUNED

    @property
    def method(self) -> str:
        """The method, or what the dense model goes by."""
        return self.run.name or DENSE

    @property
    def label(self) -> str:
        """The method with the options that are its own in this sweep.

        >>> Cell("m", Run("", "reflow", 0.5, options=(("passes", 2),)), "vqa").label
        'reflow (passes 2)'
        """
        own = ", ".join(f"{name} {value}" for name, value in self.run.options)
        return f"{self.method} ({own})" if own else self.method

    @property
    def name(self) -> str:
        """What it is, for people."""
        at = f" {100 * self.run.sparsity:g} %" if self.run.method else ""
        return f"{self.model} {self.label}{at} {self.task} {self.transfer} seed {self.seed}"

    @property
    def key(self) -> dict[str, Any]:
        """Everything that decides its figures, and nothing else."""
        asked = {"split": self.setting.split, "items": self.setting.items}
        asked |= {"captioned": self.setting.captioned, "asked": self.setting.asked}
        tuned = {"recipe": dict(self.recipe), "seed": self.seed} if self.tuned else None
        return self.pruned_key | {
            "task": self.task,
            "data": self.data_is or self.data,
            "exam": asked,
            "transfer": tuned,
        }

    @property
    def pruned_key(self) -> dict[str, Any]:
        """Everything that decides which weights are left, and what they are."""
        run = self.run
        pruned = {
            "method": run.method,
            "sparsity": run.sparsity,
            "criterion": run.criterion,
            "allocation": run.allocation,
            "seed": run.seed,
            "fixed": run.fixed,
            "options": dict(self.settings),
            "data": self.calibrated_is or run.data,
            "pairs": self.setting.pairs,
        }
        return {
            "format": FORMAT,
            "model": self.model_is or self.model,
            "pruned": pruned if run.method else None,
            "threads": self.setting.threads,
            "device": self.setting.device,
            "versions": dict(self.versions),
        }

    @property
    def digest(self) -> str:
        """The name of its file: equal for cells whose figures must be equal, different for all others."""
        return digest(self.key)

    @property
    def pruned_digest(self) -> str:
        """The same of its masks."""
        return digest(self.pruned_key)


def digest(key: Mapping[str, Any]) -> str:
    """Digits of a key, whatever the order of its parts.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}), len(digest({}))
    (True, 16)
    """
    text = json.dumps(key, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
