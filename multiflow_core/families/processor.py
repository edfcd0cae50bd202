"""Read the processor of a checkpoint folder strictly: what it needs and the folder does not hold is an error, never a default."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .absent import WITHOUT, NoProcessor, no_processor
from .folder import first_sentence, folder_of, silent

_VOCABULARIES = (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt"))
_IMAGES = ("processor_config.json", "preprocessor_config.json")
_NORMS = ("image_mean", "image_std")
_SIZES = ("size", "crop_size", "pad_size", "patch_size", "max_num_patches")
_FILES = (  # all that a processor can be read from
    "*processor_config.json", "token*.json", "vocab.*", "merges.txt", "special_tokens_map.json", "added_tokens.json",
    "chat_template*", "*.model", "*.tiktoken",
)  # fmt: skip
_PACKAGES = ("torchvision", "scipy", "sentencepiece", "tiktoken", "protobuf", "timm")
_OWN_NORMS = ("Pix2Struct", "Kosmos2_5")  # read each picture by its own mean
LARGEST = 8192  # pixels of a side: a picture that is made larger by mistake takes gigabytes


def load_processor(folder: Path) -> Any:
    """The processor of a folder, or of a file's: `.image_processor` and `.tokenizer`; `NoProcessor` where there is nothing of one.

    Raises:
        ValueError: there is none, or a file or field of it is missing: transformers would fill in those of another model.
    """
    place, folder = folder, folder_of(folder)
    if not _vocabulary_there(folder) and not any(
        (folder / file).is_file() for file in (*_IMAGES, "tokenizer_config.json")
    ):
        return no_processor(place)
    _check_vocabulary(folder)
    _check_pictures(folder)
    try:
        with silent():
            processor = _opened(folder)
    except Exception as error:  # damaged files raise almost anything
        if _package_for(str(error).replace(str(folder), "")):
            return unfit(place, error)
        raise ValueError(f"{folder} holds no readable processor: save one there with save_pretrained.") from None
    for part in ("image_processor", "tokenizer"):
        if not hasattr(processor, part):
            raise ValueError(f"{folder} holds no {part.replace('_', ' ')}: save one there with save_pretrained.")
    return processor


def _opened(folder: Path) -> Any:
    from transformers import AutoImageProcessor, AutoProcessor

    kind = _kind(folder)
    if kind is not None and "video_processor" in kind.get_attributes():
        AutoProcessor = pictures_only(kind)
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if kind is None and hasattr(processor, "convert_tokens_to_ids"):  # a tokenizer: no file names what joins the two
        images = AutoImageProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        return Pair(images, processor)
    return processor


@dataclass(frozen=True)
class Pair:
    """An image processor and a tokenizer that nothing joins, as VisionEncoderDecoder models are published."""

    image_processor: Any
    tokenizer: Any

    def __call__(self, images: Sequence[Any], text: Sequence[str], **options: Any) -> dict[str, Any]:
        seen = self.image_processor(images, return_tensors=options.get("return_tensors"))
        return {**seen, **self.tokenizer(text, **options)}

    def save_pretrained(self, folder: str | os.PathLike) -> None:
        self.image_processor.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def _kind(folder: Path) -> Any:
    """The processor's class: the first that a file names, else that of the model; None where only `AutoProcessor` may know."""
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    held = [_json(folder / name) for name in (*_IMAGES, "tokenizer_config.json")]
    named = [said.get("processor_class") for said in held] + [
        PROCESSOR_MAPPING_NAMES.get(_json(folder / "config.json").get("model_type"))
    ]
    kind = getattr(transformers, next((name for name in named if isinstance(name, str)), ""), None)
    return kind if isinstance(kind, type) and issubclass(kind, transformers.ProcessorMixin) else None


def pictures_only(kind: Any) -> Any:
    """A processor's class whose video half stays closed: that one needs torchvision, the pictures do not.

    Where it was read from it is copied from, as what is missing of it could not be written down.
    """

    class Halves(kind):
        @classmethod
        def get_attributes(cls) -> list[str]:
            return [name for name in kind.get_attributes() if name != "video_processor"]

    class Pictures(kind):
        def check_argument_for_proper_class(self, name: str, argument: Any) -> Any:
            return None if name == "video_processor" else super().check_argument_for_proper_class(name, argument)

        @classmethod
        def _get_arguments_from_pretrained(cls, folder: Path, *args: Any, **kwargs: Any) -> list[Any]:
            cls.folder = folder
            read = dict(zip(Halves.get_attributes(), Halves._get_arguments_from_pretrained(folder, *args, **kwargs)))
            return [read.get(name) for name in kind.get_attributes()]

        def save_pretrained(self, folder: str | os.PathLike, **kwargs: Any) -> list[str]:
            return copy_processor(self.folder, Path(folder))

    module = sys.modules[kind.__module__]
    if getattr(module, "num2words", module) is None:  # SmolVLM says in words how many pictures a video has
        module.num2words = str
    Pictures.__name__ = Pictures.__qualname__ = kind.__name__
    return Pictures


def copy_processor(source: Path, folder: Path) -> list[str]:
    """Copy all that a processor is read from; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [file for pattern in _FILES for file in sorted(Path(source).glob(pattern)) if file.is_file()]
    return [shutil.copyfile(file, folder / file.name).as_posix() for file in found]


def unfit(place: Path, error: BaseException) -> NoProcessor:
    """What stands for a processor that cannot be opened, or cannot read a picture and a text."""
    package = _package_for(str(error).replace(str(place), ""))
    if package:
        reason = f"The processor of {place} needs the package {package}, which is not installed here"
    else:
        reason = f"The processor of {place} reads no picture together with a text ({first_sentence(error)})"
    return NoProcessor(f"{reason}; {WITHOUT}.")


def _package_for(said: str) -> str:
    """The package for want of which something cannot be done, "" where it is not that.

    >>> _package_for("PixtralProcessor requires the Torchvision library but it was not found in your environment")
    'torchvision'
    """
    wanting = re.search(r"library|package|dependenc|not found|install|backend", said)
    return next((name for name in _PACKAGES if name in said.lower()), "") if wanting else ""


def _json(file: Path) -> dict[str, Any]:
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def _vocabulary_there(folder: Path) -> bool:
    there = any(all((folder / file).is_file() for file in files) for files in _VOCABULARIES)
    return there or any(file.is_file() for file in folder.glob("*.model"))


def _check_vocabulary(folder: Path) -> None:
    if not _vocabulary_there(folder):
        raise ValueError(
            f"{folder} holds no tokenizer.json, so what its model's words are is not known: save the tokenizer there."
        )


def _check_pictures(folder: Path) -> None:
    """How pictures are normalised has to be said, in numbers that can be divided by."""
    there = [folder / name for name in _IMAGES if (folder / name).is_file()]
    # what reads pictures may be described on its own, beside what puts it together with the tokenizer
    file = there[-1] if there and "image_processor" not in _json(there[0]) else next(iter(there), None)
    if file is None:
        raise ValueError(f"{folder} holds no {_IMAGES[0]}, which says how pictures are read: save the processor there.")
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        said = held.get("image_processor", held)
        asked = said.get("do_normalize", True) and not _reader(said).startswith(_OWN_NORMS)
        values = {name: said.get(name) for name in _NORMS if asked}
        sizes = {name: _numbers(said[name]) for name in _SIZES if said.get(name) is not None}
    except (OSError, ValueError, AttributeError, RecursionError):
        raise ValueError(f"{file} is no description of a processor: save one there with save_pretrained.") from None
    for name, numbers in sizes.items():
        most = (
            LARGEST**2 if name == "size" and "merge_size" in said else LARGEST
        )  # Qwen-VL's sizes are of whole pictures
        if not all(type(number) is int and 0 < number <= most for number in numbers):
            raise ValueError(
                f"{file} says {name} {json.dumps(said[name])[:60]}: sizes are whole numbers from 1 to {most}."
            )
    for name, value in values.items():
        if value is None:
            raise ValueError(f"{file} does not say {name}: add what the model was trained with.")
        numbers = value if isinstance(value, list) else [value]
        if not numbers or not all(_usable(number, name) for number in numbers):
            raise ValueError(f"{file} says {name} {json.dumps(value)[:60]}, which pictures cannot be normalised with.")


def _reader(said: dict[str, Any]) -> str:
    """The class that reads pictures, as a file calls it."""
    return str(said.get("image_processor_type") or said.get("feature_extractor_type") or "")


def _numbers(held: Any) -> list[Any]:
    """What a size says: one number, several, or several by name."""
    values = held.values() if isinstance(held, dict) else held if isinstance(held, list) else [held]
    return [value for value in values if value is not None]


def _usable(number: Any, name: str) -> bool:
    plain = isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
    return plain and (name != "image_std" or number > 0)
