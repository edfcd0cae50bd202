"""A small model and masks to fine-tune with."""

import pytest

from multiflow_core import rank
from multiflow_core.families import family_of
from multiflow_core.models.vlm import VLM
from multiflow_core.pretrain.reading import flatland_processor
from multiflow_core.weights.masks import Masks


@pytest.fixture
def blip(parts) -> VLM:
    return VLM("tiny", parts, flatland_processor(), family_of(parts))


@pytest.fixture
def masks(blip) -> Masks:
    return rank(blip.model, "omp").masks(0.75)
