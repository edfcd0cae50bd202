"""Names that authors gave to the weights of models which have others here. One format = one file in `families/foreign/`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..support.registry import Registry


@dataclass(frozen=True)
class Translated:
    """Tensors under the names of the model here, and {name in the file: why it was left out}."""

    tensors: dict[str, Tensor]
    dropped: dict[str, str]


@dataclass(frozen=True)
class Foreign:
    """A way to name the weights of a kind of model.

    Attributes:
        name: whose format it is, for people.
        knows: whether the names in a file are such names.
        translate: tensors under their names -> the same under ours. Masks have the names and shapes of their weights.
        build: build(tensors under our names, file, dtype) -> model and processor; what had to be guessed of it, in clauses, is
            in `model.remarks`.
    """

    name: str
    knows: Callable[[Collection[str]], bool]
    translate: Callable[[Mapping[str, Tensor]], Translated]
    build: Callable[[dict[str, Tensor], Path, torch.dtype | None], tuple[nn.Module, Any]]


FOREIGN: Registry[Foreign] = Registry("foreign format", "multiflow_core.families.foreign")
register = FOREIGN.register


def format_of(names: Collection[str]) -> tuple[Foreign, str] | None:
    """The foreign format whose names these are, and what stands before all of them."""
    heads = sorted({name.partition(".")[0] + "." for name in names if "." in name})
    for prefix in ("", *heads):
        inside = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
        for one in FOREIGN.all():
            if one.knows(inside):
                return one, prefix
    return None


def translated(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under the names of the models here, whoever named them."""
    found = format_of(tensors)
    if found is None:
        return dict(tensors)
    kind, prefix = found
    return kind.translate({n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}).tensors
