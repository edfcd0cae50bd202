"""Read a checkpoint folder strictly: the class that its config names, every weight or none, no code from a pickle."""

from __future__ import annotations

import json
import math
import pickle
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..support.memory import available_memory
from ..weights import packed_file

MARGIN = 512 << 20  # bytes of memory that stay free: activations, statistics, masks
_DTYPES = {  # as safetensors calls them
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool, "U16": torch.uint16,
    "U32": torch.uint32, "U64": torch.uint64, "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}  # fmt: skip
_LOADING = threading.RLock()  # transformers' verbosity is global


class TooLarge(MemoryError, ValueError):
    """A model that does not fit into the memory that is left."""


def read_config(folder: Path) -> dict[str, Any]:
    """`config.json` as a dictionary.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it cannot be read, or is of a model that was quantised or compressed.
    """
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


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights, safetensors before pickles. FileNotFoundError if one is missing.

    A folder that has both is read from its safetensors; `*.index.json` lists the parts of a model in several files.
    Pruned checkpoints (`multiflow_core.export`) have a file of their own.
    """
    for name in ("model.safetensors", "pytorch_model.bin", packed_file.FILE):
        file, index = folder / name, folder / f"{name}.index.json"
        if file.is_file():
            return [file]
        if index.is_file():
            parts = _parts(index)
            for part in parts:
                if not (folder / part).is_file():
                    raise FileNotFoundError(f"{folder} lacks {part}, one of the {len(parts)} files of its weights.")
            return [folder / part for part in parts]
    raise FileNotFoundError(
        f"{folder} holds no model.safetensors and no pytorch_model.bin: give a folder written by save_pretrained."
    )


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


def memory_needed(folder: Path, dtype: torch.dtype | None = None) -> int:
    """Bytes that loading the weights as `dtype` takes (None: as they are), from the files' headers alone.

    Safetensors are read where they lie. Of other files the tensors are held as they were saved, beside the model.
    """
    total = 0
    for file in weight_files(folder):
        shapes = _shapes(file)
        total += _bytes(shapes, dtype)
        if file.name == packed_file.FILE or file.suffix != ".safetensors":
            total += _bytes(shapes, None)
    return total


def _shapes(file: Path) -> list[tuple[tuple[int, ...], torch.dtype]]:
    """Shape and type of every tensor in a file."""
    if file.name == packed_file.FILE:
        safetensors_header(file)  # for its checks
        return [(found.shape, found.dtype) for found in packed_file.described(file).values()]
    if file.suffix == ".safetensors":
        return [(tuple(t["shape"]), _DTYPES.get(t["dtype"], torch.float32)) for t in safetensors_header(file).values()]
    try:  # on no device: nothing but names and shapes is read
        held = torch.load(file, map_location="meta", weights_only=True)
        return [(tuple(t.shape), t.dtype) for t in held.values() if isinstance(t, torch.Tensor)]
    except Exception:  # what is wrong with it is said when it is loaded
        return [((file.stat().st_size,), torch.uint8)]


def _bytes(shapes: list[tuple[tuple[int, ...], torch.dtype]], dtype: torch.dtype | None) -> int:
    kinds = ((shape, dtype if dtype is not None and own.is_floating_point else own) for shape, own in shapes)
    return sum(math.prod(shape) * kind.itemsize for shape, kind in kinds)


def safetensors_header(file: Path) -> dict[str, dict[str, Any]]:
    """{tensor name: dtype, shape and place} of a safetensors file; ValueError if it is damaged or cut short."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > file.stat().st_size:
                raise ValueError("no header")
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        end = max((int(tensor["data_offsets"][1]) for tensor in header.values()), default=0)
        for tensor in header.values():
            if not isinstance(tensor["dtype"], str) or not all(
                type(side) is int and side >= 0 for side in tensor["shape"]
            ):
                raise ValueError("a type or a shape that is none")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise ValueError(f"{file} is not a safetensors file.") from None
    if file.stat().st_size < 8 + length + end:
        raise ValueError(f"{file} is cut short: it has {file.stat().st_size:,} of {8 + length + end:,} bytes.")
    if file.stat().st_size > 8 + length + end:
        raise ValueError(f"{file} has {file.stat().st_size - 8 - length - end:,} bytes more than its header speaks of.")
    return header


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
    folder: Path,
    dtype: torch.dtype | None = torch.float32,
    needed: Callable[[str], bool] = lambda name: False,
) -> nn.Module:
    """A model of class `kind` from a folder, in evaluation mode.

    Tensors of the file that the class has no place for are ignored (buffers and heads of other versions), unless
    `needed(name)`: then the config describes a smaller model than the one in the file.

    Raises:
        FileNotFoundError: no weights.
        ValueError: weights that are missing, left over or of the wrong shape, or a pickle with more than tensors in it.
        TooLarge: the model does not fit.
    """
    file = weight_files(folder)[0]
    check_fits(folder, dtype)
    try:
        with silent():
            source: dict[str, Any] = dict(pretrained_model_name_or_path=folder)
            if file.name == packed_file.FILE:
                config = kind.config_class.from_pretrained(folder, local_files_only=True)
                _check_packed(kind, config, file)
                source = dict(pretrained_model_name_or_path=None, config=config, state_dict=packed_file.read(file)[0])
            model, info = kind.from_pretrained(
                **source,
                dtype=dtype or "auto",
                local_files_only=True,
                weights_only=True,
                ignore_mismatched_sizes=True,  # reported below
                output_loading_info=True,
            )
    except pickle.UnpicklingError:
        raise ValueError(
            f"{file} is a pickle that holds more than tensors, and reading it could run code: "
            "have its author convert it to safetensors."
        ) from None
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a damaged file, a config that describes no model: almost anything
        raise ValueError(f"{folder} cannot be loaded ({first_sentence(error.__cause__ or error)}).") from None
    _refuse(file, kind, "lacks {}", info["missing_keys"])
    _refuse(file, kind, "has {}, which its config has no place for", [n for n in info["unexpected_keys"] if needed(n)])
    _refuse(file, kind, "has {0[0]} of shape {0[1]}, not {0[2]}", info["mismatched_keys"])
    _check_finite(model, file)
    return model.eval()


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


def _check_packed(kind: type, config: Any, file: Path) -> None:
    """Before anything is unpacked: tensors of the model's own shapes and no others, or a small file grows without bounds."""
    with torch.device("meta"):
        wanted = {name: tuple(tensor.shape) for name, tensor in kind(config).state_dict().items()}
    for name, found in packed_file.described(file).items():
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
