"""A command of the lab that runs beside the server, at a lower priority, and is followed by what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import checkpoints

LINES = 200  # of what it says that are kept
_PROBLEM = "multiflow_core: "  # how a command begins to say what was wrong


@dataclass(kw_only=True)
class Beside:
    """A command that is going on, or was. `problem`: why it ended, in a sentence; "" where it did what it should."""

    process: subprocess.Popen
    lines: list[str] = field(default_factory=list)
    problem: str = ""
    stopped: bool = False

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """End it; what it has written stays."""
        self.stopped = True
        self.process.terminate()

    def follow(self, name: str) -> None:
        """Read what it says, on a thread of that name."""
        threading.Thread(target=self._follow, name=name, daemon=True).start()

    def _follow(self) -> None:
        for line in self.process.stdout:
            if line.strip():
                self.lines = [*self.lines[-LINES:], line.rstrip()]
        said = [line for line in self.process.stderr.read().splitlines() if line.startswith(_PROBLEM)]
        if self.process.wait() and not self.stopped:
            self.problem = said[-1].removeprefix(_PROBLEM) if said else "it ended with an error"


def started(arguments: Sequence[str]) -> subprocess.Popen:
    """Python with these arguments, in the lab's folder."""
    return subprocess.Popen(
        ["nice", "-n", "10", sys.executable, "-u", *arguments],
        cwd=checkpoints.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
