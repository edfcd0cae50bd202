"""How the built-in models read: pictures of one size, and texts with a vocabulary of whole words."""

from __future__ import annotations

from transformers import BertTokenizer, BlipProcessor
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from ..data.flatland.words import vocabulary

IMAGE_SIZE, PATCH = 96, 16
IMAGE_MEAN = IMAGE_STD = (0.5, 0.5, 0.5)
TEXT_POSITIONS = 32


def flatland_processor() -> BlipProcessor:
    """Word-level tokenizer and image processor; pictures of any size become 96 x 96 pixels."""
    tokenizer = BertTokenizer(vocab=vocabulary(), model_max_length=TEXT_POSITIONS)
    image_processor = BlipImageProcessorPil(
        size={"height": IMAGE_SIZE, "width": IMAGE_SIZE}, image_mean=list(IMAGE_MEAN), image_std=list(IMAGE_STD)
    )
    return BlipProcessor(image_processor, tokenizer)
