"""Watch what is fed to weights, without touching the model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ..support.threads import own_random_state

_ATTENTION = inspect.signature(F.multi_head_attention_forward)


class LinearInputs(TorchFunctionMode):
    """While active *in this thread*, calls `record(name, input)` for every `F.linear` on a watched weight.

    >>> layer, seen = nn.Linear(2, 1), []
    >>> with LinearInputs({"weight": layer.weight}, lambda name, x: seen.append((name, tuple(x.shape)))):
    ...     y = layer(torch.ones(3, 2))
    >>> seen
    [('weight', (3, 2))]

    Why not forward hooks: the dense model is shared between sessions, and a hook would also fire for the
    others' forwards; hooks miss code that calls `F.linear(x, layer.weight)` itself and the output
    projection of `nn.MultiheadAttention`; and here nothing is left behind to remove, whatever is raised.
    """

    def __init__(self, weights: Mapping[str, Tensor], record: Callable[[str, Tensor], None]):
        super().__init__()
        # Keyed by identity for the length of a `with` only; `weights` keeps the tensors, so ids stay theirs.
        self._weights = dict(weights)
        self._names = {id(weight): name for name, weight in self._weights.items()}
        self._record = record

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.linear:
            x = args[0] if args else kwargs["input"]
            weight = args[1] if len(args) > 1 else kwargs["weight"]
            name = self._names.get(id(weight))
            if name is not None:
                self._record(name, x)
        elif func is F.multi_head_attention_forward:
            return self._attention(func, _ATTENTION.bind(*args, **kwargs))
        return func(*args, **kwargs)

    def _attention(self, func, call: inspect.BoundArguments):
        """Inside this function no mode sees anything, so its output projection is done out here."""
        given = call.arguments
        weight, bias = given["out_proj_weight"], given["out_proj_bias"]
        projections = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        for key, source in zip(projections, ("query", "key", "value"), strict=True):
            if id(given.get(key)) in self._names:
                self._record(self._names[id(given[key])], given[source])
        if id(weight) not in self._names:
            return func(*call.args, **call.kwargs)
        given["out_proj_weight"] = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
        given["out_proj_bias"] = None
        x, attention = func(*call.args, **call.kwargs)
        self._record(self._names[id(weight)], x)
        return F.linear(x, weight, bias), attention


@contextmanager
def quiet(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, no gradients, random state restored; each module's own mode comes back afterwards.

    >>> model = nn.Dropout(0.5)
    >>> with quiet(model):
    ...     model.training, torch.is_grad_enabled()
    (False, False)
    >>> model.training
    True
    """
    training = [module for module in model.modules() if module.training]
    devices = sorted({p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"})
    try:
        for module in training:
            module.training = False
        # no_grad, not inference_mode: inference tensors keep no version, and siblings are told apart by it
        with own_random_state(devices), torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True
