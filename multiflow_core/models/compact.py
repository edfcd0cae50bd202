"""Exact compaction: units that nothing reads, or that are the same whatever is read, go; the model computes what it did before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from ..weights.capture import LinearInputs, quiet
from ..weights.masks import rebuilt
from ..weights.wrappers import parameters_of, unwrapped
from .smaller import bias_of, smaller
from .units import NEURONS, Part, units_of
from .vlm import VLM

# Two pictures and texts that have nothing in common: what is the same for both is the same for all (see `constants`).
_NOISE, _TEXTS = 64, ("a", "two words, and more of them")


def compact(vlm: VLM) -> VLM:
    """The same model without hidden units that do nothing any more; what they wrote at all times goes into a bias.

    >>> from multiflow_core import Masks, load
    >>> vlm = load("flatland-blip")
    >>> masks = {}
    >>> for part in units_of(vlm.model):
    ...     masks[part.reader.layer.name] = torch.ones(part.reader.layer.shape, dtype=torch.bool)
    ...     masks[part.reader.layer.name][:, 100:] = False
    >>> compact(vlm.prune(Masks(masks))).model.config.vision_config.intermediate_size
    100

    Every block of a tower is left with the same width, as a config says it once: with that of the block that needs the most.
    Units that do nothing stay in the others as they are.
    """
    pictures = [Image.effect_noise((_NOISE, _NOISE), 100).convert("RGB").rotate(90 * n) for n in range(len(_TEXTS))]
    batches = [] if vlm.unreadable else list(vlm.batches(list(zip(pictures, _TEXTS, strict=True))))
    return replace(
        vlm, model=compacted(vlm.model, batches, vlm.family.calibration_forward, units_of(vlm.model, vlm.layers))
    )


def compacted(
    model: nn.Module, batches: Iterable[Any], forward: Any, parts: tuple[Part, ...] | None = None
) -> nn.Module:
    """The same of a bare model. `batches`: on which units are looked at; without any only those go that nothing reads."""
    model = unwrapped(model)
    parts = units_of(model, kinds=(NEURONS,)) if parts is None else parts
    weights = parameters_of(model)
    steady = constants(model, parts, batches, forward)
    needed = {}
    for part in parts:
        read = _any(weights[part.reader.layer.name], part.units, 1)
        needed[part.reader.layer.name] = read & steady[part.reader.layer.name].isnan()
    kept, biases = {}, {}
    for part in parts:
        name = part.reader.layer.name
        alike = [other for other in parts if other.tower == part.tower]
        width = max(1, *(int(needed[other.reader.layer.name].sum()) for other in alike))
        kept[name] = _filled(needed[name], width)
        said = torch.where(kept[name], 0.0, steady[name].nan_to_num())
        if bool((added := weights[name].detach().cpu().double() @ said.double()).any()):
            bias = weights[bias_of(name)]
            moved = (bias.detach().cpu().double() + added).to(bias)
            biases[id(bias)] = nn.Parameter(moved, requires_grad=bias.requires_grad)
    return smaller(rebuilt(model, biases), parts, kept)


def constants(model: nn.Module, parts: tuple[Part, ...], batches: Iterable[Any], forward: Any) -> dict[str, Tensor]:
    """{reader: what each unit always is, nan where that depends on what is read}.

    A unit without a weight in one of the matrices that write it can only be steady; whether it is, and what it says, is seen and
    not worked out: an activation function need not be known. What a reader without a bias could not say stays.
    """
    weights, found = parameters_of(model), {}
    for part in parts:
        empty = torch.stack([~_any(weights[side.layer.name], part.units, 0) for side in part.writers]).any(0)
        found[part.reader.layer.name] = torch.where(empty, torch.inf, torch.nan)  # inf: may be, and was not seen yet
    watched = {name: weights[name] for name, units in found.items() if bool(units.isinf().any())}

    def record(name: str, x: Tensor, *_: Any) -> None:
        rows = x.detach().reshape(-1, x.shape[-1]).double().cpu()
        before, seen = found[name].double(), rows[0]
        same = (rows == seen).all(0) & (before.isinf() | (before == seen)) & ~before.isnan()
        found[name] = torch.where(same, seen, torch.nan)

    for batch in batches if watched else ():
        with quiet(model), LinearInputs(watched, record):
            forward(model, batch)
    for part in parts:
        name = part.reader.layer.name
        said = found[name].masked_fill(found[name].isinf(), torch.nan)
        found[name] = said if bias_of(name) in weights else said.masked_fill(said != 0, torch.nan)
    return found


def _any(weight: Tensor, units: int, side: int) -> Tensor:
    """Which units have a weight that is not zero: bool (units,)."""
    there = (weight.detach() != 0).any(1 - side).cpu()
    return there.view(units, -1).any(1)


def _filled(needed: Tensor, width: int) -> Tensor:
    """So many units: those that are needed, and the first of the others."""
    kept, others = needed.clone(), (~needed).nonzero()[:, 0]
    kept[others[: width - int(needed.sum())]] = True
    return kept
