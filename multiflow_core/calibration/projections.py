"""Projections to the space that pictures and texts share, and what they read: one vector of every picture and text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ..families import family_of
from ..families.clip import PROJECTION
from ..weights.capture import LinearInputs, quiet

# of a batch of pairs; the rest is the picture's
_TEXT = ("input_ids", "attention_mask", "token_type_ids", "position_ids")


def projections(model: nn.Module) -> tuple[str, ...]:
    """The paths of a model's projections to the common space.

    >>> from multiflow_core import load
    >>> projections(load("flatland-blip").model)
    ('vision_proj', 'text_proj')
    """
    family = family_of(model)
    if family is None or family.general:
        return ()
    found = (name.removesuffix(".weight") for name, why in family.excluded(model).items() if why == PROJECTION)
    return tuple(name for name in found if isinstance(model.get_submodule(name), nn.Linear))


def read_by(model: nn.Module, names: Sequence[str], batch: dict[str, Any]) -> dict[str, Tensor]:
    """What each projection reads of a batch of pairs, (rows, width) float32."""
    family, found = family_of(model), {}
    said = {name: batch[name] for name in _TEXT if name in batch}
    seen = {name: value for name, value in batch.items() if name not in said}

    def record(name: str, x: Tensor, *_: Any) -> None:
        found[name] = x.detach().reshape(-1, x.shape[-1]).float().cpu()

    weights = {name: model.get_submodule(name).weight for name in names}
    with quiet(model), LinearInputs(weights, record):
        family.embed_images(model, seen)
        family.embed_texts(model, said)
    return found
