"""The calibration data itself, kept so that it can go through a model again and again, and the way that it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import torch  # noqa: F401  (for the examples)
from torch import Tensor, nn

from ..families import family_of
from ..weights.capture import LinearInputs, quiet
from ..weights.layers import PrunableLayer
from ..weights.wrappers import unwrapped
from .evidence import Data, Evidence, Forward, named, register
from .gradients import Source
from .passes import Layers, how, layout_of, ran, weights_of

Uses = Counter[str]


@dataclass(frozen=True)
class Samples:
    """Batches of image-text pairs, then batches of questions with their answers.

    >>> samples = Samples.of(nn.Linear(2, 1), [{"input": torch.ones(3, 2)}], [{"input": torch.ones(1, 2)}])
    >>> len(list(samples)), len(list(samples.without_questions()))
    (2, 1)
    >>> [dict(uses) for uses in samples.uses]
    [{'weight': 1}, {'weight': 1}]

    Attributes:
        pairs, questions: to be gone through again and again. forward: how both go through a model.
        uses: for each of them how often every layer is used, in the order in which they are used first.
        layers: the layout, without layers that never ran where no family names them.
    """

    pairs: Source
    questions: Source
    forward: Forward
    uses: tuple[Uses, ...]
    layers: Layers

    @classmethod
    def of(
        cls,
        model: nn.Module,
        pairs: Any,
        questions: Any = (),
        *,
        forward: Forward | None = None,
        layers: Layers | None = None,
        progress: Callable[[float, str], None] = lambda fraction, message: None,
    ) -> Samples:
        """From one pass through the dense model; ValueError where there is no batch."""
        model = unwrapped(model)
        pairs, questions, forward = Source(pairs), Source(questions), forward or how(model)
        first = list(islice(pairs, 1))
        if not first:
            raise ValueError("calibration needs at least one batch of image-text pairs")
        layers = layout_of(model, layers, first[0], forward)
        total = (pairs.count or 0) + (questions.count or 0)
        uses: list[Uses] = []
        for batch in chain(pairs, questions):
            uses.append(uses_of(model, layers, batch, forward))
            progress(min(1.0, len(uses) / total) if total else 0.0, f"following the signal: {len(uses)} batches")
        return cls(pairs, questions, forward, tuple(uses), ran(model, layers, Counter(chain(*uses))))

    def __iter__(self) -> Iterator[Any]:
        return chain(self.pairs, self.questions)

    def without_questions(self) -> Samples:
        """The pairs alone."""
        return replace(self, questions=Source(()), uses=self.uses[: len(self.uses) - sum(1 for _ in self.questions)])

    def eye(self, model: nn.Module) -> str:
        """The path of the part of a model after which batches may go on, "" where there is none: see `looked`."""
        family = family_of(model)
        return family.eye if family is not None and self.forward == how(model) else ""

    def looked(self, model: nn.Module) -> list[Any]:
        """The batches with what a model's eye makes of the pictures, in their place."""
        found = []
        with quiet(model):
            for batch in self:
                states = family_of(model).look(model, batch)
                found.append({"image_states": states} | {k: v for k, v in batch.items() if k != "pixel_values"})
        return found

    def order(self) -> dict[str, int]:
        """{parameter name: its place among all layers, by first use}"""
        return {name: place for place, name in enumerate(dict.fromkeys(chain(*self.uses)))}


def uses_of(model: nn.Module, layers: Sequence[PrunableLayer], batch: Any, forward: Forward) -> Uses:
    """How often each layer is used in a pass over a batch, in the order in which they are used first.

    >>> from multiflow_core import prunable_layers
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3))
    >>> list(uses_of(model, prunable_layers(model)[::-1], torch.ones(1, 2), lambda model, batch: model(batch)).items())
    [('0.weight', 1), ('1.weight', 1)]
    """
    uses: Uses = Counter()
    with quiet(model), LinearInputs(weights_of(model, tuple(layers)), lambda name, *_: uses.update([name])):
        forward(model, batch)
    return uses


def uses_left(layers: Iterable[PrunableLayer], uses: Uses) -> int:
    """How many uses of some layers a pass has, after which it may end; 0 where another model may have more, with experts.

    >>> uses_left([PrunableLayer("a", (2, 2)), PrunableLayer("b", (2, 2))], Counter(a=1, b=2, c=4))
    3
    """
    layers = tuple(layers)
    return 0 if any(layer.experts > 1 for layer in layers) else sum(uses[layer.name] for layer in layers)


def siblings_of(model: nn.Module, layers: Sequence[PrunableLayer], batch: Any, forward: Forward) -> dict[str, str]:
    """{layer: the first of those beside it that read the very same tensor}, as queries, keys and values do.

    >>> from multiflow_core import prunable_layers
    >>> model = nn.ModuleDict({"gate": nn.Linear(2, 3), "up": nn.Linear(2, 3), "down": nn.Linear(3, 2)})
    >>> layers = prunable_layers(model)
    >>> siblings_of(model, layers, torch.ones(1, 2), lambda m, x: m["down"](m["gate"](x) * m["up"](x)))
    {'gate.weight': 'gate.weight', 'up.weight': 'gate.weight', 'down.weight': 'down.weight'}
    """
    found: dict[str, str] = {}
    last: tuple[Any, int, str] = (None, 0, "")

    def record(name: str, x: Tensor, *expert: int) -> None:
        nonlocal last
        beside = last[0] is x and last[1] == x._version
        last = x, x._version, last[2] if beside else name
        found.setdefault(name, last[2])

    with quiet(model), LinearInputs(weights_of(model, tuple(layers)), record):
        forward(model, batch)
    return found


def check_used(who: str, samples: Samples, layers: Iterable[PrunableLayer]) -> None:
    """ValueError unless all layers are used."""
    used = samples.order()
    if missing := [layer.name for layer in layers if layer.name not in used]:
        raise ValueError(f"no samples for layers that never ran: {named(missing)}")


def _of_layer(samples: Samples, layer: PrunableLayer) -> Samples:
    if not any((layer.name, layer.shape) == (known.name, known.shape) for known in samples.layers):
        raise ValueError(f"the samples know no layer {layer.name} of shape {layer.shape}")
    return samples


def _collect(model: nn.Module, layers: Layers | None, data: Data) -> Samples:
    more = {"progress": data.progress} if data.progress else {}
    return Samples.of(model, data.batches, data.questions or (), forward=data.forward, layers=layers, **more)


register(
    Evidence(
        "samples",
        "samples",
        "a few pairs of picture and text, and of question and answer, again and again (samples)",
        "batches=...",
        Samples,
        _collect,
        _of_layer,
        check_used,
        passes=4,
        asks=True,
    )
)
