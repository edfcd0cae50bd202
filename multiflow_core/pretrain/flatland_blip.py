"""The built-in BLIP: configuration, tokenizer and processor of `flatland-blip`, and the folder it is saved in."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import BertTokenizer, BlipConfig, BlipProcessor
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from ..data.flatland.words import vocabulary
from ..families.blip_parts import BlipParts

IMAGE_SIZE, PATCH = 96, 16
IMAGE_MEAN = IMAGE_STD = (0.5, 0.5, 0.5)
TEXT_POSITIONS = 32


def flatland_blip_config() -> BlipConfig:
    """BLIP at 7.7 million parameters: six vision layers, four layers each in text encoder and decoder."""
    words = vocabulary()
    # transformers' default for vision weights, 1e-10, is meant for loading over them: training from it stands still
    shape = dict(
        hidden_size=192, num_attention_heads=6, intermediate_size=768, hidden_act="gelu", initializer_range=0.05
    )  # fmt: skip
    special = dict(
        bos_token_id=words["[DEC]"],
        sep_token_id=words["[SEP]"],
        eos_token_id=words["[SEP]"],
        pad_token_id=words["[PAD]"],
    )
    text = shape | special | dict(
        encoder_hidden_size=192, num_hidden_layers=4, vocab_size=len(words), max_position_embeddings=TEXT_POSITIONS,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, label_smoothing=0.0,
    )  # fmt: skip
    vision = shape | dict(num_hidden_layers=6, image_size=IMAGE_SIZE, patch_size=PATCH)
    return BlipConfig(text_config=text, vision_config=vision, image_text_hidden_size=128)


def flatland_processor() -> BlipProcessor:
    """Word-level tokenizer and image processor; pictures of any size become 96 x 96 pixels."""
    tokenizer = BertTokenizer(vocab=vocabulary(), model_max_length=TEXT_POSITIONS)
    image_processor = BlipImageProcessorPil(
        size={"height": IMAGE_SIZE, "width": IMAGE_SIZE}, image_mean=list(IMAGE_MEAN), image_std=list(IMAGE_STD)
    )
    return BlipProcessor(image_processor, tokenizer)


def save_flatland_blip(model: BlipParts, folder: Path) -> None:
    """Write an ordinary transformers folder in float16; each of BLIP's three task classes loads from it."""
    half = BlipParts(model.config)
    half.load_state_dict(model.state_dict())
    half.to(torch.float16).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config["architectures"] = ["BlipForImageTextRetrieval", "BlipForConditionalGeneration", "BlipForQuestionAnswering"]
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "model.safetensors").chmod(0o644)
    flatland_processor().save_pretrained(folder)
