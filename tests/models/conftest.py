"""A BLIP so small that every test can have its own, and the shipped one, loaded once."""

import pytest
import torch

from multiflow_core import load
from multiflow_core.families.blip_parts import BlipParts
from multiflow_core.families.flatland_blip import flatland_blip_config


def tiny_config():
    """`flatland-blip` with two layers each and a width of 32."""
    config = flatland_blip_config()
    for part in (config.text_config, config.vision_config):
        part.hidden_size, part.intermediate_size, part.num_hidden_layers, part.num_attention_heads = 32, 64, 2, 2
    config.text_config.encoder_hidden_size = 32
    config.image_text_hidden_size = 16
    return config


@pytest.fixture
def parts() -> BlipParts:
    torch.manual_seed(0)
    return BlipParts(tiny_config()).eval()


@pytest.fixture(scope="session")
def vlm():
    return load("flatland-blip")
