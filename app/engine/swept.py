"""The shipped sweep: its file, where its cells lie, and how far it is, whoever has started it."""

from __future__ import annotations

from pathlib import Path

from multiflow_core.sweeps.status import Status

from . import checkpoints

FILE = "paper.toml"


def file() -> Path:
    """The sweep that is shipped."""
    return checkpoints.assets() / "sweeps" / FILE


def folder() -> Path:
    """Where its cells lie."""
    return checkpoints.own_results() / "sweeps" / file().stem


def status() -> Status | None:
    """How far it is; None where it was never started."""
    return Status.of(folder())
