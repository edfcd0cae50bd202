"""CLIP as OpenCLIP saves it (github.com/mlfoundations/open_clip), and as OpenAI's own code names it: with a ViT for pictures."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...weights.foreign import Foreign, Translated, register
from ..absent import clip_tokenizer, no_words
from ..folder import made_from

CONFIG = "open_clip_config.json"  # beside the weights, where they are from the hub
HEAD_WIDTH, WIDE = (
    64,
    {1280: 80, 1408: 88, 1664: 104},
)  # of heads: of most, and of the widest vision towers (H, g, bigG)
IMAGE_MEAN, IMAGE_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_TEXT = r"^(?:text\.)?"
_TOWERS = (
    ("vision_model.", r"^visual\.transformer\.resblocks\."),
    ("text_model.", _TEXT + r"transformer\.resblocks\."),
)
_BLOCK = {
    "ln_1.": "layer_norm1.",
    "ln_2.": "layer_norm2.",
    "attn.out_proj.": "self_attn.out_proj.",
    "mlp.c_fc.": "mlp.fc1.",
    "mlp.c_proj.": "mlp.fc2.",
}
_RENAMED = (
    (r"^visual\.class_embedding$", "vision_model.embeddings.class_embedding"),
    (r"^visual\.positional_embedding$", "vision_model.embeddings.position_embedding.weight"),
    (r"^visual\.conv1\.weight$", "vision_model.embeddings.patch_embedding.weight"),
    (r"^visual\.ln_pre\.", "vision_model.pre_layrnorm."),
    (r"^visual\.ln_post\.", "vision_model.post_layernorm."),
    (_TEXT + r"token_embedding\.", "text_model.embeddings.token_embedding."),
    (_TEXT + r"positional_embedding$", "text_model.embeddings.position_embedding.weight"),
    (_TEXT + r"ln_final\.", "text_model.final_layer_norm."),
)
_TURNED = {r"^visual\.proj$": "visual_projection.weight", _TEXT + r"text_projection$": "text_projection.weight"}
_DROPPED = (
    (r"attn_mask$", "the mask of later words, which the model makes itself"),
    (r"^(input_resolution|context_length|vocab_size)$", "a size, which the tensors show"),
)


def _knows(names: Collection[str]) -> bool:
    return any(re.match(_TEXT + r"transformer\.resblocks\.", name) for name in names) or any(
        name.startswith("visual.transformer.resblocks.") for name in names
    )


def _translate(tensors: Mapping[str, Tensor]) -> Translated:
    found: dict[str, Tensor] = {}
    dropped = {name: why for name in tensors for pattern, why in _DROPPED if re.search(pattern, name)}
    for name, tensor in tensors.items():
        if name not in dropped:
            found |= _renamed(name, tensor)
    return Translated(found, dropped)


def _renamed(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """One tensor under transformers' name: turned, where it multiplies from the other side; query, key and value apart.

    >>> list(_renamed("visual.transformer.resblocks.2.attn.in_proj_bias", torch.zeros(6)))[1]
    'vision_model.encoder.layers.2.self_attn.k_proj.bias'
    """
    for tower, pattern in _TOWERS:
        if re.match(pattern, name):
            number, rest = re.sub(pattern, "", name).split(".", 1)
            block = f"{tower}encoder.layers.{number}."
            if found := re.fullmatch(r"attn\.in_proj_(weight|bias)", rest):
                parts = zip("qkv", tensor.chunk(3))
                return {f"{block}self_attn.{letter}_proj.{found[1]}": part.contiguous() for letter, part in parts}
            for old, new in _BLOCK.items():
                rest = re.sub(f"^{re.escape(old)}", new, rest)
            return {block + rest: tensor}
    for pattern, new in _TURNED.items():
        if re.match(pattern, name):
            return {new: tensor.T.contiguous()}
    for pattern, new in _RENAMED:
        name = re.sub(pattern, new, name)
    return {name.removeprefix("text.") if name.startswith("text.text_projection.") else name: tensor}


def _build(tensors: dict[str, Tensor], file: Path, dtype: torch.dtype | None) -> tuple[nn.Module, Any]:
    from transformers import CLIPModel

    said = _said(file.parent)
    config = _config(tensors, file, said.get("model_cfg", {}))
    model = made_from(CLIPModel, config, tensors, file, dtype)
    if "quick_gelu" not in said.get("model_cfg", {}):
        model.remarks = (f"activation {config.vision_config.hidden_act}, which the file itself does not show",)
    tokenizer = clip_tokenizer(file.parent, config.text_config.max_position_embeddings)
    if tokenizer is None:
        return model, no_words(file, "tokenizer.json of CLIP")
    return model, _processor(config.vision_config.image_size, tokenizer, said.get("preprocess_cfg", {}))


def _said(folder: Path) -> dict[str, Any]:
    try:
        held = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def _config(tensors: Mapping[str, Tensor], file: Path, said: Mapping[str, Any]) -> Any:
    from transformers import CLIPConfig

    other = next((name for name in tensors if name.startswith("visual.")), None)
    if other is not None or "vision_model.embeddings.patch_embedding.weight" not in tensors:
        raise ValueError(
            f"{file} holds a CLIP of another kind ({other or 'without a ViT'}): only those with OpenCLIP's own ViT "
            "have a class here."
        )
    patches = tensors["vision_model.embeddings.patch_embedding.weight"]
    positions = tensors["vision_model.embeddings.position_embedding.weight"]
    words = tensors["text_model.embeddings.token_embedding.weight"]
    vision_said, text_said = said.get("vision_cfg", {}), said.get("text_cfg", {})
    image_width, width = len(patches), words.shape[1]
    head = vision_said.get("head_width", WIDE.get(image_width, HEAD_WIDTH))
    act = "quick_gelu" if said.get("quick_gelu", _quick(file)) else "gelu"
    vision = _sizes(tensors, "vision_model.", image_width, max(image_width // head, 1), act)
    text = _sizes(tensors, "text_model.", width, text_said.get("heads", max(width // HEAD_WIDTH, 1)), act)
    vision |= dict(patch_size=patches.shape[-1], image_size=math.isqrt(len(positions) - 1) * patches.shape[-1])
    text |= dict(vocab_size=len(words), bos_token_id=len(words) - 2, eos_token_id=len(words) - 1)
    text |= dict(max_position_embeddings=len(tensors["text_model.embeddings.position_embedding.weight"]))
    joint = len(tensors["visual_projection.weight"])
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=joint)


def _sizes(tensors: Mapping[str, Tensor], tower: str, width: int, heads: int, act: str) -> dict[str, Any]:
    layers = [int(name.split(".")[3]) for name in tensors if name.startswith(f"{tower}encoder.layers.")]
    inner = len(tensors[f"{tower}encoder.layers.0.mlp.fc1.weight"])
    return dict(
        hidden_size=width,
        num_attention_heads=heads,
        num_hidden_layers=1 + max(layers),
        intermediate_size=inner,
        hidden_act=act,
    )


def _quick(file: Path) -> bool:
    """Whether the activation is OpenAI's: the tensors do not show it, and OpenCLIP's names of such files say so."""
    return bool(re.search("openai|quickgelu", file.name.lower()))


def _processor(side: int, tokenizer: Any, said: Mapping[str, Any]) -> Any:
    from transformers import CLIPProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    norms = dict(image_mean=said.get("mean", IMAGE_MEAN), image_std=said.get("std", IMAGE_STD))
    images = CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side}, **norms)
    return CLIPProcessor(images, tokenizer)


register(Foreign("OpenCLIP", _knows, _translate, _build))
