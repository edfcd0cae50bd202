"""Which modality a part of a model is of, as the configurations of its sub-models say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

# of a sub-configuration's name; the first that is found
_KEYS = (
    ("fusion", re.compile(r"q_?former|perceiver|resampler|projector|connector|multi_?modal|fusion")),
    ("vision", re.compile(r"vision|visual|image|video|vq|vit")),
    ("text", re.compile(r"text|decoder|language|llm")),
)
_SINGLE = re.compile(r"(vision|text)(_model)?$")  # of a type that is one tower


def modalities_of(model: nn.Module) -> dict[str, str]:
    """{path of a sub-model: its modality}: of each part of a configuration the outermost modules that were made from it.

    >>> from types import SimpleNamespace as Any
    >>> class Config(Any):
    ...     sub_configs = {"vision_config": None}
    >>> model = nn.ModuleDict({"tower": nn.ModuleDict({"fc": nn.Linear(2, 2)}), "rest": nn.Linear(2, 2)})
    >>> model.config = Config(vision_config=Any())
    >>> model["tower"].config = model.config.vision_config
    >>> modalities_of(model)
    {'tower': 'vision'}

    A model that was made from one configuration alone is of the modality that its type names, if it does. A module that
    has no configuration itself says nothing, whatever it holds.
    """
    found: dict[str, str] = {}
    if not hasattr(model, "config"):
        return found
    modules = dict(model.named_modules())
    for module in modules.values():
        config = getattr(module, "config", None)
        if getattr(config, "sub_configs", None):
            made = _made_from(modules, config)
            found |= {part: modality for part, modality in made if not _inside(part, found)}
    if not found and (alone := _SINGLE.search(_type_of(model))):
        found[""] = alone[1]
    return found


def _made_from(modules: Mapping[str, nn.Module], config: Any) -> Iterator[tuple[str, str]]:
    for key in config.sub_configs:
        part, modality = getattr(config, key, None), _named(key)
        if part is None:
            continue
        paths = [path for path, module in modules.items() if path and getattr(module, "config", None) is part]
        for path in paths:
            if not _inside(path, paths) and not any(step.isdigit() for step in path.split(".")):
                kind = modality or ("vision" if _reads_pixels(modules[path]) else None)
                if kind is not None:
                    yield path, kind


def _reads_pixels(module: nn.Module) -> bool:
    return getattr(module, "main_input_name", "") == "pixel_values"


def _type_of(model: nn.Module) -> str:
    return str(getattr(getattr(model, "config", None), "model_type", ""))


def _named(text: str) -> str | None:
    return next((modality for modality, words in _KEYS if words.search(text)), None)


def _inside(path: str, others: Any) -> bool:
    return any(path != other and path.startswith(f"{other}.") for other in others)
