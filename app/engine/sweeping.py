"""A sweep from a page: the command that a reader could type as well, run beside the server at a lower priority.

Its folder says how far it is, also when somebody else started it; stopping loses the cells that are being computed, and starting
again goes on.
"""

from __future__ import annotations

import shlex
import threading
from pathlib import Path

from . import checkpoints, measuring
from .beside import Beside, started
from .swept import file, folder, status


def command() -> str:
    """What does the same on the command line."""
    return shlex.join(["python", "-m", "multiflow_core", "sweep", _short(file())])


def _short(path: Path) -> str:
    return str(path.relative_to(checkpoints.ROOT)) if path.is_relative_to(checkpoints.ROOT) else str(path)


_LOCK = threading.Lock()
_HELD: list[Beside] = []


def held() -> Beside | None:
    """The one that this server has started last."""
    return _HELD[-1] if _HELD else None


def running() -> bool:
    """Whether it goes on, whoever has started it."""
    found = status()
    return bool(found and found.running) or bool(_HELD and _HELD[-1].running)


def start() -> Beside:
    """Go on with the sweep. `measuring.Busy` while it, or a measurement, goes on already."""
    with _LOCK:
        if running():
            raise measuring.Busy("The sweep is going on already.")
        if measuring.running():
            raise measuring.Busy("Something is being measured on this server. Try again later.")
        said = ["-m", "multiflow_core", "sweep", str(file()), "--out", str(folder())]
        _HELD.append(Beside(process=started(said)))
    _HELD[-1].follow("sweeping")
    return _HELD[-1]
