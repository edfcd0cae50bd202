"""The built-in X-VLM: configuration of `flatland-xvlm`, and the folder it is saved in. Its processor is `flatland-blip`'s."""

from __future__ import annotations

from pathlib import Path

import torch

from ..data.flatland.words import vocabulary
from ..families.xvlm_model import XvlmConfig, XvlmModel
from .flatland_blip import IMAGE_SIZE, PATCH, TEXT_POSITIONS, flatland_processor


def flatland_xvlm_config() -> XvlmConfig:
    """X-VLM at 6 million parameters: six vision layers, three text layers, three fusion layers."""
    words = vocabulary()
    # the usual spread of 0.02 is made for a width of 768: at 192, training from it stands still
    shape = dict(hidden_size=192, num_attention_heads=6, intermediate_size=768, hidden_act="gelu")
    shape |= dict(initializer_range=0.05)
    text = shape | dict(
        num_hidden_layers=3, vocab_size=len(words), max_position_embeddings=TEXT_POSITIONS, pad_token_id=words["[PAD]"],
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    vision = shape | dict(num_hidden_layers=6, image_size=IMAGE_SIZE, patch_size=PATCH)
    return XvlmConfig(text_config=text, vision_config=vision, fusion_layers=3, projection_dim=128)


def save_flatland_xvlm(model: XvlmModel, folder: Path) -> None:
    """Write an ordinary transformers folder in float16; `XvlmModel.from_pretrained` and `mf.load` read it."""
    half = XvlmModel(model.config)
    half.load_state_dict(model.state_dict())
    half.to(torch.float16).save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    flatland_processor().save_pretrained(folder)
