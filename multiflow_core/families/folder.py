"""Read a checkpoint folder strictly: the class that its config names, every weight or none, no code from a pickle."""

from __future__ import annotations

import json
import math
import pickle
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..support.memory import available_memory
from ..weights import packed_file, saved
from .contents import Contents, Kind, check_numbers, contents

STANDARD = ("model.safetensors", "pytorch_model.bin")
SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".th", ".ckpt")
PART = re.compile(r"(.*)-\d+-of-(\d+)(\.safetensors|\.bin)")
MOST_PARTS = 1000
# what lies there for training, or is of something else
NO_WEIGHTS = re.compile(
    r"\.|optimizer|scheduler|scaler|rng_state|training_args|random_states|statistics|masks|adapter_"
)
MARGIN = 512 << 20  # bytes of memory that stay free: activations, statistics, masks
_LOADING = threading.RLock()  # transformers' verbosity is global


class TooLarge(MemoryError, ValueError):
    """A model that does not fit into the memory that is left."""


def folder_of(place: Path) -> Path:
    """The folder of a model, which goes by that or by its file of weights."""
    return place.parent if place.is_file() else place


def read_config(place: Path) -> dict[str, Any]:
    """`config.json` as a dictionary.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it cannot be read, or is of a model that was quantised or compressed.
    """
    folder = folder_of(place)
    file = folder / "config.json"
    if not file.is_file():
        raise FileNotFoundError(f"{folder} holds no config.json: give a folder written by save_pretrained.")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise ValueError(f"{file} is not valid JSON: give a folder written by save_pretrained.") from None
    if not isinstance(config, dict):
        raise ValueError(f"{file} is no model's config: give a folder written by save_pretrained.")
    if config.get("quantization_config") is not None:
        raise ValueError(f"{folder} holds a quantised or compressed model: give the original weights.")
    return config


def weight_files(place: Path) -> list[Path]:
    """The files that hold the weights, safetensors before pickles. FileNotFoundError if one is missing.

    A folder that has both is read from its safetensors; `*.index.json` lists the parts of a model in several files.
    Pruned checkpoints (`multiflow_core.models.formats`) have a file of their own; a single file of another name will do.
    """
    if place.is_file():
        return _others_of(place)
    for name in (*STANDARD, packed_file.FILE):
        file, index = place / name, place / f"{name}.index.json"
        if file.is_file():
            return [file]
        if index.is_file():
            return _all_there(place, _parts(index))
    return _other_files(place)


def _all_there(folder: Path, parts: Sequence[str]) -> list[Path]:
    for part in parts:
        if not (folder / part).is_file():
            raise FileNotFoundError(f"{folder} lacks {part}, one of the {len(parts)} files of its weights.")
    return [folder / part for part in parts]


def _other_files(folder: Path) -> list[Path]:
    """The files of weights of a folder that has none of the usual name: parts of one model, or one file."""
    names = [f.name for f in folder.iterdir() if f.suffix in SUFFIXES and not NO_WEIGHTS.match(f.name)]
    if numbered := next((name for name in sorted(names) if PART.fullmatch(name)), None):
        return _others_of(folder / numbered)
    for kind in (".safetensors", ""):
        found = [folder / name for name in sorted(names) if name.endswith(kind)]
        if len(found) == 1:
            return found
    if names:
        several = ", ".join(sorted(names)[:3])
        raise FileNotFoundError(f"{folder} holds several files of weights ({several}): give one of them by its name.")
    raise FileNotFoundError(
        f"{folder} holds no model.safetensors and no pytorch_model.bin: give a folder written by save_pretrained."
    )


def _others_of(file: Path) -> list[Path]:
    """A file, and the others among which a model is shared out where its name says that it is the first of three."""
    part = PART.fullmatch(file.name)
    if part is None:
        return [file]
    before, count, suffix = part.groups()
    names = [f"{before}-{i:0{len(count)}}-of-{count}{suffix}" for i in range(1, min(int(count), MOST_PARTS) + 1)]
    return _all_there(file.parent, names)


def _parts(index: Path) -> list[str]:
    """The files that an index lists; ValueError for one that is not a file of this folder."""
    try:
        parts = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{index} does not list the files of the weights.") from None
    for part in parts:
        if not isinstance(part, str) or part in ("", "..") or Path(part).name != part:
            raise ValueError(f"{index} lists {str(part)[:60]!r}, which is no file of this folder.")
    if not parts:
        raise ValueError(f"{index} does not list the files of the weights.")
    return parts


def memory_needed(place: Path, dtype: torch.dtype | None = None) -> int:
    """Bytes that loading the weights as `dtype` takes (None: as they are), from the files' headers alone.

    Safetensors are read where they lie. Of other files the tensors are held as they were saved, beside the model; those of a
    pruned checkpoint become the model's where they are not converted.
    """
    total = 0
    for file in weight_files(place):
        try:
            kinds = list(contents([file]).tensors.values())
        except ValueError:  # what is wrong with it is said when it is loaded
            kinds = [Kind((file.stat().st_size,), torch.uint8)]
        total += _bytes(kinds, dtype)
        if file.suffix != ".safetensors" or (file.name == packed_file.FILE and dtype is not None):
            total += _bytes(kinds, None)
    return total


def _bytes(kinds: Iterable[Kind], dtype: torch.dtype | None) -> int:
    wanted = ((shape, dtype if dtype is not None and own.is_floating_point else own) for shape, own in kinds)
    return sum(math.prod(shape) * kind.itemsize for shape, kind in wanted)


def check_fits(folder: Path, dtype: torch.dtype | None = None) -> None:
    """TooLarge, with the figures, for a model larger than the memory that is left minus a margin.

    Better a sentence now than a session, or a whole server, that the system kills half-way.
    """
    needed, left = memory_needed(folder, dtype), available_memory()
    if left is not None and needed > left - MARGIN:
        raise TooLarge(
            f"{folder.name} needs {needed / 1e9:.1f} GB, and of the {left / 1e9:.1f} GB of memory left "
            f"{MARGIN / 1e9:.1f} GB must stay free: load it in half precision (dtype=torch.bfloat16) or elsewhere."
        )


def load_model(
    kind: type,
    place: Path,
    dtype: torch.dtype | None = torch.float32,
    needed: Callable[[str], bool] = lambda name: False,
) -> nn.Module:
    """A model of class `kind` from a folder, or from a file of weights in it, in evaluation mode.

    Wrappers are taken off the names where the class has others (`weights.saved.fit`); what was found and done is in
    `model.held`. Tensors of the file that the class has no place for are ignored (buffers and heads of other versions), unless
    `needed(name)`: then the config describes a smaller model than the one in the file.

    Raises:
        FileNotFoundError: no weights.
        ValueError: weights that are missing, left over, quantised or of the wrong shape, or a pickle with more than tensors in it.
        TooLarge: the model does not fit.
    """
    files, folder = weight_files(place), folder_of(place)
    check_fits(place, dtype)
    held = contents(files)
    check_numbers(held)
    usual = _usual(place, held)
    notes: tuple[str, ...] = ()
    with _told(folder, files[0]), silent():
        config = kind.config_class.from_pretrained(folder, local_files_only=True)
        source: dict[str, Any] = dict(pretrained_model_name_or_path=folder)
        if files[0].name == packed_file.FILE:
            _check_packed(kind, config, held)
            source = _source(config, packed_file.read(files[0])[0])
        elif not usual or any(saved.MASK.fullmatch(name) for name in held.tensors):
            source, notes = _fitted(kind, config, held)
        model, info = _loaded(kind, source, dtype)
        if info["missing_keys"] and usual and len(_fit(kind, config, held).notes):
            source, notes = _fitted(kind, config, held)
            model, info = _loaded(kind, source, dtype)
    _refuse(files[0], kind, "lacks {}", info["missing_keys"])
    unknown = [name for name in info["unexpected_keys"] if needed(name)]
    _refuse(files[0], kind, "has {}, which its config has no place for", unknown)
    _refuse(files[0], kind, "has {0[0]} of shape {0[1]}, not {0[2]}", info["mismatched_keys"])
    _check_finite(model, files[0])
    model.held = held.said(notes)
    return model.eval()


def _usual(place: Path, held: Contents) -> bool:
    """Whether transformers reads these files by itself."""
    names = (held.files[0].name, *(f.name.removesuffix(".index.json") for f in place.glob("*.index.json")))
    return place.is_dir() and not held.where and bool(set(names) & set(STANDARD))


def _loaded(kind: type, source: dict[str, Any], dtype: torch.dtype | None) -> tuple[nn.Module, dict[str, Any]]:
    return kind.from_pretrained(
        **source,
        dtype=dtype or "auto",
        local_files_only=True,
        weights_only=True,
        ignore_mismatched_sizes=True,  # reported by who calls
        output_loading_info=True,
    )


def _source(config: Any, tensors: dict[str, Any]) -> dict[str, Any]:
    return dict(pretrained_model_name_or_path=None, config=config, state_dict=tensors)


def _fit(kind: type, config: Any, held: Contents) -> saved.Fit:
    return saved.fit(held.tensors, names_of(kind, config))


def _fitted(kind: type, config: Any, held: Contents) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What is loaded where the names are not the class's own, and what was done to them."""
    tensors: dict[str, Any] = {}
    for file in held.files:
        tensors |= saved.read(file)[0]
    found = _fit(kind, config, held)
    return _source(config, found.apply(tensors)), found.notes


def names_of(kind: type, config: Any) -> dict[str, tuple[int, ...]]:
    """{name: shape} of all that a class saves."""
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in kind(config).state_dict().items()}


def made_from(kind: type, config: Any, tensors: dict[str, Any], file: Path, dtype: torch.dtype | None) -> nn.Module:
    """A model of class `kind` in evaluation mode, of all these tensors and no others. Errors are those of `load_model`."""
    with _told(file.parent, file), silent():
        options = dict(config=config, state_dict=tensors, dtype=dtype or _own_type(tensors), output_loading_info=True)
        model, info = kind.from_pretrained(None, ignore_mismatched_sizes=True, **options)
    _refuse(file, kind, "lacks {}", info["missing_keys"])
    _refuse(file, kind, "has {}, which its config has no place for", info["unexpected_keys"])
    _refuse(file, kind, "has {0[0]} of shape {0[1]}, not {0[2]}", info["mismatched_keys"])
    _check_finite(model, file)
    return model.eval()


def _own_type(tensors: dict[str, Any]) -> torch.dtype:
    return next((t.dtype for t in tensors.values() if t.is_floating_point()), torch.float32)


@contextmanager
def _told(folder: Path, file: Path) -> Iterator[None]:
    """What goes wrong inside becomes a sentence."""
    try:
        yield
    except pickle.UnpicklingError:
        raise ValueError(
            f"{file} is a pickle that holds more than tensors, and reading it could run code: "
            "have its author convert it to safetensors."
        ) from None
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a damaged file, a config that describes no model: almost anything
        raise ValueError(f"{folder} cannot be loaded ({first_sentence(error.__cause__ or error)}).") from None


def _check_packed(kind: type, config: Any, held: Contents) -> None:
    """Before anything is unpacked: tensors of the model's own shapes and no others, or a small file grows without bounds."""
    wanted = names_of(kind, config)
    for name, found in held.tensors.items():
        if name not in wanted:
            raise ValueError(f"it holds {name}, which its config has no place for")
        if found.shape != wanted[name]:
            raise ValueError(f"it holds {name} of shape {found.shape}, not {wanted[name]}")


def _check_finite(model: nn.Module, file: Path) -> None:
    """ValueError, naming the tensor, for weights that are not finite."""
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and tensor.numel():
            low, high = torch.aminmax(tensor)
            if not bool(torch.isfinite(low) & torch.isfinite(high)):
                raise ValueError(
                    f"{file} holds {name} with values that are not finite: it is damaged, or training it failed."
                )


def _refuse(file: Path, kind: type, problem: str, cases: Any) -> None:
    if cases:
        count = f" ({len(cases)} such tensors)" if len(cases) > 1 else ""
        raise ValueError(f"{file} {problem.format(min(cases))}{count}: it is no complete {kind.__name__}.")


def first_sentence(error: BaseException) -> str:
    """What an error says, as far as it fits into a sentence of ours.

    >>> first_sentence(ValueError("It needs foo. Check the\\ninstructions."))
    'It needs foo'
    """
    return re.split(r"\.\s|\n", str(error).strip() or type(error).__name__)[0].rstrip(".")


@contextmanager
def silent() -> Iterator[None]:
    """Without transformers' progress bars and reports: what matters in them is raised as an error here."""
    from transformers.utils import logging

    with _LOADING:
        verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if bars:
                logging.enable_progress_bar()
