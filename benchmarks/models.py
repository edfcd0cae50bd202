"""Every model family with random weights, at its published size or very small, and a processor with a local vocabulary.

No hub is needed: what matters here is the shape of a checkpoint, not what it has learnt. The same as folders, to open
in the app or with `mf.load`:

python -m benchmarks.models FOLDER                      # all of them, 8 GB
python -m benchmarks.models FOLDER clip-b32 xvlm-base
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn
from transformers import (
    BertTokenizer,
    BlipProcessor,
    CLIPConfig,
    CLIPModel,
    CLIPProcessor,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    Siglip2Config,
    Siglip2Model,
    Siglip2Processor,
    SiglipConfig,
    SiglipModel,
    SiglipProcessor,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

from multiflow_core.data import dataset
from multiflow_core.data.flatland.words import vocabulary
from multiflow_core.families import families
from multiflow_core.families.blip_parts import BlipParts
from multiflow_core.families.xvlm_model import XvlmConfig, XvlmModel

Builder = Callable[[bool], tuple[nn.Module, Any]]
MODELS: dict[str, Builder] = {}

_SMALL = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64)
_SPREAD = 0.05  # of the weights: with the usual 0.02 all outputs of so narrow a model look alike
SMALL_IMAGE, SMALL_PATCH = 32, 16


def model(name: str) -> Callable[[Builder], Builder]:
    """Register a builder: `build(small)` returns a model in evaluation mode and its processor."""

    def register(builder: Builder) -> Builder:
        MODELS[name] = builder
        return builder

    return register


def build(name: str, small: bool = False, seed: int = 0) -> tuple[nn.Module, Any]:
    """Model and processor, always the same for a seed; `small`: two narrow layers of everything.

    >>> model, processor = build("clip-b32", small=True)
    >>> type(model).__name__, processor.tokenizer.decode(processor.tokenizer("a red boat")["input_ids"][1:-1])
    ('CLIPModel', 'a red boat')
    """
    torch.manual_seed(seed)
    made, processor = MODELS[name](small)
    return made.eval(), processor


def save(name: str, folder: Path, small: bool = False, seed: int = 0, dtype: torch.dtype = torch.float32) -> Path:
    """The same as a folder of save_pretrained."""
    made, processor = build(name, small, seed)
    made.to(dtype).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _sizes(small: bool, text: dict, vision: dict, **shared: Any) -> dict[str, Any]:
    """`text_config` and `vision_config`: a family's defaults with `text` and `vision` changed, or very small ones."""
    if not small:
        return dict(text_config=text | shared, vision_config=vision | shared)
    narrow = _SMALL | dict(initializer_range=_SPREAD) | shared
    small_vision = {key: value for key, value in vision.items() if key not in ("image_size", "patch_size")}
    return dict(
        text_config=narrow | dict(vocab_size=len(vocabulary()), max_position_embeddings=32) | text,
        vision_config=narrow | dict(image_size=SMALL_IMAGE, patch_size=SMALL_PATCH) | small_vision,
    )


# --- processors -----------------------------------------------------------------------------------------------------


def bert_processor(image_size: int, words: int) -> Any:
    """Flatland's words, and behind them BERT's [unused...]: an untrained decoder says any of the model's `words`."""
    known = vocabulary()
    known |= {f"[unused{i}]": i for i in range(len(known), words)}
    size = {"height": image_size, "width": image_size}
    return BlipProcessor(BlipImageProcessorPil(size=size), BertTokenizer(vocab=known, model_max_length=32))


def clip_tokens() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A byte-pair vocabulary in which most words of Flatland are one token."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges = []
    for word in (word for word in vocabulary() if word.isalpha() and len(word) > 1):
        left = word[0]
        for letter in [*word[1:-1], f"{word[-1]}</w>"]:
            merges.append((left, letter))
            left += letter
            tokens.append(left)
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return {token: i for i, token in enumerate(dict.fromkeys(tokens))}, list(dict.fromkeys(merges))


def clip_processor(image_size: int) -> Any:
    tokens, merges = clip_tokens()
    images = CLIPImageProcessorPil(
        size={"shortest_edge": image_size}, crop_size={"height": image_size, "width": image_size}
    )
    return CLIPProcessor(images, CLIPTokenizer(vocab=tokens, merges=merges, model_max_length=32))


def siglip_tokenizer() -> Any:
    """Words, then [SEP] as the end, like SigLIP's own; and like them without an attention mask."""
    words = vocabulary()
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A [SEP]", special_tokens=[("[SEP]", words["[SEP]"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        eos_token="[SEP]",
        model_input_names=["input_ids"],
    )


# --- families -------------------------------------------------------------------------------------------------------


def _blip(kind: str, small: bool, **vision: Any) -> tuple[nn.Module, Any]:
    words = vocabulary()
    text = dict(bos_token_id=words["[DEC]"], sep_token_id=words["[SEP]"], eos_token_id=words["[SEP]"], pad_token_id=0)
    # transformers' default spread for the vision encoder, 1e-10, is meant for loading over it
    sizes = _sizes(small, text, vision | dict(initializer_range=_SPREAD if small else 0.02))
    sizes["text_config"] |= dict(encoder_hidden_size=32) if small else {}
    config = transformers.BlipConfig(**sizes, image_text_hidden_size=16 if small else 256)
    made = (BlipParts if kind == "BlipParts" else getattr(transformers, kind))(config)
    return made, bert_processor(config.vision_config.image_size, config.text_config.vocab_size)


@model("blip-base-224")
def blip_224(small: bool) -> tuple[nn.Module, Any]:
    """At the resolution of pre-training, in which the bars are given; the three below read 384 pixels."""
    return _blip("BlipForImageTextRetrieval", small, image_size=224)


@model("blip-base-retrieval")
def blip_retrieval(small: bool) -> tuple[nn.Module, Any]:
    return _blip("BlipForImageTextRetrieval", small)


@model("blip-base-captioning")
def blip_captioning(small: bool) -> tuple[nn.Module, Any]:
    return _blip("BlipForConditionalGeneration", small)


@model("blip-base-vqa")
def blip_vqa(small: bool) -> tuple[nn.Module, Any]:
    return _blip("BlipForQuestionAnswering", small)


def _clip(small: bool, patch: int) -> tuple[nn.Module, Any]:
    tokens, _ = clip_tokens()
    text = dict(eos_token_id=tokens["<|endoftext|>"], bos_token_id=tokens["<|startoftext|>"])
    sizes = _sizes(small, text | (dict(vocab_size=len(tokens)) if small else {}), dict(patch_size=patch))
    config = CLIPConfig(**sizes, projection_dim=16 if small else 512)
    return CLIPModel(config), clip_processor(config.vision_config.image_size)


@model("clip-b32")
def clip_b32(small: bool) -> tuple[nn.Module, Any]:
    return _clip(small, 32)


@model("clip-b16")
def clip_b16(small: bool) -> tuple[nn.Module, Any]:
    return _clip(small, 16)


@model("siglip-base")
def siglip(small: bool) -> tuple[nn.Module, Any]:
    config = SiglipConfig(**_sizes(small, dict(pad_token_id=0, eos_token_id=3, bos_token_id=2), {}))
    if small:
        config.text_config.projection_size = _SMALL["hidden_size"]
    side = config.vision_config.image_size
    images = SiglipImageProcessorPil(size={"height": side, "width": side})
    return SiglipModel(config), SiglipProcessor(images, siglip_tokenizer())


@model("siglip2-base")
def siglip2(small: bool) -> tuple[nn.Module, Any]:
    config = Siglip2Config(**_sizes(small, dict(pad_token_id=0, eos_token_id=3, bos_token_id=2), {}))
    if small:
        config.text_config.projection_size = _SMALL["hidden_size"]
        config.vision_config.num_patches = 16
    images = Siglip2ImageProcessorPil(
        patch_size=config.vision_config.patch_size, max_num_patches=config.vision_config.num_patches
    )
    return Siglip2Model(config), Siglip2Processor(images, siglip_tokenizer())


@model("xvlm-base")
def xvlm(small: bool) -> tuple[nn.Module, Any]:
    sizes = _sizes(small, dict(num_hidden_layers=2 if small else 6), dict(patch_size=16))
    config = XvlmConfig(**sizes, fusion_layers=2 if small else 6, projection_dim=16 if small else 256)
    return XvlmModel(config), bert_processor(config.vision_config.image_size, config.text_config.vocab_size)


MODELS |= {family.name: family.example for family in families() if family.example}


def pictures(count: int, side: int = 64) -> list[tuple[Image.Image, str]]:
    """Image-text pairs of Flatland."""
    return [(image.resize((side, side)), text) for image, text in dataset.open().pairs(count, 0, 96)]


def write_folders(prog: str, about: str | None, names: Iterable[str], save: Callable[[str, Path], Path]) -> None:
    """A command that writes models, all of them or those that are named, each into a folder of its own."""
    parser = argparse.ArgumentParser(prog=prog, description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="each model gets a folder of its own in it")
    parser.add_argument("models", nargs="*", help=f"of {', '.join(names)}")
    options = parser.parse_args()
    for name in options.models or names:
        print(save(name, options.folder / name))


if __name__ == "__main__":
    write_folders("benchmarks.models", __doc__, MODELS, save)
