"""What models come wrapped in: the model inside, and a sentence where its weights are not plain parameters."""

from __future__ import annotations

import copy
import weakref

from torch import Tensor, nn

# of a model with adapters: how often its parameters had been changed, and the copy that was made then
_MERGED: weakref.WeakKeyDictionary[nn.Module, tuple[int, nn.Module]] = weakref.WeakKeyDictionary()
_PARALLEL = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside DataParallel, DistributedDataParallel, torch.compile and peft; any other as it is.

    >>> model = nn.Linear(2, 2)
    >>> unwrapped(nn.DataParallel(model)) is model, unwrapped(model) is model
    (True, True)

    LoRA adapters are merged into a copy, made once until they change; the model that was given keeps them. ValueError where
    they cannot be merged.
    """
    while (inner := _inside(model)) is not None:
        model = inner
    return _without_adapters(model) if any(_is_adapter(module) for module in model.modules()) else model


def _inside(model: nn.Module) -> nn.Module | None:
    if isinstance(model, _PARALLEL):
        return model.module
    return model._modules.get("_orig_mod")


def _is_adapter(module: nn.Module) -> bool:
    return "lora_A" in module._modules or "lora_A" in module._parameters


def _without_adapters(model: nn.Module) -> nn.Module:
    changes = sum(parameter._version for parameter in model.parameters())
    made, merged = _MERGED.get(model, (None, None))
    if made != changes:
        try:
            merged = copy.deepcopy(model)
            if hasattr(merged, "merge_and_unload"):  # peft's own model, around ours
                merged = merged.merge_and_unload()
            else:  # adapters that transformers put into the model itself
                for name, module in list(merged.named_modules()):
                    if _is_adapter(module):
                        module.merge()
                        merged.set_submodule(name, module.get_base_layer())
        except Exception as error:
            raise ValueError(
                "The model has LoRA adapters that cannot be merged here: merge them first, as peft does by "
                "model.merge_and_unload()."
            ) from error
        _MERGED[model] = changes, merged.eval()
    return merged


def parameters_of(model: nn.Module) -> dict[str, nn.Parameter]:
    """All parameters of the model inside, a shared one under each of its names; ValueError where they have no values."""
    parameters = dict(unwrapped(model).named_parameters(remove_duplicate=False))
    empty = next((name for name, parameter in parameters.items() if parameter.is_meta), None)
    if empty is not None:
        raise ValueError(f"{empty} has no values (it is on the meta device): load the model with its weights first.")
    return parameters


def check_plain(model: nn.Module) -> None:
    """ValueError, saying what to do, where a linear layer's weight is computed from others, or is no matrix of real numbers.

    >>> from torch.nn.utils import parametrizations
    >>> try:
    ...     check_plain(nn.ModuleDict({"fc": parametrizations.weight_norm(nn.Linear(2, 2))}))
    ... except ValueError as error:
    ...     print(str(error)[:49])
    The weight of fc is computed by a parametrization
    """
    for name, module in model.named_modules():
        if _inside(module) is not None:
            raise ValueError(
                f"{name} is a wrapped part of the model (torch.compile, DataParallel): wrap the whole, or nothing."
            )
        linear = isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"
        if linear and (how := _odd(module)):
            raise ValueError(f"The weight of {name or 'the layer'} is {how}")


def _odd(layer: nn.Module) -> str:
    """What is wrong with a weight, and what to do about it; "" for a plain one."""
    own = layer._parameters
    weight = own.get("weight")
    if isinstance(weight, Tensor):
        kind = str(weight.dtype).removeprefix("torch.")
        return (
            "" if weight.is_floating_point() else f"quantised ({kind}): load the model as it was before, to prune it."
        )
    if "weight_orig" in own:
        return "pruned by torch.nn.utils.prune: make that permanent first, by torch.nn.utils.prune.remove(layer, 'weight')."
    if "parametrizations" in layer._modules:
        return (
            "computed by a parametrization (as weight_norm is): make it plain first, by "
            "torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')."
        )
    if "weight_g" in own:
        return "computed by weight_norm: make it plain first, by torch.nn.utils.remove_weight_norm(layer)."
    return ""
