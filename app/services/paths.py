"""Where things lie."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def assets() -> Path:
    """The folder of checkpoints and results; the environment variable MULTIFLOW_ASSETS names another one."""
    return Path(os.environ.get("MULTIFLOW_ASSETS", ROOT / "assets"))


def models() -> tuple[str, ...]:
    """The names of the checkpoints there, the default first. Needs no torch."""
    found = sorted(config.parent.name for config in assets().glob("*/config.json"))
    return tuple(sorted(found, key=lambda name: name != "flatland-blip"))


def model_folder(name: str) -> Path:
    """The folder of a checkpoint."""
    return assets() / name
