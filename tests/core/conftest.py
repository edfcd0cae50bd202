"""A BLIP and an X-VLM so small that every test can have its own, and the shipped BLIP, loaded once."""

import pytest
import torch

from multiflow_core import load
from multiflow_core.families.blip_parts import BlipParts
from multiflow_core.families.xvlm_model import XvlmModel
from multiflow_core.pretrain.models.flatland_blip import FLATLAND_BLIP
from multiflow_core.pretrain.models.flatland_xvlm import FLATLAND_XVLM


def shrunk(config):
    """The configuration of a built-in model with two layers each and a width of 32."""
    for part in (config.text_config, config.vision_config):
        part.hidden_size, part.intermediate_size, part.num_hidden_layers, part.num_attention_heads = 32, 64, 2, 2
    return config


def tiny_config():
    """`flatland-blip`, shrunk."""
    config = shrunk(FLATLAND_BLIP.config())
    config.text_config.encoder_hidden_size = 32
    config.image_text_hidden_size = 16
    return config


@pytest.fixture
def parts() -> BlipParts:
    torch.manual_seed(0)
    return BlipParts(tiny_config()).eval()


@pytest.fixture
def xvlm() -> XvlmModel:
    torch.manual_seed(0)
    return XvlmModel(shrunk(FLATLAND_XVLM.config())).eval()


@pytest.fixture(scope="session")
def vlm():
    return load("flatland-blip")
