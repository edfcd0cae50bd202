"""Find out by experiment which layers see the image, which the text, and which both."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..weights.capture import LinearInputs, quiet
from ..weights.layers import linear_weights

Forward = Callable[[nn.Module, Any], Any]

IMAGE_WORDS = ("pixel", "image", "vision", "visual", "img", "patch")
_UNTOUCHED = re.compile(
    r"mask|label|pos(ition)?s?(_|$)|type|target|shape|size|grid|aspect|ratio|length|count|num_|index|indices", re.I
)
_PLACEHOLDER = re.compile(r"token_(id|index)s?$")  # how configurations name tokens that are no words
_SAMPLES = 2
_SEED = 5621  # not one by which somebody has made the batch: its own noise added again would only scale it
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
    on neither. Three forward passes, on 2 samples where every tensor has a row for each (packed patches have not); the
    model's modes, buffers and the random state are as before afterwards. Words become other words of the batch; what
    stands for a picture or ends a text stays where it is.

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
            kept = special_tokens(model)
            after = {kind: _prints(model, weights, _changed(batch, kind, kept), forward) for kind in ("image", "text")}
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


def special_tokens(model: nn.Module) -> frozenset[int]:
    """The ids that the model's configuration, or one inside it, names: placeholders of pictures, padding, ends of texts.

    >>> from types import SimpleNamespace as Any
    >>> model = nn.Linear(2, 2)
    >>> model.config = Any(image_token_id=7, text_config=Any(eos_token_id=[2, 3], vocab_size=9))
    >>> sorted(special_tokens(model))
    [2, 3, 7]
    """
    found: set[int] = set()
    pending = [getattr(module, "config", None) for module in model.modules()]
    seen: set[int] = set()
    while pending:
        config = pending.pop()
        if id(config) in seen or not hasattr(config, "__dict__"):
            continue
        seen.add(id(config))
        for name, value in vars(config).items():
            if _PLACEHOLDER.search(name):
                found.update(one for one in (value if isinstance(value, list | tuple) else [value]) if type(one) is int)
            elif name.endswith("config") or name in ("encoder", "decoder"):
                pending.append(value)
    return frozenset(found)


def has_rows(batch: Any) -> bool:
    """Whether all tensors of a batch have one row a sample, as packed patches have not.

    >>> has_rows({"pixel_values": torch.zeros(6, 4), "image_grid_thw": torch.zeros(2, 3)})
    False
    """
    held = batch.values() if isinstance(batch, Mapping) else ()
    return len({len(value) for value in held if isinstance(value, Tensor) and value.ndim}) == 1


def _first_samples(batch: Mapping[str, Any]) -> dict[str, Any]:
    """The batch for two samples only, if all of its tensors have one row a sample; else the batch as it is."""
    if not has_rows(batch):
        return dict(batch)
    return {k: v[:_SAMPLES] if isinstance(v, Tensor) and v.ndim else v for k, v in batch.items()}


def _changed(batch: Mapping[str, Any], kind: str, kept: frozenset[int]) -> dict[str, Any]:
    """The batch with its image, or its text, replaced by another one."""
    generator = torch.Generator().manual_seed(_SEED)

    def other(key: str, value: Any) -> Any:
        touched = isinstance(value, Tensor) and value.ndim and not _UNTOUCHED.search(key)
        if not touched or value.dtype == torch.bool or is_image(key, value) != (kind == "image"):
            return value
        if not value.is_floating_point():
            return _other_words(value, kept)
        noise = torch.randn(value.shape, generator=generator)
        noise = noise.to(value) * (value.float().std(correction=0).to(value) + 1)
        return value + noise.masked_fill(_whole_columns(value), 0)

    return {key: other(key, value) for key, value in batch.items()}


def _other_words(ids: Tensor, kept: frozenset[int]) -> Tensor:
    """Each word replaced by the id that follows, none of those kept: never one above those already seen."""
    words = [id_ for id_ in range(max(int(ids.max()) + 1, 2)) if id_ not in kept]
    changed = ids.clone()
    for word, following in zip(words, words[1:] + words[:1]):
        changed[ids == word] = following
    return changed


def _whole_columns(value: Tensor) -> Tensor:
    """Of rows of patches (3 dimensions), the columns that number them: whole numbers where others are not."""
    whole = (value == value.round()).flatten(0, -2).all(0) if value.ndim == 3 else torch.zeros((), dtype=torch.bool)
    return whole if not whole.all() else torch.zeros_like(whole)


def _prints(model: nn.Module, weights: Mapping[str, Tensor], batch: Any, forward: Forward) -> dict[str, list[Tensor]]:
    """Per weight, one small fingerprint for each time it was used: its input's norm per feature."""
    prints: dict[str, list[Tensor]] = {name: [] for name in weights}

    def record(name: str, x: Tensor, expert: int = 0) -> None:
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
