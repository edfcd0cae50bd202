"""State dicts as people have them: out of whatever they were saved in, and under the names that their model has for them.

Files of training hold them beside optimisers, inside wrappers of compilation and of several devices, with masks among
them. What is done to the names is found by matching them against those that are wanted, and told.
"""

from __future__ import annotations

import argparse
import os
import pickle
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

# where people keep the state dict of what was trained, the likeliest first; others come after these, the largest first
CONTAINERS = ("model", "state_dict", "model_state_dict", "model_state", "module", "student", "net", "weights")
WRAPPERS = r"(?:^|(?<=\.))(?:_orig_mod|module|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
MASK = re.compile(r"(.*?)_(?:pruning_)?mask")  # of the paper's authors, and of torch.nn.utils.prune
DEEPEST = 3  # parts of a prefix


def read_pickle(file: str | os.PathLike, device: str = "cpu") -> Any:
    """What torch.save wrote, tensors and plain values; ValueError, in a sentence, for anything that could run code."""
    packed = zipfile.is_zipfile(file)
    if packed and _has_code(file):
        raise ValueError(
            f"{os.fspath(file)} is a TorchScript archive, which holds code: give its weights as safetensors."
        )
    try:
        with torch.serialization.safe_globals(
            [argparse.Namespace]
        ):  # the options of a command, which hold values alone
            return torch.load(file, map_location=device, weights_only=True, mmap=packed or None)
    except pickle.UnpicklingError:
        raise ValueError(
            f"{os.fspath(file)} is a pickle that holds more than tensors, and reading it could run code: "
            "have its author convert it to safetensors."
        ) from None
    except OSError:
        raise
    except Exception as error:  # a damaged file: almost anything
        if "TorchScript" in str(error):
            raise ValueError(
                f"{os.fspath(file)} is a TorchScript archive, which holds code: give its weights."
            ) from None
        raise ValueError(f"{os.fspath(file)} is no file of torch.save, or a damaged one.") from None


def is_pickle(file: str | os.PathLike) -> bool:
    """Whether torch.save wrote a file, now or years ago."""
    with open(file, "rb") as stream:
        return stream.read(2) in (b"PK", b"\x80\x02")


def _has_code(file: str | os.PathLike) -> bool:
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(file) as held:
        return any(name.split("/")[1:2] == ["code"] for name in held.namelist())
    return False


def state_dict(held: Any) -> tuple[dict[str, Tensor], str]:
    """The state dict in what was saved, and the name under which it was there ("" for the whole).

    >>> held = {"epoch": 3, "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}}, "model": {"fc.weight": torch.ones(1, 2)}}
    >>> tensors, where = state_dict(held)
    >>> list(tensors), where
    (['fc.weight'], 'model')

    Nothing where there is none.
    """
    found = list(_dictionaries(held, ""))
    if not found:
        return {}, ""
    return min(found, key=lambda one: (_rank(one[1]), -len(one[0])))


def _rank(where: str) -> int:
    last = where.rpartition(".")[2]
    if not where or last in CONTAINERS:
        return 0 if not where else 1 + CONTAINERS.index(last)
    return 1 + len(CONTAINERS)


def _dictionaries(held: Any, where: str) -> Iterator[tuple[dict[str, Tensor], str]]:
    """Every dictionary of tensors by name, those inside others included."""
    if not isinstance(held, Mapping) or where.count(".") >= DEEPEST:
        return
    tensors = {name: value for name, value in held.items() if isinstance(name, str) and isinstance(value, Tensor)}
    if 2 * len(tensors) > len(held):
        yield tensors, where
    for name, value in held.items():
        if isinstance(name, str):
            yield from _dictionaries(value, f"{where}.{name}" if where else name)


@dataclass(frozen=True)
class Fit:
    """Which of the names in a file is which of a model's.

    Attributes:
        names: {name in the file: the model's}. masks: {name in the file of a mask: the model's name of its weight}.
        notes: what was done to the names, in clauses.
    """

    names: dict[str, str]
    masks: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def apply(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors under the model's names; a weight that has a mask is zero where that is false."""
        found = {new: tensors[old] for old, new in self.names.items()}
        for old, new in self.masks.items():
            if new in found and tensors[old].shape == found[new].shape:
                found[new] = found[new].masked_fill(tensors[old] == 0, 0)
        return found


def fit(names: Collection[str], wanted: Collection[str] | None = None) -> Fit:
    """The names of a file without what wrappers have put before them, and without the masks of pruning.

    >>> found = fit(["model._orig_mod.fc.weight", "model._orig_mod.fc.weight_pruning_mask", "loss.scale"], ["fc.weight"])
    >>> found.names, found.masks
    ({'model._orig_mod.fc.weight': 'fc.weight'}, {'model._orig_mod.fc.weight_pruning_mask': 'fc.weight'})
    >>> found.notes
    ('prefix model._orig_mod. removed', '1 mask of pruning applied', '1 tensor of other modules left out')

    Args:
        names: in the file.
        wanted: those of the model; None where it is not known yet: then only what no model has is removed.
    """
    masks = {name: _weight_of(name, names) for name in names if MASK.fullmatch(name)}
    masks = {name: weight for name, weight in masks.items() if weight is not None}
    held = [name for name in names if name not in masks]
    notes = []
    plain = {name: re.sub(WRAPPERS, "", name) for name in held}
    if len(set(plain.values())) < len(plain) or (
        wanted is not None and _hits(held, wanted) >= _hits(plain.values(), wanted)
    ):
        plain = {name: name for name in held}
    prefix = "" if wanted is None else _prefix(plain.values(), wanted)
    new = {name: short.removeprefix(prefix) for name, short in plain.items() if short.startswith(prefix)}
    removed = Counter(name.removesuffix(short) for name, short in new.items() if name != short and name.endswith(short))
    notes += [f"prefix {before} removed" for before, _ in removed.most_common(1)]
    notes += [] if removed or new == {n: n for n in held} else ["wrappers removed from the names"]
    new |= _originals(new, masks)
    if masks:
        notes.append(f"{_count(len(masks), 'mask')} of pruning applied")
    if len(new) < len(held):
        notes.append(f"{_count(len(held) - len(new), 'tensor')} of other modules left out")
    return Fit(new, {name: new[weight] for name, weight in masks.items() if weight in new}, tuple(notes))


def masks_in(held: Any) -> dict[str, Tensor]:
    """{name of a weight: which of it are kept}, of masks by themselves and of a checkpoint that has some.

    >>> masks_in({"model": {"module.fc.weight_pruning_mask": torch.tensor([[1.0, 0.0]]), "module.fc.weight": torch.ones(1, 2)}})
    {'fc.weight': tensor([[ True, False]])}
    """
    tensors, _ = state_dict(held)
    found = {match[1]: tensor for name, tensor in tensors.items() if (match := MASK.fullmatch(name))}
    if not found and all(tensor.dtype == torch.bool for tensor in tensors.values()):
        found = tensors
    plain = {re.sub(WRAPPERS, "", name).removesuffix("_orig"): tensor for name, tensor in found.items()}
    found = plain if len(plain) == len(found) else found
    if any(not bool(((tensor == 0) | (tensor == 1)).all()) for tensor in found.values()):
        return {}  # something else that is called so
    return {name: tensor != 0 for name, tensor in found.items()}


def _weight_of(name: str, names: Collection[str]) -> str | None:
    """The name in the file of the weight that a mask is for."""
    base = MASK.fullmatch(name)[1]
    return next((weight for weight in (base, f"{base}_orig") if weight in names), None)


def _originals(new: Mapping[str, str], masks: Mapping[str, str]) -> dict[str, str]:
    """What torch.nn.utils.prune calls weight_orig is the weight, once its mask is applied."""
    masked = set(masks.values())
    return {old: short.removesuffix("_orig") for old, short in new.items() if old in masked and short.endswith("_orig")}


def _hits(names: Collection[str], wanted: Collection[str]) -> int:
    return sum(name in wanted for name in names)


def _prefix(names: Collection[str], wanted: Collection[str]) -> str:
    """What stands before most of the wanted names; "" where as many are there without."""
    found = Counter({"": _hits(names, wanted)})
    for name in names:
        parts = name.split(".")
        for depth in range(1, min(DEEPEST, len(parts) - 1) + 1):
            if ".".join(parts[depth:]) in wanted:
                found[".".join(parts[:depth]) + "."] += 1
    most = max(found.values())
    ranked = (prefix for prefix, hits in found.items() if hits == most)
    return min(ranked, key=lambda prefix: (_rank(prefix.rstrip(".")), len(prefix)))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def read(file: str | os.PathLike) -> tuple[dict[str, Tensor], str]:
    """All tensors of a file of weights, in safetensors or of torch.save, and where in it they were. ValueError, in a sentence."""
    if Path(file).suffix == ".safetensors":
        return load_file(file), ""
    tensors, where = state_dict(read_pickle(file))
    if not tensors:
        raise ValueError(f"{os.fspath(file)} holds no tensors by name: give the file of a model's weights.")
    return tensors, where
