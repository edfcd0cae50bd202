"""Streaming activation statistics: what MULTIFLOW needs to know about the data, and nothing else."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ._capture import LinearInputs, quiet
from ._support import Progress, read_safetensors, unknown_name, write_safetensors
from .layers import PrunableLayer, family_of, prunable_layers

Forward = Callable[[nn.Module, Any], Any]

_FORMAT = "multiflow-statistics"
_ROWS = 1024  # rows squared at a time: bounds the temporary, and keeps float32 sums short


@dataclass(frozen=True)
class Statistics:
    """Sums of squared input activations per feature.

    >>> stats = Statistics({"fc.weight": torch.tensor([8.0, 18.0], dtype=torch.float64)}, samples=2)
    >>> stats.norm("fc.weight")
    tensor([2., 3.])

    Attributes:
        square_sums: {parameter name: float64 (in,)}, summed over all tokens that count; a layer that never
            ran is missing.
        samples: n, the number of image-text pairs (not tokens).
        layers: the layout they were made with.
    """

    square_sums: Mapping[str, Tensor]
    samples: int
    layers: tuple[PrunableLayer, ...] = field(default=())

    def norm(self, name: str) -> Tensor:
        """a_j = sqrt(sum over tokens of x_j^2 / n) of one layer: float32 (in,). ValueError if it never ran."""
        if name not in self.square_sums:
            raise unknown_name("layer with statistics", name, self.square_sums)
        return (self.square_sums[name] / self.samples).sqrt().float()

    @property
    def missing(self) -> tuple[str, ...]:
        """The layers of the layout that never ran."""
        return tuple(layer.name for layer in self.layers if layer.name not in self.square_sums)

    def merge(self, other: Statistics) -> Statistics:
        """The statistics of both sets of samples together (also `+`); ValueError if the layouts differ.

        >>> one = Statistics({"w": torch.ones(2, dtype=torch.float64)}, 1)
        >>> (one + one).square_sums["w"].tolist(), (one + one).samples
        ([2.0, 2.0], 2)
        """
        if self.layers != other.layers:
            raise ValueError("statistics of different layouts cannot be merged")
        sums = dict(self.square_sums)
        for name, theirs in other.square_sums.items():
            if name in sums and sums[name].shape != theirs.shape:
                raise ValueError(f"statistics of {name} have different sizes and cannot be merged")
            sums[name] = sums[name] + theirs if name in sums else theirs
        return Statistics(sums, self.samples + other.samples, self.layers)

    __add__ = merge

    def save(self, path: str | os.PathLike) -> Path:
        """Write one safetensors file, atomically; `load` gives exactly the same back."""
        layout = json.dumps([asdict(layer) for layer in self.layers])
        metadata = {"format": _FORMAT, "version": "1", "samples": str(self.samples), "layers": layout}
        return write_safetensors(path, self.square_sums, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Statistics:
        """Read what `save` wrote; ValueError when the file is something else."""
        sums, metadata = read_safetensors(path)
        if metadata.get("format") != _FORMAT:
            raise ValueError(f"{os.fspath(path)} holds no calibration statistics")
        layers = (PrunableLayer(**{**d, "shape": tuple(d["shape"])}) for d in json.loads(metadata["layers"]))
        return cls(sums, int(metadata["samples"]), tuple(layers))


def calibrate(
    model: nn.Module,
    batches: Iterable[Any],
    *,
    forward: Forward | None = None,
    layers: tuple[PrunableLayer, ...] | None = None,
    progress: Progress | None = None,
) -> Statistics:
    """Run a few image-text pairs through the dense model and collect its activation statistics.

    >>> model = nn.Sequential(nn.Linear(2, 2))
    >>> stats = calibrate(model, [{"input": torch.tensor([[3.0, 0.0], [4.0, 2.0]])}])
    >>> stats.square_sums["0.weight"].tolist(), stats.samples
    ([25.0, 4.0], 2)

    Args:
        model: any module; runs in evaluation mode, without gradients, and is left exactly as it was.
        batches: dicts of tensors (pixel_values, input_ids, attention_mask), or anything `forward` takes.
            May be a generator: every batch is seen once and nothing of it is kept.
        forward: `forward(model, batch)`; default: how the model's family calibrates, else `model(**batch)`.
        layers: the layout, default `prunable_layers(model)`. For a model no family knows, the first batch
            is traced when it has an attention_mask, to learn which layers read text.
        progress: called as progress(fraction, message) after every batch.

    Returns:
        Statistics with the float64 (in,) sums of squares of every layer that ran. Text tokens that are
        padding (attention_mask 0) are left out where a layer reads text; image patches never are. A weight
        used several times sums over all its uses.

    Raises:
        ValueError: no batches, no prunable layers, or activations that are not finite (naming the layer).
    """
    batches = [batches] if isinstance(batches, Mapping) else batches
    family = family_of(model)
    given = layers is not None
    layers = tuple(layers) if given else prunable_layers(model)
    if not layers:
        raise ValueError("the model has no prunable layers to calibrate")
    forward = forward or getattr(family, "calibration_forward", None) or _call
    weights = _weights(model, layers)
    total = len(batches) if isinstance(batches, Sized) else None
    sums: dict[str, Tensor] = {}
    samples = 0
    for done, batch in enumerate(batches, start=1):
        if family is None and done == 1 and _attention_mask(batch) is not None:
            traced = prunable_layers(model, batch=batch, forward=forward)
            layers = _with_reads(layers, traced) if given else traced
        reducer = _Reducer(layers, _attention_mask(batch), sums, _attention_mask(batch, "pixel_attention_mask"))
        with quiet(model), LinearInputs(weights, reducer):
            forward(model, batch)
        _check_finite(sums)
        samples += count_pairs(batch)
        if progress is not None:
            progress(done / total if total else 0.0, f"calibrating: {samples} pairs")
    if samples == 0:
        raise ValueError("calibration needs at least one batch of image-text pairs")
    ordered = {layer.name: sums[layer.name].cpu() for layer in layers if layer.name in sums}
    return Statistics(ordered, samples, layers)


def multiply_adds(
    model: nn.Module,
    batch: Any,
    *,
    forward: Forward | None = None,
    layers: tuple[PrunableLayer, ...] | None = None,
) -> int:
    """How many products of a prunable weight and an input one pass of `calibrate` over a batch computes.

    >>> multiply_adds(nn.Sequential(nn.Linear(2, 3)), {"input": torch.ones(5, 2)})
    30

    The same for the same model and batch on every machine: what a pass costs, before it is known how fast the machine is.
    """
    layers = prunable_layers(model) if layers is None else layers
    sizes = {layer.name: layer.size for layer in layers}
    total = 0

    def count(name: str, x: Tensor) -> None:
        nonlocal total
        total += x.numel() // x.shape[-1] * sizes[name]

    forward = forward or getattr(family_of(model), "calibration_forward", None) or _call
    with quiet(model), LinearInputs(_weights(model, layers), count):
        forward(model, batch)
    return total


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


def _call(model: nn.Module, batch: Any) -> Any:
    return model(**batch) if isinstance(batch, Mapping) else model(batch)


def _attention_mask(batch: Any, key: str = "attention_mask") -> Tensor | None:
    mask = batch.get(key) if isinstance(batch, Mapping) else None
    return mask.bool() if isinstance(mask, Tensor) and mask.ndim == 2 else None


def _weights(model: nn.Module, layers: tuple[PrunableLayer, ...]) -> dict[str, Tensor]:
    parameters = dict(model.named_parameters(remove_duplicate=False))
    for layer in layers:
        if layer.name not in parameters:
            raise unknown_name("parameter of the model", layer.name, parameters)
    return {layer.name: parameters[layer.name] for layer in layers}


def _with_reads(layers: tuple[PrunableLayer, ...], traced: tuple[PrunableLayer, ...]) -> tuple[PrunableLayer, ...]:
    """The given layout stands; only what it leaves open about the tokens is filled in."""
    reads = {layer.name: layer.reads for layer in traced}
    return tuple(replace(x, reads=reads.get(x.name, "any")) if x.reads == "any" else x for x in layers)


def _check_finite(sums: Mapping[str, Tensor]) -> None:
    for name, total in sums.items():
        if not bool(torch.isfinite(total).all()):
            raise ValueError(f"the activations at the input of {name} are not finite")


class _Reducer:
    """Adds the squared inputs of one forward pass to `sums`; a tensor fed to several layers is reduced once."""

    def __init__(
        self,
        layers: tuple[PrunableLayer, ...],
        mask: Tensor | None,
        sums: dict[str, Tensor],
        patch_mask: Tensor | None = None,
    ):
        self._reads = {layer.name: layer.reads for layer in layers}
        # patches are left out only where the batch says that they pad pictures of another shape (SigLIP 2)
        self._masks = {"text": mask, "image": patch_mask}
        self._sums = sums
        # By identity, for one forward. The weak reference tells a tensor from a later one at its address,
        # the version tells it from itself after an in-place change.
        self._recent: dict[tuple[int, bool], tuple[weakref.ref, int, Tensor]] = {}

    def __call__(self, name: str, x: Tensor) -> None:
        keep = _kept_rows(x, self._masks.get(self._reads[name]))
        added = self._squares(x, keep)
        total = self._sums.get(name)
        self._sums[name] = added.clone() if total is None else total.add_(added)

    def _squares(self, x: Tensor, keep: Tensor | None) -> Tensor:
        key = (id(x), keep is not None)
        seen, version, sums = self._recent.get(key, (None, None, None))
        if seen is not None and seen() is x and version == x._version:
            return sums
        sums = square_sum(x if keep is None else x[keep])
        self._recent[key] = (weakref.ref(x), x._version, sums)
        return sums


def _kept_rows(x: Tensor, mask: Tensor | None) -> Tensor | None:
    """The mask in the shape of the leading dimensions of x, or None where it does not fit them."""
    if mask is None:
        return None
    if x.ndim >= 3 and x.shape[:2] == mask.shape:
        return mask.to(x.device)
    if x.ndim == 2 and len(x) == mask.numel():
        return mask.reshape(-1).to(x.device)
    return None


def square_sum(x: Tensor) -> Tensor:
    """Sum of squares per feature (last dimension) over everything else: float64 (in,).

    >>> square_sum(torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])).tolist()
    [10.0, 20.0]

    Squares in float32 whatever the dtype; float64 across blocks, so that it does not matter how the
    samples are split into batches.
    """
    rows = x.detach().reshape(-1, x.shape[-1])
    total = torch.zeros(rows.shape[1], dtype=torch.float64, device=x.device)
    for block in rows.split(_ROWS):
        total += block.float().square().sum(0)
    return total
