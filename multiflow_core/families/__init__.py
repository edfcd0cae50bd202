"""Model families: one file and one registration each.

>>> from torch import nn
>>> family_of(nn.Linear(2, 2)) is None
True
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from .base import Family

REGISTRY: dict[str, Family] = {}
MODULES = ("blip", "clip", "siglip", "xvlm")


def register(family: Family) -> Family:
    """Make a family known under its name."""
    REGISTRY[family.name] = family
    return family


def families() -> tuple[Family, ...]:
    """All families; the first call imports their model classes, which takes a second or two."""
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")
    return tuple(REGISTRY.values())


def family_of(model: nn.Module) -> Family | None:
    """The family that knows this model, or None.

    A module whose class is not from transformers or this package is known to no family: then nothing is imported.
    """
    if "transformers" not in sys.modules:
        return None
    return next((family for family in families() if family.knows(model)), None)
