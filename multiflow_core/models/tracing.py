"""Find out by experiment which layers see the image, which the text, and which both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..weights.capture import LinearInputs, quiet
from ..weights.layers import linear_weights

Forward = Callable[[nn.Module, Any], Any]

IMAGE_WORDS = ("pixel", "image", "vision", "visual", "img")
_UNTOUCHED_WORDS = ("mask", "label", "position", "token_type", "target", "shape", "size", "grid")
_SAMPLES = 2
_TOLERANCE = 1e-6


def trace(model: nn.Module, batch: Mapping[str, Any], forward: Forward | None = None) -> dict[str, frozenset[str]]:
    """Which of {"image", "text"} the input of every linear weight depends on.

    >>> class Two(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.a, self.b, self.c = nn.Linear(3, 2), nn.Embedding(9, 2), nn.Linear(2, 1)
    ...     def forward(self, pixel_values, input_ids):
    ...         return self.c(self.a(pixel_values) + self.b(input_ids))
    >>> batch = {"pixel_values": torch.rand(2, 3), "input_ids": torch.tensor([4, 7])}
    >>> {name: sorted(inputs) for name, inputs in trace(Two(), batch).items()}
    {'a.weight': ['image'], 'c.weight': ['image', 'text']}

    Image only means vision, text only text, both fusion; an empty set: the layer did not run, or depends
    on neither. Three forward passes on at most 2 samples; the model's modes, buffers and the random state
    are as before afterwards.

    Raises:
        ValueError: `batch` is not a mapping of names to tensors.
    """
    if not isinstance(batch, Mapping):
        raise ValueError(f"tracing needs a batch that maps names to tensors, not a {type(batch).__name__}")
    forward = forward or (lambda model, batch: model(**batch))
    weights = linear_weights(model)
    batch = _first_samples(batch)
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    try:
        with quiet(model):
            before = _prints(model, weights, batch, forward)
            after = {kind: _prints(model, weights, _changed(batch, kind), forward) for kind in ("image", "text")}
    finally:
        _restore(model, buffers)
    return {
        name: frozenset(kind for kind, prints in after.items() if _differ(before[name], prints[name]))
        for name in weights
    }


def is_image(key: str, value: Tensor) -> bool:
    """Whether an entry of a batch is the image: by its name, else a float tensor with at least 4 dimensions."""
    named = any(word in key.lower() for word in IMAGE_WORDS)
    return value.is_floating_point() and (named or value.ndim >= 4)


def _first_samples(batch: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v[:_SAMPLES] if isinstance(v, Tensor) and v.ndim else v for k, v in batch.items()}


def _changed(batch: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The batch with its image, or its text, replaced by another one."""
    generator = torch.Generator().manual_seed(0)

    def other(key: str, value: Any) -> Any:
        touched = isinstance(value, Tensor) and value.ndim and not any(w in key.lower() for w in _UNTOUCHED_WORDS)
        if not touched or value.dtype == torch.bool or is_image(key, value) != (kind == "image"):
            return value
        if not value.is_floating_point():
            return (value + 1) % max(int(value.max()) + 1, 2)  # never an id above those already seen
        noise = torch.randn(value.shape, generator=generator)
        return value + noise.to(value) * (value.float().std(correction=0).to(value) + 1)

    return {key: other(key, value) for key, value in batch.items()}


def _prints(model: nn.Module, weights: Mapping[str, Tensor], batch: Any, forward: Forward) -> dict[str, list[Tensor]]:
    """Per weight, one small fingerprint for each time it was used: its input's norm per feature."""
    prints: dict[str, list[Tensor]] = {name: [] for name in weights}

    def record(name: str, x: Tensor) -> None:
        rows = x.reshape(-1, x.shape[-1])
        prints[name].append(torch.linalg.vector_norm(rows, dim=0, dtype=torch.float64).cpu())

    torch.manual_seed(0)  # inside quiet(): dropout drawn by hand must be the same in all three passes
    with LinearInputs(weights, record):
        forward(model, batch)
    return prints


def _differ(before: list[Tensor], after: list[Tensor]) -> bool:
    if [p.shape for p in before] != [p.shape for p in after]:
        return True
    return any(bool((a - b).abs().max() > _TOLERANCE * b.abs().max()) for a, b in zip(after, before, strict=True))


def _restore(model: nn.Module, buffers: Mapping[str, Tensor]) -> None:
    """Write back only what changed: a read-only model must stay untouched."""
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            if name in buffers and not torch.equal(buffer, buffers[name]):
                buffer.copy_(buffers[name])
