"""One streaming pass: batches go through the dense model, and what reaches its prunable weights is shown to a collector."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor, nn

from ..families import family_of
from ..models.layout import prunable_layers
from ..support.registry import unknown_name
from ..support.threads import Progress
from ..weights.capture import LinearInputs, quiet
from ..weights.layers import PrunableLayer
from ..weights.wrappers import parameters_of, unwrapped
from .evidence import Forward

ROWS = 1024  # rows reduced at a time: bounds the temporary, and keeps float32 sums short
Layers = tuple[PrunableLayer, ...]


def products(a: Tensor, b: Tensor) -> Tensor:
    """The sum over rows of a b^T, float32 whatever they are, where b is.

    >>> products(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    total = torch.zeros(a.shape[-1], b.shape[-1], device=b.device)
    for left, right in zip(a.split(ROWS), b.split(ROWS), strict=True):
        total.addmm_(left.to(b.device).float().T, right.float())
    return total


class Sums:
    """For every layer the sum of `reduce(rows)` over all tokens that count; a tensor fed to several layers is reduced once.

    Text tokens that are padding (attention_mask 0) are left out where a layer reads text; image patches only where the batch
    says that they pad pictures of another shape (SigLIP 2).
    """

    def __init__(self, reduce: Callable[[Tensor], Tensor]):
        self._reduce = reduce
        self.found: dict[str, Tensor] = {}

    def watch(self, layers: Layers, batch: Any) -> Callable[[str, Tensor], None]:
        """What is to be called with a layer's name and input, during one forward pass."""
        experts, kept = {layer.name: layer.experts for layer in layers}, kept_tokens(layers, batch)
        # By identity, for one forward. The weak reference tells a tensor from a later one at its address,
        # the version tells it from itself after an in-place change.
        recent: dict[tuple[int, bool], tuple[weakref.ref, int, Tensor]] = {}

        def record(name: str, x: Tensor, expert: int | None = None) -> None:
            keep = kept(name, x, expert)
            key = (id(x), keep is not None)
            seen, version, added = recent.get(key, (None, None, None))
            if seen is None or seen() is not x or version != x._version:
                added = self._reduce(x if keep is None else x[keep])
                recent[key] = (weakref.ref(x), x._version, added)
            if expert is not None:
                added = self._among(added, expert, experts[name])
            total = self.found.get(name)
            self.found[name] = added.clone() if total is None else total.add_(added)

        return record

    @staticmethod
    def _among(added: Tensor, expert: int, experts: int) -> Tensor:
        """What one expert adds, as what all of them add, one after the other: the others nothing."""
        every = added.new_zeros(experts, *added.shape)
        every[expert] = added
        return every.flatten(0, 1)

    def check(self, numbers: Callable[[Tensor], Tensor] = lambda total: total) -> None:
        """ValueError, naming the layer, if any of the sums is not finite."""
        for name, total in self.found.items():
            if not bool(torch.isfinite(numbers(total)).all()):
                raise ValueError(f"the activations at the input of {name} are not finite")


def kept_tokens(layers: Layers, batch: Any) -> Callable[[str, Tensor, int | None], Tensor | None]:
    """What says, of a layer's name, input and expert, which tokens count: bool as the input without its last side, None: all."""
    reads = {layer.name: layer.reads for layer in layers}
    masks = {"text": _mask(batch, "attention_mask"), "image": _mask(batch, "pixel_attention_mask")}
    # tokens that were sent to an expert are no longer in the places that a mask speaks of
    return lambda name, x, expert: None if expert is not None else _kept_rows(x, masks.get(reads[name]))


def stream(
    model: nn.Module,
    batches: Iterable[Any],
    *,
    begin: Callable[[Layers], None] = lambda layers: None,
    watch: Callable[[Layers, Any], Callable[[str, Tensor], None]],
    check: Callable[[], None],
    forward: Forward | None = None,
    layers: Layers | None = None,
    progress: Progress | None = None,
) -> tuple[Layers, int]:
    """Run batches through the dense model: the layout, and how many image-text pairs there were.

    Args:
        begin: called once with the layout, before the first pass.
        watch: watch(layers, batch) -> what is called with the name and the input of every layer that runs.
        check: called after every batch; may raise.

    The other arguments, and what is raised, are those of `calibrate`.
    """
    model = unwrapped(model)
    batches = [batches] if isinstance(batches, Mapping) else batches() if callable(batches) else batches
    total = len(batches) if isinstance(batches, Sized) else None
    forward = forward or how(model)
    pending = iter(batches)
    first = list(islice(pending, 1))
    layers = layout_of(model, layers, first[0] if first else None, forward)
    begin(layers)
    weights, samples = weights_of(model, layers), 0
    for done, batch in enumerate(chain(first, pending), start=1):
        with quiet(model), LinearInputs(weights, watch(layers, batch)):
            forward(model, batch)
        check()
        samples += count_pairs(batch)
        if progress is not None:
            progress(done / total if total else 0.0, f"calibrating: {samples} pairs")
    if samples == 0:
        raise ValueError("calibration needs at least one batch of image-text pairs")
    return layers, samples


def layout_of(model: nn.Module, given: Layers | None, first: Any, forward: Forward) -> Layers:
    """The layout; for a model no family knows, the first batch says which layers read text."""
    layers = tuple(given) if given is not None else prunable_layers(model)
    if not layers:
        raise ValueError("the model has no prunable layers to calibrate")
    if says_all(model) or _mask(first, "attention_mask") is None:
        return layers
    traced = prunable_layers(model, batch=first, forward=forward)
    if given is None:
        return traced
    # the given layout stands; only what it leaves open about the tokens is filled in
    reads = {layer.name: layer.reads for layer in traced}
    return tuple(replace(x, reads=reads.get(x.name, "any")) if x.reads == "any" else x for x in layers)


def says_all(model: nn.Module) -> bool:
    """Whether the model is of a family that names its layers, with what they read; that they run is then certain."""
    family = family_of(model)
    return family is not None and not family.general


def ran(model: nn.Module, layers: Layers, found: Mapping[str, Tensor]) -> Layers:
    """The layout of what was calibrated: where nobody has named the layers, without those that never ran."""
    return layers if says_all(model) else tuple(layer for layer in layers if layer.name in found)


def how(model: nn.Module) -> Forward:
    """How a model is run to calibrate it: as its family says, else `model(**batch)`."""
    return getattr(family_of(model), "calibration_forward", None) or _call


def _call(model: nn.Module, batch: Any) -> Any:
    return model(**batch) if isinstance(batch, Mapping) else model(batch)


def _mask(batch: Any, key: str) -> Tensor | None:
    mask = batch.get(key) if isinstance(batch, Mapping) else None
    return mask.bool() if isinstance(mask, Tensor) and mask.ndim == 2 else None


def _kept_rows(x: Tensor, mask: Tensor | None) -> Tensor | None:
    """The mask in the shape of the leading dimensions of x, or None where it does not fit them."""
    if mask is None:
        return None
    if x.ndim >= 3 and x.shape[:2] == mask.shape:
        return mask.to(x.device)
    if x.ndim == 2 and len(x) == mask.numel():
        return mask.reshape(-1).to(x.device)
    return None


def weights_of(model: nn.Module, layers: Layers) -> dict[str, Tensor]:
    """{parameter name: weight} of the layers; ValueError for one that the model does not have."""
    parameters = parameters_of(model)
    for layer in layers:
        if layer.name not in parameters:
            raise unknown_name("parameter of the model", layer.name, parameters)
    return {layer.name: parameters[layer.name] for layer in layers}


def count_pairs(batch: Any) -> int:
    """The number of image-text pairs in a batch: the length of its first tensor, input_ids before others.

    >>> count_pairs({"pixel_values": torch.zeros(2, 3, 4, 4)})
    2
    """
    values = list(batch.values()) if isinstance(batch, Mapping) else batch
    if isinstance(batch, Mapping) and "input_ids" in batch:
        values = [batch["input_ids"]]
    values = [values] if isinstance(values, Tensor) else values
    for value in values:
        if isinstance(value, Tensor) and value.ndim:
            return len(value)
    raise ValueError("a calibration batch holds no tensor to count its pairs by")


def multiply_adds(model: nn.Module, batch: Any, *, forward: Forward | None = None, layers: Layers | None = None) -> int:
    """How many products of a prunable weight and an input one pass of `calibrate` over a batch computes.

    >>> multiply_adds(nn.Sequential(nn.Linear(2, 3)), {"input": torch.ones(5, 2)})
    30

    The same for the same model and batch on every machine: what a pass costs, before it is known how fast the machine is.
    """
    model = unwrapped(model)
    layers = prunable_layers(model) if layers is None else layers
    sizes = {layer.name: layer.size // layer.experts for layer in layers}
    total = 0

    def count(name: str, x: Tensor, expert: int | None = None) -> None:
        nonlocal total
        total += x.numel() // x.shape[-1] * sizes[name]

    with quiet(model), LinearInputs(weights_of(model, layers), count):
        (forward or how(model))(model, batch)
    return total
