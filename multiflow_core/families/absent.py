"""What stands in the place of a processor that is not there, and the tokenizers that lie beside a file of weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WITHOUT = "only what needs nothing but weights works without (methods such as OMP and LAMP; Layers and Distributions)"


class Absent(ValueError, AttributeError):
    """Something was asked of a processor that is not there; the text is a sentence for the reader."""


class NoProcessor:
    """A processor that is not there: whatever is asked of it is answered with the reason.

    >>> NoProcessor("There is none.").tokenizer
    Traceback (most recent call last):
    multiflow_core.families.absent.Absent: There is none.
    """

    def __init__(self, reason: str):
        self.reason = reason

    def __getattr__(self, name: str) -> Any:
        raise Absent(vars(self).get("reason", name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise Absent(self.reason)


def no_processor(place: Path) -> NoProcessor:
    """The one for a folder without."""
    what = "no processor, which says how words and pictures are read: save one there with save_pretrained"
    return NoProcessor(f"{place} holds {what}; {WITHOUT}.")


def no_words(file: Path, lacks: str) -> NoProcessor:
    """The one for a file of weights that has no vocabulary beside it."""
    return NoProcessor(f"{file} has no {lacks} beside it, by which words are read: put it there; {WITHOUT}.")


def bert_tokenizer(folder: Path) -> Any:
    """BERT's, from vocab.txt or tokenizer.json in a folder, else from the cache of the hub; None where there is none."""
    from transformers import BertTokenizer

    file = _beside(folder, "bert-base-uncased", "google-bert/bert-base-uncased", "vocab.txt", "tokenizer.json")
    if file is None:
        return None
    if file.suffix == ".txt":
        words = file.read_text(encoding="utf-8").splitlines()
        known = {word: i for i, word in enumerate(words)}
    else:
        known = json.loads(file.read_text(encoding="utf-8"))["model"]["vocab"]
    return BertTokenizer(vocab=known, do_lower_case=True, model_max_length=512)


def clip_tokenizer(folder: Path, length: int) -> Any:
    """CLIP's, from tokenizer.json, or vocab.json and merges.txt, in a folder, else from the cache of the hub; None without."""
    from transformers import CLIPTokenizer

    file = _beside(
        folder, "openai/clip-vit-base-patch32", "openai/clip-vit-large-patch14", "tokenizer.json", "merges.txt"
    )
    if file is None:
        return None
    if file.name == "tokenizer.json":
        held = json.loads(file.read_text(encoding="utf-8"))["model"]
        known, pairs = held["vocab"], held["merges"]
    else:
        known = json.loads((file.parent / "vocab.json").read_text(encoding="utf-8"))
        pairs = file.read_text(encoding="utf-8").splitlines()[1:]
    merges = [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in pairs if pair]
    return CLIPTokenizer(vocab=known, merges=merges, model_max_length=length)


def _beside(folder: Path, *names: str) -> Path | None:
    """A file of one of the names: in the folder, or in the cache for one of the hub names, which have a slash or no dot."""
    from huggingface_hub import try_to_load_from_cache

    files = [name for name in names if "." in name]
    there = [folder / file for file in files]
    cached = [try_to_load_from_cache(hub, file) for hub in names if "." not in hub for file in files]
    found = [*there, *(Path(path) for path in cached if isinstance(path, str))]
    return next((path for path in found if path.is_file()), None)
