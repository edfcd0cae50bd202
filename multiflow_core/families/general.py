"""What the families share that take any class of transformers: which class, its layout left to others, and what it accepts."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from .base import Family
from .folder import folder_of, silent

SIDE = 384  # pixels of a side that are enough for a model that reads pictures of any size


class General(Family):
    """A family of all classes that it takes; those of other families never come here."""

    general = True
    architectures = ()

    def takes(self, kind: type) -> bool:
        """Whether a class of transformers is one of this family's."""
        raise NotImplementedError

    def opens(self, architectures: Sequence[str]) -> bool:
        return self._first(architectures) is not None

    def knows(self, model: nn.Module) -> bool:
        return isinstance(model, transformers.PreTrainedModel) and self._first([type(model).__name__]) is type(model)

    def model_class(self, architectures: Sequence[str]) -> type:
        return self._first(architectures)

    def load(self, folder: Path, architectures: Sequence[str], dtype: torch.dtype | None) -> tuple[nn.Module, Any]:
        """With what its folder says of generating, which transformers does not look for beside packed weights."""
        model, processor = super().load(folder, architectures, dtype)
        if model.can_generate() and (folder_of(folder) / "generation_config.json").is_file():
            with silent(), suppress(OSError, ValueError):  # damaged: what the model itself says stands
                read = transformers.GenerationConfig.from_pretrained
                model.generation_config = read(folder_of(folder), local_files_only=True)
        return model, processor

    def _first(self, architectures: Sequence[str]) -> type | None:
        kinds = (getattr(transformers, name, None) for name in architectures)
        models = (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel))
        return next((kind for kind in models if self.takes(kind)), None)

    def _is_prunable(self, name: str) -> bool:
        return False

    def side(self, model: nn.Module, processor: Any) -> int:
        """That of the vision tower; of one that reads any size, as much as the processor lets through."""
        size = getattr(getattr(model.config, "vision_config", None), "image_size", None)
        size = max(size) if isinstance(size, list | tuple) else size
        return size if isinstance(size, int) else _most_pixels(processor.image_processor)


def _most_pixels(reader: Any) -> int:
    size = dict(getattr(reader, "size", None) or {})
    most = next((size[name] for name in ("height", "longest_edge", "shortest_edge") if size.get(name)), SIDE)
    # Qwen-VL's processors count the pixels of the whole picture
    return min(SIDE, math.isqrt(most) if hasattr(reader, "merge_size") else most)


def accepted(model: nn.Module, function: Callable, held: Mapping[str, Any]) -> dict[str, Tensor]:
    """Of what a processor returned the tensors that a function of the model takes, in the model's precision."""
    takes = inspect.signature(function).parameters
    found = {name: value for name, value in held.items() if name in takes and isinstance(value, Tensor)}
    kind = next(model.parameters()).dtype
    return {name: value.to(kind) if value.is_floating_point() else value for name, value in found.items()}
