"""Why a matrix is left dense, where no family says it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from ..weights.layers import linear_weights

HEAD = "an output head: it names the words"
ROUTER = "a router: it chooses among the experts"
NEVER_RAN = "it never ran on the calibration data"
_SAME = "the same tensor as {}"
_CONVOLUTION = "a convolution; only matrices of linear layers are pruned"
_EMBEDDING = "an embedding"
_NORM = "a norm"
_OWN = "a parameter of its own, not the weight of a linear layer"
_EXPERTS = "experts in one tensor of an unknown form"
# words in the path of a linear layer that is in no block
_WORDS = (
    (re.compile(r"pool|\bhead\.(attention|mlp)", re.I), "a pooler, not a weight of a block"),
    (
        re.compile(r"proj|merger|aligner|connector|adapter|bridge|resampl|mapp", re.I),
        "a projection between parts of the model",
    ),
    (re.compile(r"embed|patch|token|visn_fc|box", re.I), "an embedding of the input, not a weight of a block"),
    (
        re.compile(r"head|classif|cls|score|predict|logit|itm|itc|answer|decoder", re.I),
        "a head of a task, not a weight of a block",
    ),
)
_NO_BLOCK = "not a weight of a block"
_BETWEEN = re.compile(r"merger|projector", re.I)  # what is in these is in no block
_GATE = re.compile(r"(^|_)(router|gate)$|^router_", re.I)
_BLOCKS = (nn.ModuleList, nn.Sequential)


def held_back(model: nn.Module) -> dict[str, str]:
    """{linear weight: why it is not pruned}, for the models of transformers in a model; of all others everything counts.

    >>> held_back(nn.Sequential(nn.Linear(2, 2)))
    {}
    """
    found: dict[str, str] = {}
    weights = linear_weights(model)
    for prefix, inner in _of_transformers(model):
        heads = {id(weight) for weight in _output_heads(inner)}
        # what writes reads all patches of a picture: nobody asks for those that attention has pooled
        blocks = [f"{prefix}{block}." for block in _block_paths(inner, pooled=not heads)]
        for name, weight in weights.items():
            if not name.startswith(prefix):
                continue
            path = name.rpartition(".")[0]
            if id(weight) in heads:
                found[name] = HEAD
            elif _GATE.search(path.rpartition(".")[2]):
                found[name] = ROUTER
            elif blocks and not any(name.startswith(block) for block in blocks):
                found[name] = next((why for words, why in _WORDS if words.search(path)), _NO_BLOCK)
    return found


def _of_transformers(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The outermost models of transformers, with what their parameters' names begin with."""
    inside: list[str] = []
    for path, module in model.named_modules():
        if hasattr(module, "base_model_prefix") and hasattr(module, "config"):
            prefix = f"{path}." if path else ""
            if not any(prefix.startswith(outer) for outer in inside):
                inside.append(prefix)
                yield prefix, module


def _output_heads(model: nn.Module) -> Iterator[Tensor]:
    """The weights of all output heads in a model, tied or not."""
    for module in model.modules():
        try:
            head = module.get_output_embeddings() if hasattr(module, "get_output_embeddings") else None
        except (NotImplementedError, AttributeError):  # some models have none, and say it so
            continue
        if isinstance(getattr(head, "weight", None), Tensor):
            yield head.weight


def _block_paths(model: nn.Module, pooled: bool) -> Iterator[str]:
    """Where the blocks are: what stands in a list and holds at least two linear weights; `pooled`: what pools by attention, too."""
    for path, module in model.named_modules():
        if _BETWEEN.search(path):
            continue
        if pooled and path and any(isinstance(child, nn.MultiheadAttention) for child in module.children()):
            yield path
        elif isinstance(module, _BLOCKS):
            for name, item in module.named_children():
                if not isinstance(item, nn.Linear) and len(linear_weights(item)) > 1:
                    yield f"{path}.{name}" if path else name


def reasons(model: nn.Module, prunable: set[str], held: Mapping[str, str]) -> dict[str, str]:
    """{matrix: why it is left dense} for every matrix of a model that is not prunable."""
    first: dict[int, str] = {}
    found = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        owner = first.setdefault(id(parameter), name)
        if owner != name:
            found[name] = _SAME.format(owner)
        elif parameter.ndim > 1 and name not in prunable:
            found[name] = held.get(name) or _kind(model, name, parameter)
    return found


def _kind(model: nn.Module, name: str, parameter: Tensor) -> str:
    """What a matrix is that no linear layer holds."""
    path, _, own = name.rpartition(".")
    module = model.get_submodule(path)
    if isinstance(module, nn.Embedding | nn.EmbeddingBag):
        return _EMBEDDING
    if isinstance(module, nn.modules.conv._ConvNd):
        return _CONVOLUTION
    if _GATE.search(path.rpartition(".")[2]) or "router" in type(module).__name__.lower():
        return ROUTER
    if "norm" in path.rpartition(".")[2].lower():
        return _NORM
    if parameter.ndim == 3 and "expert" in name.lower():
        return _EXPERTS
    return _EMBEDDING if re.search(r"embed|pos", own, re.I) else _OWN
