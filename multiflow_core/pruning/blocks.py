"""Whole blocks that go: which, and how the block before them takes over what they wrote.

Only of stacks that read pictures, and only blocks that hand on what they are given and add to it, as those of CLIP, SigLIP and BLIP
do in their vision towers: such a block is gone once it adds nothing. It is tried, not looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..calibration.gradients import Source
from ..calibration.passes import products, weights_of
from ..calibration.samples import Samples
from ..calibration.side_by_side import Sums
from ..models.smaller import bias_of
from ..models.units import Part, Stack, stacks_of
from ..weights.capture import Enough, LinearInputs, quiet
from ..weights.layers import PrunableLayer
from ..weights.masks import rebuilt
from ..weights.wrappers import parameters_of

_SAME = 1e-5  # how far a block that adds nothing may be from what it was given, of its size


def chosen(
    model: nn.Module, layers: Sequence[PrunableLayer], drop: Mapping[str, int], samples: Samples
) -> dict[Stack, frozenset[int]]:
    """{stack: the numbers of the blocks that go}: of each modality so many that change least what passes through them.

    The first block stays: there would be none before it to write what it wrote. The last goes last, however little it changes:
    it gathers what is read of a whole picture (BLIP's class token), and none after it could.

    Raises:
        ValueError: a modality without such a stack, or more blocks than can go.
    """
    found = {}
    for modality, count in drop.items():
        stack = next((one for one in stacks_of(model) if _adds(model, one, modality, layers, samples)), None)
        if stack is None:
            raise ValueError(
                f"no block of {modality} can go: its config cannot say so of these blocks alone, they read no pictures, or they do "
                "not hand on what they are given"
            )
        if not 0 < count < stack.count:
            raise ValueError(f"{modality} has {stack.count} blocks: from 1 to {stack.count - 1} can go, not {count}")
        change = changes(model, stack, samples)
        ranked = sorted(range(1, stack.count), key=lambda n: (n == stack.count - 1, change[n]))
        found[stack] = frozenset(ranked[:count])
    return found


def changes(model: nn.Module, stack: Stack, samples: Samples) -> list[float]:
    """How much each block changes what passes through it: |out - in|^2 over |in|^2, over all tokens."""
    copied = rebuilt(model, {})  # hooks are set on it
    moved, size = torch.zeros(stack.count, dtype=torch.float64), torch.zeros(stack.count, dtype=torch.float64)

    def look(number: int, last: bool):
        def seen(module: nn.Module, args: tuple, kwargs: dict, output: Any) -> None:
            before, after = _stream(args, kwargs), _first(output)
            moved[number] += float((after - before).double().square().sum())
            size[number] += float(before.double().square().sum())
            if last:
                raise Enough

        return seen

    for number in range(stack.count):
        module = copied.get_submodule(stack.block(number))
        module.register_forward_hook(look(number, number + 1 == stack.count), with_kwargs=True)
    for batch in samples:
        _run(copied, batch, samples)
    return (moved / size.clamp(min=torch.finfo(torch.float64).tiny)).tolist()


def _adds(model: nn.Module, stack: Stack, modality: str, layers: Sequence[PrunableLayer], samples: Samples) -> bool:
    """Whether a stack is of a modality, reads pictures, and its blocks are gone once their matrices are zero."""
    own = [layer for layer in layers if layer.name.startswith(f"{stack.path}.")]
    if not own or any(layer.modality != modality or layer.reads != "image" for layer in own):
        return False
    parameters, zero = parameters_of(model), {}
    for layer in own:
        for name in {layer.name, bias_of(layer.name)} & parameters.keys():
            zero[id(parameters[name])] = nn.Parameter(torch.zeros_like(parameters[name]), requires_grad=False)
    silent = rebuilt(model, zero)
    one = Samples(Source([next(iter(samples))]), Source(()), samples.forward, samples.uses[:1], samples.layers)
    return max(changes(silent, stack, one)) < _SAME**2


@dataclass(frozen=True)
class Heir:
    """A block and the last of those after it that go.

    Attributes:
        own: the path of the block whose last matrix writes for them. last: that of the block after which the stream is right again.
    """

    own: str
    last: str

    def sums(self, dense: nn.Module, pruned: nn.Module, layer: PrunableLayer, samples: Samples) -> Sums:
        """x x^T and y x^T, x what the matrix reads in the pruned model (with a 1), y what it has to write."""
        inputs = layer.inputs + 1
        held = Sums(torch.zeros(inputs, inputs), torch.zeros(layer.size // layer.inputs, inputs))
        watched = weights_of(pruned, (layer,))
        weight = watched[layer.name].detach()
        bias = parameters_of(pruned).get(bias_of(layer.name))
        for batch in samples:
            right = after(dense, self.last, batch, samples)
            read: list[Tensor] = []
            with LinearInputs(
                {layer.name: weights_of(pruned, (layer,))[layer.name]}, lambda name, x, *_, read=read: read.append(x)
            ):
                ours = after(pruned, self.own, batch, samples)
            for x, theirs, own in zip(read, right, ours, strict=True):
                rows = x.reshape(-1, x.shape[-1]).cpu()
                now = nn.functional.linear(rows, weight.cpu(), None if bias is None else bias.detach().cpu())
                y = (theirs - own).reshape(len(rows), -1).cpu() + now
                rows = nn.functional.pad(rows, (0, 1), value=1.0)
                held.products += products(rows, rows)
                held.crossed += products(y, rows)
        return held


def heirs(parts: Iterable[Part], gone: Mapping[Stack, frozenset[int]]) -> dict[str, Heir]:
    """{the matrix that writes for blocks after its own: whose}

    >>> up, down = (PrunableLayer(f"layers.0.{name}.weight", (2, 2)) for name in ("fc1", "fc2"))
    >>> from multiflow_core.models.units import Side
    >>> part = Part("neurons", 2, (Side(up),), Side(down), ())
    >>> heirs([part], {Stack("layers", 4, "depth"): frozenset({1, 2})})
    {'layers.0.fc2.weight': Heir(own='layers.0', last='layers.2')}
    """
    readers = [part.reader.layer.name for part in parts if part.kind == "neurons"]
    found = {}
    for stack, numbers in gone.items():
        for number in range(stack.count):
            last = number
            while last + 1 in numbers:
                last += 1
            if number in numbers or last == number:
                continue
            own = stack.block(number)
            found |= {name: Heir(own, stack.block(last)) for name in readers if name.startswith(f"{own}.")}
    return found


def after(model: nn.Module, path: str, batch: Any, samples: Samples) -> list[Tensor]:
    """What leaves a block, each time it is called. Hooks are set on the model meanwhile."""
    found: list[Tensor] = []
    hook = model.get_submodule(path).register_forward_hook(lambda module, args, output: found.append(_first(output)))
    try:
        _run(model, batch, samples)
    finally:
        hook.remove()
    return found


def _run(model: nn.Module, batch: Any, samples: Samples) -> None:
    try:
        with quiet(model):
            samples.forward(model, batch)
    except Enough:
        pass


def _first(output: Any) -> Tensor:
    return (output[0] if isinstance(output, tuple) else output).detach()


def _stream(args: tuple, kwargs: Mapping[str, Any]) -> Tensor:
    return (args[0] if args else kwargs["hidden_states"]).detach()
