"""The pattern of neurons: whole hidden units go, the same number in every block of a tower, those through which the least flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ..models.units import Part, Side
from ..weights.masks import Masks
from .exact_cut import keep_all_but

MULTIPLE = 8  # widths are multiples of it, as processors like them
_STEPS = 40  # of halving, towards the sparsity that leaves as many units as are asked for


class Scored(Protocol):
    """What is asked of an order here."""

    layers: tuple

    def score(self, name: str) -> Tensor: ...

    def layer_sparsity(self, sparsity: float) -> dict[str, float]: ...


def unit_scores(order: Scored, part: Part) -> Tensor:
    """What flows through each unit of a part: the criterion, summed over what writes it and over what reads it, float64 (units,).

    Each matrix counts alike: its scores are taken as shares of their sum.

    >>> import multiflow_core as mf
    >>> vlm = mf.load("flatland-blip")
    >>> scores = unit_scores(mf.rank(vlm.model, "omp"), mf.units_of(vlm.model)[0])
    >>> scores.shape, round(float(scores.sum()), 6)
    (torch.Size([768]), 2.0)
    """
    sides = [(side, 0) for side in part.writers] + [(part.reader, 1)]
    return torch.stack([_share(order, side, along, part.units) for side, along in sides]).sum(0)


def _share(order: Scored, side: Side, along: int, units: int) -> Tensor:
    score = order.score(side.layer.name).double().sum(1 - along).view(units, -1).sum(1)
    return score / score.sum() if bool(score.sum() > 0) else score


def kept_units(order: Scored, parts: Sequence[Part], share: float, multiple: int = MULTIPLE) -> dict[str, Tensor]:
    """Which units stay where a share of all of them does: {name of a part's reader: bool (units,)}.

    How many of a tower do is decided by the order's allocation: as many as it keeps of the weights of these parts, at the sparsity
    at which it keeps the share of all. Ties are broken by position.

    Raises:
        ValueError: a share that is not above 0 and at most 1, or an order without scores.
    """
    if not 0 < share <= 1:
        raise ValueError(f"the share of units that stay is above 0 and at most 1, not {share!r}")
    scores = {part.reader.layer.name: np.ascontiguousarray(unit_scores(order, part).numpy()) for part in parts}
    width = widths(order, parts, share, multiple)
    gone = {part.reader.layer.name: part.units - width[part.tower] for part in parts}
    return {name: torch.from_numpy(keep_all_but(own, gone[name])) for name, own in scores.items()}


def widths(order: Scored, parts: Sequence[Part], share: float, multiple: int = MULTIPLE) -> dict[str, int]:
    """{tower: how many units each of its parts keeps}; multiples of a number where a tower has as many."""
    units = sum(part.units for part in parts)

    def kept(sparsity: float) -> dict[str, float]:
        gone, found = order.layer_sparsity(sparsity), {}
        for part in parts:
            own = [1 - gone[layer.name] for layer in part.layers]
            found[part.tower] = found.get(part.tower, 0.0) + part.units * sum(own) / len(own)
        return found

    low, high = 0.0, 1.0
    for _ in range(_STEPS if share < 1 else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(kept(middle).values()) > share * units else (low, middle)
    return {
        tower: _rounded(total, [part for part in parts if part.tower == tower], multiple)
        for tower, total in kept(low).items()
    }


def _rounded(total: float, tower: Sequence[Part], multiple: int) -> int:
    most, mean = tower[0].units, total / len(tower)
    step = multiple if most >= 2 * multiple else 1
    return most if most - mean < step / 2 else min(most, max(step, round(mean / step) * step))


def unit_masks(parts: Sequence[Part], kept: Mapping[str, Tensor]) -> Masks:
    """The masks of these parts' matrices: rows and columns of units that go are pruned whole."""
    found: dict[str, Tensor] = {}
    for part in parts:
        units = kept[part.reader.layer.name]
        for side in part.writers:
            rows = units.repeat_interleave(side.each)[:, None].expand(side.layer.shape)
            found[side.layer.name] = found.get(side.layer.name, True) & rows
        columns = units.repeat_interleave(part.reader.each).expand(part.reader.layer.shape)
        found[part.reader.layer.name] = found.get(part.reader.layer.name, True) & columns
    return Masks(found)
