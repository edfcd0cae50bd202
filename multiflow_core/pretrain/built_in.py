"""What a built-in model is. Adding one = one file in `models/` that calls `register`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PretrainedConfig, PreTrainedModel

from ..support.registry import Registry
from .objectives import Objectives
from .reading import flatland_processor
from .recipe import Recipe


@dataclass(frozen=True)
class BuiltIn:
    """A checkpoint that is trained on Flatland and shipped.

    >>> BUILT_INS.get("flatland-xvlm").recipe.seed
    0

    Attributes:
        name: of its folder under assets.
        kind, config: its class, and the configuration of a new one.
        objectives: what it is trained for. recipe: how.
        architecture, parts, sentences, losses: what its card says of where its architecture comes from, of what its parts do, of
            what sentences alone teach it, and of the losses of pictures and texts together.
        loads_as: classes of transformers that its folder names, where it is not the model's own.
    """

    name: str
    kind: type[PreTrainedModel]
    config: Callable[[], PretrainedConfig]
    objectives: type[Objectives]
    recipe: Recipe
    architecture: str
    parts: str
    sentences: str
    losses: str
    loads_as: tuple[str, ...] = ()

    def new(self) -> Objectives:
        """A new model in training mode, with its objectives."""
        return self.objectives(self.kind(self.config()).train())

    def save(self, model: PreTrainedModel, folder: Path) -> None:
        """Write an ordinary transformers folder in float16, which `mf.load` reads."""
        half = self.kind(model.config)
        half.load_state_dict(model.state_dict())
        half.to(torch.float16).save_pretrained(folder)
        if self.loads_as:
            config = json.loads((folder / "config.json").read_text()) | {"architectures": list(self.loads_as)}
            (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        (folder / "model.safetensors").chmod(0o644)
        flatland_processor().save_pretrained(folder)


BUILT_INS: Registry[BuiltIn] = Registry("built-in model", f"{__package__}.models")
register = BUILT_INS.register
