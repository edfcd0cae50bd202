"""A sweep from a page: the command that a reader could type as well, run beside the server at a lower priority.

Its folder says how far it is, also when somebody else started it; stopping loses the cells that are being computed, and starting
again goes on.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from multiflow_core.sweeps.status import Status

from . import checkpoints, measuring

FILE = "paper.toml"
LINES = 8  # of what it says that are kept


def file() -> Path:
    """The sweep that is shipped."""
    return checkpoints.assets() / "sweeps" / FILE


def folder() -> Path:
    """Where its cells lie."""
    return checkpoints.own_results() / "sweeps" / file().stem


def command() -> str:
    """What does the same on the command line."""
    return shlex.join(["python", "-m", "multiflow_core", "sweep", _short(file())])


def _short(path: Path) -> str:
    return str(path.relative_to(checkpoints.ROOT)) if path.is_relative_to(checkpoints.ROOT) else str(path)


def status() -> Status | None:
    """How far it is; None where it was never started."""
    return Status.of(folder())


@dataclass
class Started:
    """A sweep that this server has started."""

    process: subprocess.Popen
    lines: tuple[str, ...] = ()
    problem: str = ""
    stopped: bool = False

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """End it; cells that are there stay."""
        self.stopped = True
        self.process.terminate()

    def _follow(self) -> None:
        for line in self.process.stdout:
            if line.strip():
                self.lines = (*self.lines[1 - LINES :], line.rstrip())
        said = [line for line in self.process.stderr.read().splitlines() if line.startswith("multiflow_core: ")]
        if self.process.wait() and not self.stopped:
            self.problem = said[-1].removeprefix("multiflow_core: ") if said else "it ended with an error"


_LOCK = threading.Lock()
_HELD: list[Started] = []


def held() -> Started | None:
    """The one that this server has started last."""
    return _HELD[-1] if _HELD else None


def start() -> Started:
    """Go on with the sweep. `measuring.Busy` while it, or a measurement, goes on already."""
    with _LOCK:
        found = status()
        if (found and found.running) or (_HELD and _HELD[-1].running):
            raise measuring.Busy("The sweep is going on already.")
        if measuring.running():
            raise measuring.Busy("Something is being measured on this server. Try again later.")
        said = ["-m", "multiflow_core", "sweep", str(file()), "--out", str(folder())]
        process = subprocess.Popen(
            ["nice", "-n", "10", sys.executable, "-u", *said],
            cwd=checkpoints.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        _HELD.append(Started(process))
    threading.Thread(target=_HELD[-1]._follow, name="sweeping", daemon=True).start()
    return _HELD[-1]
