"""Opening whatever people have: a folder with a config, one without, a file of weights, an adapter; which class it is found out."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..weights import saved
from ..weights.foreign import Foreign, format_of
from . import families, family_of
from .contents import ADAPTER, check_numbers, contents
from .folder import check_fits, folder_of, names_of, read_config, silent, weight_files

if TYPE_CHECKING:
    from .base import Family

Opened = tuple[nn.Module, Any, "Family"]
UNNAMED = "model without a named architecture"


def open_model(place: Path, dtype: torch.dtype | None, locate: Callable[[str], Path]) -> Opened:
    """Model, processor and family of a folder or of a file of weights.

    `locate(name)` is the folder of another model, which an adapter may need. Errors are those of `models.vlm.load`.
    """
    config = folder_of(place) / "config.json"
    if (place / ADAPTER).is_file() and not _holds_weights(place):
        return _adapted(place, dtype, locate)
    if place.is_file() or not config.is_file():
        found = _foreign(place, dtype, required=not config.is_file())
        if found is not None:
            return found
    said = read_config(place)
    names = _architectures(place, said)
    family = next((one for one in families() if one.opens(names)), None)
    if family is None:
        raise ValueError(_unknown(place, ", ".join(names), own_code="auto_map" in said))
    return *family.load(place, names, dtype), family


def _holds_weights(folder: Path) -> bool:
    try:
        return bool(weight_files(folder))
    except FileNotFoundError:
        return False


def _unknown(place: Path, held: str, own_code: bool) -> str:
    """Why no family opens a folder."""
    if own_code:
        return f"{place} holds a {held}, whose code is not part of transformers: code that comes with a checkpoint is never run."
    known = ", ".join(name for family in families() for name in family.architectures)
    return (
        f"{place} holds a {held}, which no family knows; known are: {known}, and what transformers has that writes text "
        "about pictures or embeds both."
    )


# --- which class ----------------------------------------------------------------------------------------------------


def _architectures(place: Path, config: Mapping[str, Any]) -> list[str]:
    """The classes that a config names; where it names none, the one of its kind that the weights fit best."""
    named = config.get("architectures") or []
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        file = folder_of(place) / "config.json"
        raise ValueError(f"{file} names no architectures: give a folder written by save_pretrained.")
    return named or _of_kind(place, config.get("model_type")) or [UNNAMED]


def _of_kind(place: Path, kind: Any) -> list[str]:
    """The class of a kind of model, as `model_type` has it, whose names are most like those of the weights."""
    candidates = [name for name in _classes(kind) if any(family.opens([name]) for family in families())]
    if len(candidates) < 2:
        return candidates
    held = contents(weight_files(place)).tensors
    return [min(candidates, key=lambda name: _unlike(name, place, held))]


def _unlike(name: str, place: Path, held: Collection[str]) -> float:
    """How many names of a class the weights lack, or have beyond it."""
    import transformers

    kind = next(one for one in families() if one.opens([name])).model_class([name])
    try:
        with silent():
            wanted = names_of(kind, transformers.AutoConfig.from_pretrained(folder_of(place), local_files_only=True))
    except Exception:  # a config that makes no model: what is wrong with it is said when it is loaded
        return math.inf
    return len(set(saved.fit(held, wanted).names.values()) ^ set(wanted))


def _classes(kind: Any) -> list[str]:
    """The classes for a `model_type`: those that families name, and those that transformers itself would take."""
    from transformers.models.auto import modeling_auto

    if not isinstance(kind, str):
        return []
    named = {name for family in families() for name in family.architectures}
    tables = [table for name, table in vars(modeling_auto).items() if name.endswith("_MAPPING_NAMES")]
    named |= {table[kind] for table in tables if isinstance(table.get(kind), str)}
    return sorted(name for name in named if _kind_of(name) == kind)


def _kind_of(name: str) -> str | None:
    """The `model_type` of a class, by its name."""
    import transformers

    made = getattr(transformers, name, None)
    if made is None:
        known = (family for family in families() if name in family.architectures)
        made = next((family.model_class([name]) for family in known), None)
    return getattr(getattr(made, "config_class", None), "model_type", None)


# --- what authors have ----------------------------------------------------------------------------------------------


def _foreign(place: Path, dtype: torch.dtype | None, required: bool) -> Opened | None:
    """What a file holds in a format of its authors; None, or a sentence for a file that is `required` to be one, for any other."""
    try:
        files = weight_files(place)
    except FileNotFoundError:
        read_config(place)  # that is what is missing first
        raise
    held = contents(files)
    names = saved.fit(held.tensors).names
    found = format_of(names.values())
    if found is None:
        if required and place.is_file():
            raise FileNotFoundError(
                f"What {place} holds is under no names that are known here, and there is no config.json beside it: put that of "
                "its model there."
            )
        return None
    check_numbers(held)
    check_fits(place, dtype)
    kind, prefix = found
    fit = saved.fit(held.tensors, _inside(names.values(), prefix))
    tensors: dict[str, Any] = {}
    for file in files:
        tensors |= saved.read(file)[0]
    model, processor, notes = _built(kind, fit.apply(tensors), files[0], dtype)
    model.held = held.said([*fit.notes, *notes], kind.name)
    return model, processor, family_of(model)


def _inside(names: Sequence[str], prefix: str) -> set[str]:
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def _built(
    kind: Foreign, tensors: dict[str, Any], file: Path, dtype: torch.dtype | None
) -> tuple[nn.Module, Any, list[str]]:
    try:
        found = kind.translate(tensors)
        model, processor = kind.build(found.tensors, file, dtype)
    except (KeyError, StopIteration, IndexError) as error:
        lacks = f" lacks {error.args[0]}:" if isinstance(error, KeyError) else ":"
        raise ValueError(f"{file}{lacks} it is no complete checkpoint of {kind.name}.") from None
    except ValueError as error:
        if str(file) in str(error):
            raise
        said = str(error)
        raise ValueError(f"{file} cannot be opened as {kind.name}: {said[:1].lower()}{said[1:]}") from None
    notes = [f"{len(found.tensors.keys() - tensors.keys()):,} tensors renamed", *getattr(model, "remarks", ())]
    if found.dropped:
        reasons = ", ".join(dict.fromkeys(found.dropped.values()))
        notes.append(f"{len(found.dropped):,} left out ({reasons})")
    return model, processor, notes


# --- adapters -------------------------------------------------------------------------------------------------------


def _adapted(folder: Path, dtype: torch.dtype | None, locate: Callable[[str], Path]) -> Opened:
    """The model that an adapter of peft changes, with the change in its weights."""
    try:
        base = json.loads((folder / ADAPTER).read_text(encoding="utf-8"))["base_model_name_or_path"]
        if not isinstance(base, str) or not base:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(f"{folder / ADAPTER} does not say which model it adapts.") from None
    if importlib.util.find_spec("peft") is None:
        kind = _named(folder / base) or _named(Path(base)) or "AutoModel"
        command = (
            f"from transformers import {kind} as M; from peft import PeftModel as P; P.from_pretrained("
            f"M.from_pretrained({base!r}), {str(folder)!r}).merge_and_unload().save_pretrained('merged')"
        )
        raise ValueError(
            f'{folder} holds an adapter of {base} and no model: pip install peft, or merge them: python -c "{command}".'
        )
    model, processor, family = open_model(folder / base if (folder / base).is_dir() else locate(base), dtype, locate)
    merged = _merged(model, folder)
    merged.held = f"{model.held}; the adapter of {folder.name} merged into it"
    return merged, processor, family


def _named(folder: Path) -> str:
    """The first class that the config in a folder names, "" where there is none."""
    try:
        return str((read_config(folder).get("architectures") or [""])[0])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _merged(model: nn.Module, folder: Path) -> nn.Module:
    from peft import PeftModel

    try:
        with silent():
            return PeftModel.from_pretrained(model, str(folder), local_files_only=True).merge_and_unload().eval()
    except (OSError, MemoryError):
        raise
    except Exception as error:  # an adapter of another model, a damaged one: almost anything
        raise ValueError(f"The adapter in {folder} does not fit its model ({type(error).__name__}).") from None
