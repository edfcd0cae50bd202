"""The runs that were looked at: of this machine on disk, of a visitor to a server for others in the session alone."""

from __future__ import annotations

import time
from collections.abc import Callable

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import journal, permits
from ..engine.journal import Journal
from . import run_pins, session


def note(settings: Run) -> None:
    """A page shows this run; nothing is noted of the dense model, or while the run stays the same."""
    if settings.sparsity == 0 or session.get(state.NOTED) == settings:
        return
    session.put(state.NOTED, settings)
    run = Run.read(run_pins.text_of(settings))
    change(lambda held: held.noted(run, time.time()))


def read() -> Journal:
    """All that was noted."""
    file = _file()
    return journal.load(file) if file else session.get(state.NOTEBOOK) or Journal()


def change(how: Callable[[Journal], Journal]) -> None:
    """Note something, name it, forget it."""
    if file := _file():
        journal.change(file, how)
    else:
        session.put(state.NOTEBOOK, how(read()))


def lasting() -> bool:
    """Whether it is there tomorrow."""
    return _file() is not None


def _file() -> journal.Path | None:
    return journal.here() if permits.here().local else None
