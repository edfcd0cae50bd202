"""Activation statistics, streamed: what MULTIFLOW needs to know about the data, and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..support.files import read_safetensors, write_safetensors
from ..support.registry import unknown_name
from ..support.threads import Progress
from ..weights.layers import OUT_IN, PrunableLayer
from .evidence import Data, Evidence, Forward, named, register
from .passes import ROWS, Sums, ran, stream

_FORMAT = "multiflow-statistics"


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
        layers: the layout they were made with; of a model whose layers no family names, without those that never ran.
        source: what the pairs were from, "" where that is not said.
    """

    square_sums: Mapping[str, Tensor]
    samples: int
    layers: tuple[PrunableLayer, ...] = field(default=())
    source: str = field(default="", kw_only=True)

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
        source = " and ".join(dict.fromkeys(part for part in (self.source, other.source) if part))
        return Statistics(sums, self.samples + other.samples, self.layers, source=source)

    __add__ = merge

    def save(self, path: str | os.PathLike) -> Path:
        """Write one safetensors file, atomically; `load` gives exactly the same back."""
        layout = json.dumps([_described(layer) for layer in self.layers])
        metadata = {"format": _FORMAT, "version": "1", "samples": str(self.samples), "layers": layout}
        metadata |= {"source": self.source} if self.source else {}
        return write_safetensors(path, self.square_sums, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Statistics:
        """Read what `save` wrote; ValueError when the file is something else."""
        sums, metadata = read_safetensors(path)
        if metadata.get("format") != _FORMAT:
            raise ValueError(f"{os.fspath(path)} holds no calibration statistics")
        try:
            layers = tuple(_layer(held) for held in json.loads(metadata["layers"]))
            samples = int(metadata["samples"])
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
            raise ValueError(f"{os.fspath(path)} is damaged: it does not say what it was made with") from None
        problem = _problem(sums, samples, layers)
        if problem:
            raise ValueError(f"{os.fspath(path)} is damaged: {problem}")
        return cls(sums, samples, layers, source=metadata.get("source", ""))


def _described(layer: PrunableLayer) -> dict[str, Any]:
    """A layer as it is written; how it is stored only where that is unusual."""
    return {part: value for part, value in asdict(layer).items() if part != "stored" or value != OUT_IN}


def _layer(held: Mapping[str, Any]) -> PrunableLayer:
    """A layer as it was written; ValueError or TypeError where it is none."""
    if not all(isinstance(value, str) for part, value in held.items() if part != "shape"):
        raise ValueError("a layer is described in words")
    if not held["shape"] or not all(type(side) is int and side > 0 for side in held["shape"]):
        raise ValueError("a layer has whole, positive sizes")
    return PrunableLayer(**{**held, "shape": tuple(held["shape"])})


def _problem(sums: Mapping[str, Tensor], samples: int, layers: Sequence[PrunableLayer]) -> str:
    """What is wrong with statistics from a file; nothing where they are sound."""
    if samples < 1:
        return f"it counts {samples} samples"
    sizes = {layer.name: layer.inputs for layer in layers}
    for name, found in sums.items():
        if layers and name not in sizes:
            return f"the layer {name} is not in its layout"
        if found.ndim != 1 or (layers and len(found) != sizes[name]):
            return f"the sums of {name} have the shape {tuple(found.shape)}"
        if not found.is_floating_point() or not bool((torch.isfinite(found) & (found >= 0)).all()):
            return f"the sums of {name} are not all numbers from 0 on"
    return ""


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
    sums = Sums(square_sum)
    layers, samples = stream(
        model, batches, watch=sums.watch, check=sums.check, forward=forward, layers=layers, progress=progress
    )
    found = {x.name: sums.found[x.name].cpu() for x in layers if x.name in sums.found}
    return Statistics(found, samples, ran(model, layers, found))


def square_sum(x: Tensor) -> Tensor:
    """Sum of squares per feature (last dimension) over everything else: float64 (in,).

    >>> square_sum(torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])).tolist()
    [10.0, 20.0]

    Squares in float32 whatever the dtype; float64 across blocks, so that it does not matter how the
    samples are split into batches.
    """
    rows = x.detach().reshape(-1, x.shape[-1])
    total = torch.zeros(rows.shape[1], dtype=torch.float64, device=x.device)
    for block in rows.split(ROWS):
        total += block.float().square().sum(0)
    return total


def norms(statistics: Statistics, layer: PrunableLayer) -> Tensor:
    """a_j of one layer, float32 (in,); ValueError where the statistics are of another size."""
    found = statistics.norm(layer.name)
    if found.numel() != layer.inputs:
        raise ValueError(f"the statistics of {layer.name} are of size {found.numel()}, not {layer.inputs}")
    return found


def check_complete(who: str, statistics: Statistics, layers: Sequence[PrunableLayer]) -> None:
    """ValueError unless all layers ran during calibration."""
    missing = [layer.name for layer in layers if layer.name not in statistics.square_sums]
    if missing:
        raise ValueError(f"no statistics for layers that never ran during calibration: {named(missing)}")


def _collect(model: nn.Module, layers: tuple[PrunableLayer, ...] | None, data: Data) -> Statistics:
    return calibrate(model, data.batches, forward=data.forward, layers=layers, progress=data.progress)


register(
    Evidence(
        "statistics",
        "activation statistics",
        "how strong every input is, from a few pairs of picture and text (activation statistics)",
        "statistics=mf.calibrate(model, batches)",
        Statistics,
        _collect,
        norms,
        check_complete,
        file="statistics.safetensors",
        load=Statistics.load,
    )
)
