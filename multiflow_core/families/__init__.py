"""Families: what there is to know of a kind of model, one file and one registration each. Uses weights and support.

>>> from torch import nn
>>> family_of(nn.Linear(2, 2)) is None
True
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..support.registry import Registry
from ..weights.wrappers import unwrapped

if TYPE_CHECKING:
    from torch import nn

    from .base import Family

FAMILIES: Registry[Family] = Registry("family", __name__)
register = FAMILIES.register


def families() -> tuple[Family, ...]:
    """All families, the special ones first; the first call imports their model classes, which takes a second or two."""
    return tuple(sorted(FAMILIES.all(), key=lambda family: family.general))


def family_of(model: nn.Module) -> Family | None:
    """The family that knows this model, or the one inside a wrapper; None.

    While transformers is not loaded, no model can be one of its classes: then nothing is imported.
    """
    if "transformers" not in sys.modules:
        return None
    model = unwrapped(model)
    return next((family for family in families() if family.knows(model)), None)
