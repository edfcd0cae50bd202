"""Anything that is told on a terminal, as JSON for another program. Needs no torch."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Set
from typing import Any


def written(value: Any) -> str:
    """A value as JSON: dataclasses and named tuples by their fields, sets in order, and null for what is no finite number.

    >>> print(written({"needs": {"b", "a"}, "threshold": -math.inf}))
    {
      "needs": [
        "a",
        "b"
      ],
      "threshold": null
    }
    """
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """The same of what JSON knows: dictionaries, lists, texts, numbers, true, false and null.

    >>> import fractions
    >>> plain((1, 0.5, math.nan, None, {2: "two"}, fractions.Fraction(1, 2)))
    [1, 0.5, None, None, {'2': 'two'}, '1/2']
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): plain(held) for name, held in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Set):
        return [plain(held) for held in sorted(value)]
    if isinstance(value, (list, tuple, range)):
        return [plain(held) for held in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
