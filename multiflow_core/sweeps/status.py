"""How far a sweep is, as its folder says to whoever looks. Needs no torch."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ..support.atomic import write_text

STATUS = "status.json"


@dataclass(frozen=True)
class Status:
    """How far a sweep is, as its folder says to whoever looks.

    Attributes:
        done, total: cells. left: seconds that it will still take, about. state: "running", "stopped" or "finished".
        process: its number on its machine.
    """

    done: int
    total: int
    left: float
    state: str
    process: int = 0
    said: str = ""

    @property
    def running(self) -> bool:
        """Whether it still goes on, on this machine."""
        return self.state == "running" and _alive(self.process)

    @classmethod
    def of(cls, folder: Path) -> Status | None:
        """What a folder says; None where nothing was started there."""
        try:
            return cls(**json.loads((folder / STATUS).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        write_text(folder / STATUS, json.dumps(asdict(self)) + "\n")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def refuse_second(folder: Path) -> None:
    """ValueError where another process carries out a sweep in this folder."""
    status = Status.of(folder)
    if status and status.running and status.process != os.getpid():
        raise ValueError(
            f"process {status.process} is at work in {folder}: {status.done} of {status.total} cells are there"
        )
