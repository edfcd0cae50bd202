"""Projections to the space that pictures and texts share: what is left of a model's towers is read anew.

They are no weights of a block, and nothing of them is pruned. But what a smaller tower says of a whole picture has moved a little,
and a projection reads just that: it is solved for what the dense model's said.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from ..calibration.passes import how, products
from ..calibration.projections import projections, read_by
from ..calibration.samples import Samples
from ..calibration.side_by_side import Sums
from .columns import Regression

DAMPING = 0.1  # of the mean diagonal: they see one vector of every picture and text, where other matrices see scores


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
        theirs, ours = (read_by(model, names, batch) for model in (dense, small))
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
