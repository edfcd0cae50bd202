"""Read the processor of a checkpoint folder strictly: what it needs and the folder does not hold is an error, never a default."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from .folder import first_sentence, silent

_VOCABULARIES = (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt"))
_IMAGES = ("processor_config.json", "preprocessor_config.json")
_NORMS = ("image_mean", "image_std")
_SIZES = ("size", "crop_size", "pad_size", "patch_size", "max_num_patches")
LARGEST = 8192  # pixels of a side: a picture that is made larger by mistake takes gigabytes


def load_processor(folder: Path) -> Any:
    """The processor of a folder: `.image_processor` and `.tokenizer`.

    Raises:
        ValueError: there is none, or a file or field of it is missing: transformers would fill in those of another model.
    """
    from transformers import AutoProcessor

    _check_vocabulary(folder)
    _check_pictures(folder)
    try:
        with silent():
            processor = AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except ImportError as error:
        raise ValueError(
            f"The processor of {folder} needs a package that is not there ({first_sentence(error)})."
        ) from None
    except Exception:  # damaged files raise almost anything
        raise ValueError(f"{folder} holds no readable processor: save one there with save_pretrained.") from None
    for part in ("image_processor", "tokenizer"):
        if not hasattr(processor, part):
            raise ValueError(f"{folder} holds no {part.replace('_', ' ')}: save one there with save_pretrained.")
    return processor


def _check_vocabulary(folder: Path) -> None:
    there = any(all((folder / file).is_file() for file in files) for files in _VOCABULARIES)
    if not there and not any(file.is_file() for file in folder.glob("*.model")):
        raise ValueError(
            f"{folder} holds no tokenizer.json, so what its model's words are is not known: save the tokenizer there."
        )


def _check_pictures(folder: Path) -> None:
    """How pictures are normalised has to be said, in numbers that can be divided by."""
    file = next((folder / name for name in _IMAGES if (folder / name).is_file()), None)
    if file is None:
        raise ValueError(f"{folder} holds no {_IMAGES[0]}, which says how pictures are read: save the processor there.")
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        said = held.get("image_processor", held)
        asked = said.get("do_normalize", True)
        values = {name: said.get(name) for name in _NORMS if asked}
        sizes = {name: _numbers(said[name]) for name in _SIZES if said.get(name) is not None}
    except (OSError, ValueError, AttributeError, RecursionError):
        raise ValueError(f"{file} is no description of a processor: save one there with save_pretrained.") from None
    for name, numbers in sizes.items():
        if not all(type(number) is int and 0 < number <= LARGEST for number in numbers):
            raise ValueError(
                f"{file} says {name} {json.dumps(said[name])[:60]}: sizes are whole numbers from 1 to {LARGEST}."
            )
    for name, value in values.items():
        if value is None:
            raise ValueError(f"{file} does not say {name}: add what the model was trained with.")
        numbers = value if isinstance(value, list) else [value]
        if not numbers or not all(_usable(number, name) for number in numbers):
            raise ValueError(f"{file} says {name} {json.dumps(value)[:60]}, which pictures cannot be normalised with.")


def _numbers(held: Any) -> list[Any]:
    """What a size says: one number, several, or several by name."""
    values = held.values() if isinstance(held, dict) else held if isinstance(held, list) else [held]
    return [value for value in values if value is not None]


def _usable(number: Any, name: str) -> bool:
    plain = isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
    return plain and (name != "image_std" or number > 0)
