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


_GROUPED = [f for f in (getattr(F, "grouped_mm", None), getattr(torch, "_grouped_mm", None)) if f is not None]


class Enough(BaseException):
    """All uses of the layers that are watched are over: the rest of the pass is not needed."""


class LinearInputs(TorchFunctionMode):
    """While active *in this thread*, calls `record(name, input)` for every use of a watched weight.

    Seen are `F.linear`, the `addmm` of GPT-2's Conv1D, nn.MultiheadAttention, and of experts in one tensor each by itself,
    as `record(name, input, expert)`, whether they are taken one by one, in groups or all at once.

    >>> layer, seen = nn.Linear(2, 1), []
    >>> with LinearInputs({"weight": layer.weight}, lambda name, x: seen.append((name, tuple(x.shape)))):
    ...     y = layer(torch.ones(3, 2))
    >>> seen
    [('weight', (3, 2))]

    Why not forward hooks: the dense model is shared between sessions, and a hook would also fire for the
    others' forwards; hooks miss code that calls `F.linear(x, layer.weight)` itself and the output
    projection of `nn.MultiheadAttention`; and here nothing is left behind to remove, whatever is raised.
    """

    def __init__(self, weights: Mapping[str, Tensor], record: Callable[..., None]):
        super().__init__()
        # Keyed by identity for the length of a `with` only; `weights` keeps the tensors, so ids stay theirs.
        self._weights = dict(weights)
        self._names = {id(weight): name for name, weight in self._weights.items()}
        # experts are used by views of their tensor, which are new each time: told by where they lie
        self._experts = {
            expert.data_ptr(): (name, i)
            for name, weight in self._weights.items()
            if weight.ndim == 3
            for i, expert in enumerate(weight.detach())
        }
        self._record = record

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.linear:
            x = args[0] if args else kwargs["input"]
            weight = args[1] if len(args) > 1 else kwargs["weight"]
            name = self._names.get(id(weight))
            if name is not None:
                self._record(name, x)
            elif self._experts and weight.data_ptr() in self._experts:
                name, expert = self._experts[weight.data_ptr()]
                self._record(name, x, expert)
        elif func is torch.addmm:
            name = self._names.get(id(args[2])) if len(args) > 2 else None
            if name is not None:
                self._record(name, args[1])
        elif self._experts and (func is torch.bmm or func in _GROUPED):
            self._grouped(*args[:2], kwargs.get("offs"))
        elif func is F.multi_head_attention_forward:
            return self._attention(func, _ATTENTION.bind(*args, **kwargs))
        return func(*args, **kwargs)

    def _attention(self, func, call: inspect.BoundArguments):
        """Inside this function no mode sees anything, so its output projection is done out here."""
        given = call.arguments
        if id(given["in_proj_weight"]) in self._names:
            for x in {id(given[source]): given[source] for source in ("query", "key", "value")}.values():
                self._record(self._names[id(given["in_proj_weight"])], _batch_first(x))
        weight, bias = given["out_proj_weight"], given["out_proj_bias"]
        projections = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        for key, source in zip(projections, ("query", "key", "value"), strict=True):
            if id(given.get(key)) in self._names:
                self._record(self._names[id(given[key])], _batch_first(given[source]))
        if id(weight) not in self._names:
            return func(*call.args, **call.kwargs)
        given["out_proj_weight"] = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
        given["out_proj_bias"] = None
        x, attention = func(*call.args, **call.kwargs)
        self._record(self._names[id(weight)], _batch_first(x))
        return F.linear(x, weight, bias), attention

    def _grouped(self, x: Tensor, weights: Tensor, ends: Tensor | None) -> None:
        """Every expert's own rows: a batch of them, or one below the other up to the ends."""
        name, first = self._experts.get(weights.data_ptr(), (None, 0))
        if name is None or weights.ndim != 3 or first != 0 or len(weights) != len(self._weights[name]):
            return
        begin = 0
        for expert in range(len(weights)):
            rows = x[expert] if ends is None else x[begin : (begin := int(ends[expert]))]
            self._record(name, rows, expert)


def _batch_first(x: Tensor) -> Tensor:
    """Inside the attention function tokens come first."""
    return x.transpose(0, 1) if x.ndim == 3 else x


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
