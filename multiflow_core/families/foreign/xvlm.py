"""X-VLM as its authors, and those of MULTIFLOW, save it (github.com/zengyan-97/X-VLM): with the CLIP-ViT vision encoder."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...weights.foreign import Foreign, Translated, register
from ..absent import bert_tokenizer, no_words
from ..folder import made_from
from ..xvlm_model import XvlmConfig, XvlmModel

HEAD_WIDTH = 64  # of CLIP-ViT and BERT alike; the number of heads cannot be read off the tensors
# what X-VLM's own data pipeline subtracts and divides by, the same as CLIP's
IMAGE_MEAN, IMAGE_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
FIRST_FUSED = r"^text_encoder\.(?:bert\.)?encoder\.layer\.(\d+)\.crossattention\."
_VISION = "vision_encoder."
_RENAMED = {
    "class_embedding": "embeddings.class_embedding",
    "patch_embed.weight": "embeddings.patch_embedding.weight",
    "pos_embed.weight": "embeddings.position_embedding.weight",
}
_DROPPED = (
    (r"position_ids$", "a counter that the model makes itself"),
    (r"^bbox_head\.", "the bounding-box head: no task here asks where things are"),
    (r"^text_encoder\.(bert\.)?pooler\.", "BERT's pooler: X-VLM reads the state of [CLS] itself"),
    (r"^text_encoder\.cls\.predictions\.decoder\.", "tied to the word embeddings"),
)


def _knows(names: Collection[str]) -> bool:
    return any(name.startswith(_VISION) for name in names) and any(re.match(FIRST_FUSED, name) for name in names)


def translate(tensors: Mapping[str, Tensor]) -> Translated:
    """Tensors, or masks of some of them, under XvlmModel's names; ValueError for a text encoder without fusion layers."""
    dropped = {key: why for key in tensors for pattern, why in _DROPPED if re.search(pattern, key)}
    text_layers = first_fusion_layer(tensors)
    return Translated({renamed(key, text_layers): t for key, t in tensors.items() if key not in dropped}, dropped)


def first_fusion_layer(names: Collection[str]) -> int:
    """The first of BERT's layers that reads the picture."""
    layers = [int(found[1]) for name in names if (found := re.match(FIRST_FUSED, name))]
    if not layers:
        raise ValueError("No text layer has cross-attention: this is no X-VLM checkpoint.")
    return min(layers)


def renamed(key: str, text_layers: int) -> str:
    """XvlmModel's name for one of the authors' keys.

    >>> renamed("text_encoder.bert.encoder.layer.7.output.dense.weight", 6)
    'fusion_encoder.layer.1.output.dense.weight'
    >>> renamed("vision_encoder.pos_embed.weight", 6)
    'vision_encoder.embeddings.position_embedding.weight'
    """
    if key.startswith(_VISION):
        rest = key.removeprefix(_VISION)
        return _VISION + _RENAMED.get(rest, rest)
    key = key.replace("text_encoder.bert.", "text_encoder.").replace("text_encoder.cls.", "mlm_head.")
    found = re.fullmatch(r"text_encoder\.encoder\.layer\.(\d+)\.(.*)", key)
    if found and int(found[1]) >= text_layers:
        return f"fusion_encoder.layer.{int(found[1]) - text_layers}.{found[2]}"
    return key


def check_vision(tensors: Collection[str]) -> None:
    """ValueError for another vision encoder than CLIP-ViT."""
    if f"{_VISION}class_embedding" not in tensors and f"{_VISION}embeddings.class_embedding" not in tensors:
        kind = "Swin" if any(".relative_position_bias_table" in key for key in tensors) else "unknown"
        raise ValueError(f"The vision encoder is of {kind} kind; only checkpoints with CLIP-ViT can be converted.")


def config_of(tensors: Mapping[str, Tensor]) -> XvlmConfig:
    """The sizes of the model whose tensors these are, under XvlmModel's names."""
    check_vision(tensors)
    patches = tensors[f"{_VISION}embeddings.patch_embedding.weight"]
    positions = tensors[f"{_VISION}embeddings.position_embedding.weight"]
    words = tensors["text_encoder.embeddings.word_embeddings.weight"]
    width, image_width, patch = words.shape[1], len(patches), patches.shape[-1]
    vision = dict(
        hidden_size=image_width,
        num_attention_heads=max(image_width // HEAD_WIDTH, 1),
        num_hidden_layers=_count(tensors, r"vision_encoder\.encoder\.layers\.(\d+)\."),
        intermediate_size=len(tensors[f"{_VISION}encoder.layers.0.mlp.fc1.weight"]),
        patch_size=patch,
        image_size=round((len(positions) - 1) ** 0.5) * patch,
    )
    text = dict(
        hidden_size=width,
        num_attention_heads=max(width // HEAD_WIDTH, 1),
        num_hidden_layers=_count(tensors, r"text_encoder\.encoder\.layer\.(\d+)\."),
        intermediate_size=len(tensors["text_encoder.encoder.layer.0.intermediate.dense.weight"]),
        vocab_size=len(words),
        max_position_embeddings=len(tensors["text_encoder.embeddings.position_embeddings.weight"]),
        type_vocab_size=len(tensors["text_encoder.embeddings.token_type_embeddings.weight"]),
    )
    return XvlmConfig(
        vision_config=vision,
        text_config=text,
        fusion_layers=_count(tensors, r"fusion_encoder\.layer\.(\d+)\."),
        projection_dim=len(tensors["vision_proj.weight"]),
        masked_words=any(key.startswith("mlm_head.") for key in tensors),
    )


def _count(tensors: Mapping[str, Tensor], pattern: str) -> int:
    return 1 + max(int(found[1]) for key in tensors if (found := re.match(pattern, key)))


def processor_of(tokenizer: Any, image_size: int) -> Any:
    """The processor of an X-VLM: its pictures are squares of so many pixels."""
    from transformers import BlipProcessor
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    size = {"height": image_size, "width": image_size}
    return BlipProcessor(BlipImageProcessorPil(size=size, image_mean=IMAGE_MEAN, image_std=IMAGE_STD), tokenizer)


def _build(tensors: dict[str, Tensor], file: Path, dtype: torch.dtype | None) -> tuple[nn.Module, Any]:
    config = config_of(tensors)
    model = made_from(XvlmModel, config, tensors, file, dtype)
    tokenizer = bert_tokenizer(file.parent)
    if tokenizer is None:
        return model, no_words(file, "vocab.txt of bert-base-uncased")
    return model, processor_of(tokenizer, config.vision_config.image_size)


register(Foreign("X-VLM's authors", _knows, translate, _build))
