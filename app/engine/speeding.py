"""Speed, measured from a page: the command line's own `speed`, run beside the server. One measurement at a time."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from . import checkpoints, measuring

KEY = "speed"  # in place of a data set, where measurements are looked up
REPEATS = 5


@dataclass(frozen=True)
class SpeedPlan:
    """What is to be timed: a model by every pattern, on this machine.

    >>> SpeedPlan("flatland-blip").command.split()[:6]
    ['python', '-m', 'multiflow_core', 'speed', 'flatland-blip', '--repeats']
    """

    model: str
    method: str = "multiflow"
    data: str = KEY
    total: int = 1

    @property
    def file(self) -> Path:
        """Where the figures go."""
        return checkpoints.own_speed_file(self.model)

    @property
    def what(self) -> str:
        """What is going on, as the beginning of a sentence."""
        return f"The speed of {checkpoints.title(self.model)}"

    @property
    def command(self) -> str:
        """What does the same on the command line."""
        return shlex.join(["python", *self._arguments])

    @property
    def _arguments(self) -> list[str]:
        address = str(checkpoints.address_of(self.model))
        said = ["-m", "multiflow_core", "speed", address, "--repeats", str(REPEATS), "--method", self.method]
        return [*said, "--out", str(self.file)]


def start(plan: SpeedPlan) -> measuring.Measurement:
    """Carry out a plan; `measuring.Busy` while anything else is being measured, which would be in its way."""
    return measuring.start(plan)


def of(model: str) -> measuring.Measurement | None:
    """The last measurement of a model's speed, since the server was started."""
    return measuring.of(model, KEY)
