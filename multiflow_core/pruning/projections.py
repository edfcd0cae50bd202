"""Projections to the space that pictures and texts share: what is left of a model's towers is read anew.

They are no weights of a block, and nothing of them is pruned. But what a smaller tower says of a whole picture has moved a little,
and a projection reads just that: it is solved for what the dense model's said.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..calibration.passes import how, products
from ..calibration.samples import Samples
from ..calibration.side_by_side import Sums
from ..families import family_of
from ..families.clip import PROJECTION
from ..weights.capture import LinearInputs, quiet
from .columns import Regression

DAMPING = 0.1  # of the mean diagonal: they see one vector of every picture and text, where other matrices see scores


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


def reread(dense: nn.Module, small: nn.Module, samples: Samples) -> None:
    """Solve the projections of a smaller model anew, on pairs: min |W x + b - W0 t - b0|^2, t what the dense model's read.

    The smaller model gets parameters of its own for them; the dense one is untouched. Nothing happens where a model has none, or
    where its batches go through it in a way of the caller's own.
    """
    names = projections(dense)
    if not names or samples.forward != how(dense):
        return
    width = {name: dense.get_submodule(name).in_features + 1 for name in names}
    sums = {name: Sums(torch.zeros(n, n), torch.zeros(n, n)) for name, n in width.items()}
    for batch in samples.pairs:
        theirs, ours = (_read(model, names, batch) for model in (dense, small))
        for name in names:
            t, x = (F.pad(rows, (0, 1), value=1.0) for rows in (theirs[name], ours[name]))
            sums[name].products.add_(products(x, x))
            sums[name].crossed.add_(products(t, x))
    for name in names:
        was, own = dense.get_submodule(name), small.get_submodule(name)
        held = (was.weight.detach().cpu(), was.bias)
        new = Regression.of(*held, sums[name].products, sums[name].crossed, DAMPING).on()
        for kind, value in zip(("weight", "bias"), new, strict=True):
            if value is not None:
                parameter = getattr(was, kind)
                setattr(own, kind, nn.Parameter(value.to(parameter), requires_grad=parameter.requires_grad))


def _read(model: nn.Module, names: tuple[str, ...], batch: dict[str, Any]) -> dict[str, Tensor]:
    """What each projection reads of a batch of pairs, (rows, width) float32."""
    family, found = family_of(model), {}
    seen = {name: value for name, value in batch.items() if name.startswith("pixel")}
    said = {name: value for name, value in batch.items() if name in ("input_ids", "attention_mask")}

    def record(name: str, x: Tensor, *_: Any) -> None:
        found[name] = x.detach().reshape(-1, x.shape[-1]).float().cpu()

    weights = {name: model.get_submodule(name).weight for name in names}
    with quiet(model), LinearInputs(weights, record):
        family.embed_images(model, seen)
        family.embed_texts(model, said)
    return found
