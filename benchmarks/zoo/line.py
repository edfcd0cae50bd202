"""One model through the whole line: calibrate, rank, masks, prune, run; and what is found on the way."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

import multiflow_core as mf
from multiflow_core.models.layout import left_dense

from .batches import Batch, batches_of
from .types import TYPES, build

SPARSITY = 0.63


@dataclass
class Found:
    """What the line makes of a type.

    Attributes:
        layers: how many there are of each modality. dense: {matrix: why it is left dense}.
        lost: matrices that are neither prunable nor said to be left dense. heads: output heads that would be pruned.
        calibrated: pairs. asked, pruned: weights. runs: whether the pruned copy computes what zeros set by hand compute.
        keeps: whether it still has its hidden states and attentions, and generates what zeros set by hand generate.
        trouble: what went wrong, "" where nothing did.
    """

    name: str
    layers: Mapping[str, int] = field(default_factory=dict)
    dense: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    calibrated: int = 0
    asked: int = 0
    pruned: int = 0
    runs: bool = False
    keeps: bool = False
    trouble: str = ""

    @property
    def passes(self) -> bool:
        """Whether the type is through the line."""
        return self.runs and self.asked == self.pruned and self.calibrated > 0


def through(name: str) -> Found:
    """A type, taken through the line; whatever is raised is told.

    >>> found = through("CLIPModel")
    >>> found.layers, found.passes, found.keeps
    ({'text': 12, 'vision': 12}, True, True)
    """
    found = Found(name)
    try:
        model = build(name)
        _take(model, list(batches_of(model, TYPES[name].pictures)), found)
    except Exception as error:  # whatever a type has in store is a finding
        found.trouble = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
    return found


def _take(model: nn.Module, batches: list[Batch], found: Found) -> None:
    before = _outputs(model, batches[0])  # as a page would have asked before: it installs what copies must not keep
    statistics = mf.calibrate(model, batches)
    order = mf.rank(model, "multiflow", statistics=statistics)
    masks = order.masks(SPARSITY)
    found.calibrated, found.layers = statistics.samples, Counter(layer.modality for layer in order.layers)
    found.layers = dict(sorted(found.layers.items()))
    found.dense = left_dense(model, statistics)
    found.lost = tuple(sorted(_matrices(model) - masks.keys() - found.dense.keys()))
    found.heads = tuple(sorted(_heads(model) & masks.keys()))
    found.asked, found.pruned = math.floor(SPARSITY * order.total), masks.pruned
    copied, by_hand = masks.apply(model), _zeroed(model, masks)
    found.runs = _same(_outputs(copied, batches[0]), expected := _outputs(by_hand, batches[0]))
    found.keeps = expected.keys() == before.keys() and _same(_said(copied, batches[0]), _said(by_hand, batches[0]))


def _matrices(model: nn.Module) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.ndim > 1}


def _heads(model: nn.Module) -> set[str]:
    """Where the words come out, by every model inside that says so; no matter whether it is tied."""
    heads = (m.get_output_embeddings() for m in model.modules() if hasattr(m, "get_output_embeddings"))
    weights = {id(head.weight) for head in heads if isinstance(getattr(head, "weight", None), Tensor)}
    return {name for name, parameter in model.named_parameters() if id(parameter) in weights}


def _zeroed(model: nn.Module, masks: mf.Masks) -> nn.Module:
    """A deep copy with zeros written into it."""
    copied = copy.deepcopy(model)
    with torch.no_grad():
        for name, mask in masks.items():
            copied.get_parameter(name)[~mask] = 0
    return copied


@torch.no_grad()
def _outputs(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Everything that a forward pass returns, hidden states and attentions with it."""
    torch.manual_seed(0)
    return dict(_flat("", model(**batch, output_hidden_states=True, output_attentions=True)))


@torch.no_grad()
def _said(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """What a model generates."""
    if not model.can_generate():
        return {}
    given = {key: value for key, value in batch.items() if key not in ("decoder_input_ids", "mm_token_type_ids")}
    return dict(_flat("", model.generate(**given, max_new_tokens=2, do_sample=False)))


def _flat(path: str, value: Any):
    if isinstance(value, Tensor):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(f"{path}.{key}", part)
    elif isinstance(value, tuple | list):
        for i, part in enumerate(value):
            yield from _flat(f"{path}.{i}", part)


def _same(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(x, b[key]) or _close(x, b[key]) for key, x in a.items())


def _close(a: Tensor, b: Tensor) -> bool:
    """Two numbers that are not there are alike, too."""
    return a.shape == b.shape and torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)
