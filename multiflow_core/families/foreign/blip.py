"""BLIP as Salesforce published it (github.com/salesforce/BLIP): one file a task, one of all parts."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from ...weights.foreign import Foreign, Translated, register
from ..absent import bert_tokenizer, no_words
from ..blip_parts import BlipParts
from ..folder import made_from

HEAD_WIDTH = 64  # of base and large, of both towers; the number of heads cannot be read off the tensors
IMAGE_MEAN, IMAGE_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_BLOCK = r"^vision_model\.blocks\.(\d+)\."
_RENAMED = (  # one after the other
    (r"^visual_encoder\.", "vision_model."),
    (r"^vision_model\.cls_token$", "vision_model.embeddings.class_embedding"),
    (r"^vision_model\.pos_embed$", "vision_model.embeddings.position_embedding"),
    (r"^vision_model\.patch_embed\.proj\.", "vision_model.embeddings.patch_embedding."),
    (r"^vision_model\.norm\.", "vision_model.post_layernorm."),
    (_BLOCK + r"norm([12])\.", r"vision_model.encoder.layers.\1.layer_norm\2."),
    (_BLOCK + r"attn\.proj\.", r"vision_model.encoder.layers.\1.self_attn.projection."),
    (_BLOCK + r"attn\.", r"vision_model.encoder.layers.\1.self_attn."),
    (_BLOCK, r"vision_model.encoder.layers.\1."),
)
_DROPPED = (
    (r"position_ids$", "a counter that the model makes itself"),
    (r"^\w+_m\.", "the slow copies of the parts that training compares with"),
    (r"^(image|text|idx|ptr)_queue$|^(queue_ptr|ptr_queue)$|^temp$", "of training alone"),
)
_DECODER_TIED = ("text_decoder.cls.predictions.decoder.weight", "text_decoder.cls.predictions.decoder.bias")


def _knows(names: Collection[str]) -> bool:
    return any(name.startswith("visual_encoder.blocks.") for name in names)


def _translate(tensors: Mapping[str, Tensor]) -> Translated:
    dropped = {name: why for name in tensors for pattern, why in _DROPPED if re.search(pattern, name)}
    return Translated({renamed(name): t for name, t in tensors.items() if name not in dropped}, dropped)


def renamed(name: str) -> str:
    """transformers' name for one of Salesforce's.

    >>> renamed("visual_encoder.blocks.3.attn.proj.weight"), renamed("text_decoder.bert.embeddings.LayerNorm.bias")
    ('vision_model.encoder.layers.3.self_attn.projection.weight', 'text_decoder.bert.embeddings.LayerNorm.bias')
    """
    for pattern, new in _RENAMED:
        name = re.sub(pattern, new, name)
    return name


def _build(tensors: dict[str, Tensor], file: Path, dtype: torch.dtype | None) -> tuple[nn.Module, Any]:
    tokenizer = bert_tokenizer(file.parent)
    config = _config(tensors, tokenizer)
    model = made_from(_class(tensors, file), config, _separate(tensors), file, dtype)
    if tokenizer is None:
        return model, no_words(file, "vocab.txt of bert-base-uncased")
    return model, _processor(config.vision_config.image_size, tokenizer)


def _class(tensors: Mapping[str, Tensor], file: Path) -> type:
    """The class of transformers with these parts; `BlipParts` for all of them."""
    if any(re.search(r"crossattention\.self[01]\.|^cls_head\.", name) for name in tensors):
        raise ValueError(
            f"{file} holds a BLIP that compares two pictures (NLVR), which no class of transformers can run."
        )
    encoder, decoder = (any(name.startswith(part) for name in tensors) for part in ("text_encoder.", "text_decoder."))
    if encoder and decoder:
        return BlipParts if "itm_head.weight" in tensors else transformers.BlipForQuestionAnswering
    return transformers.BlipForImageTextRetrieval if encoder else transformers.BlipForConditionalGeneration


def _config(tensors: Mapping[str, Tensor], tokenizer: Any) -> Any:
    side = next(
        part for part in ("text_encoder.", "text_decoder.bert.") if f"{part}embeddings.LayerNorm.bias" in tensors
    )
    patches = tensors["vision_model.embeddings.patch_embedding.weight"]
    positions = tensors["vision_model.embeddings.position_embedding"]
    words = tensors[f"{side}embeddings.word_embeddings.weight"]
    width, image_width = words.shape[1], len(patches)
    vision = dict(
        hidden_size=image_width,
        num_attention_heads=max(image_width // HEAD_WIDTH, 1),
        num_hidden_layers=_layers(tensors, r"vision_model\.encoder\.layers\.(\d+)\."),
        intermediate_size=len(tensors["vision_model.encoder.layers.0.mlp.fc1.weight"]),
        patch_size=patches.shape[-1],
        image_size=math.isqrt(positions.shape[1] - 1) * patches.shape[-1],
        layer_norm_eps=1e-6,
    )
    text = dict(
        hidden_size=width,
        encoder_hidden_size=image_width,
        num_attention_heads=max(width // HEAD_WIDTH, 1),
        num_hidden_layers=_layers(tensors, re.escape(side) + r"encoder\.layer\.(\d+)\."),
        intermediate_size=len(tensors[f"{side}encoder.layer.0.intermediate.dense.weight"]),
        vocab_size=len(words),
        max_position_embeddings=len(tensors[f"{side}embeddings.position_embeddings.weight"]),
        bos_token_id=len(words) - 2,  # [DEC], which stands behind BERT's own words, before [ENC]
    )
    if tokenizer is not None:
        text |= dict(sep_token_id=tokenizer.sep_token_id, pad_token_id=tokenizer.pad_token_id)
        text |= dict(eos_token_id=tokenizer.sep_token_id)
    common = tensors.get("vision_proj.weight")
    joint = {} if common is None else dict(image_text_hidden_size=len(common))
    return transformers.BlipConfig(text_config=text, vision_config=vision, **joint)


def _layers(tensors: Mapping[str, Tensor], pattern: str) -> int:
    return 1 + max(int(found[1]) for name in tensors if (found := re.match(pattern, name)))


def _separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the head's own copy of the word embeddings; what two parts shared in training, each gets for itself."""
    seen: set[int] = set()
    found = {}
    for name, tensor in tensors.items():
        if name not in _DECODER_TIED:
            found[name] = tensor.clone() if tensor.data_ptr() in seen else tensor
            seen.add(tensor.data_ptr())
    return found


def _processor(side: int, tokenizer: Any) -> Any:
    from transformers import BlipProcessor
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    size = {"height": side, "width": side}
    return BlipProcessor(BlipImageProcessorPil(size=size, image_mean=IMAGE_MEAN, image_std=IMAGE_STD), tokenizer)


register(Foreign("Salesforce's BLIP", _knows, _translate, _build))
