"""The types of the zoo: what their pictures look like, and which fields of a configuration need more than to be small."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import transformers
from torch import nn

from . import batches as b
from .shrink import SIDE, WIDTH, WORDS, shrunk, shrunk_fields


class Kind(NamedTuple):
    """A type of model: how its pictures are made, and what is changed in its small configuration."""

    pictures: b.Pictures = b.plain
    changes: Mapping[str, Any] = {}


_PLACE = {"image_token_id": WORDS - 1}
_ROTARY = {"rope_type": "default", "rope_theta": 10000.0}
_SECTIONS = {"text_config.rope_parameters": {**_ROTARY, "mrope_section": [2, 3, 3]}}
_IMAGE_WORDS = {"<image>": WORDS - 1, "IMGIMGAZ": 80, "IMGIMGBZ": 81}  # as many as the codebook is small
_SMALL_STAGES = {
    "vision_config.depths": [1] * 4,
    "vision_config.embed_dim": [8, 16, 16, WIDTH],
    "vision_config.num_heads": [2] * 4,
    "vision_config.num_groups": [2] * 4,
    "vision_config.projection_dim": WIDTH,
}
_KOSMOS = {"latent_query_num": 4, "text_config.layers": 2}
_WIDER = {f"{part}hidden_size": 128 for part in ("", "text_config.", "vision_config.")}  # a head has 64
# the usual captioner of this class, instead of BERT
_GPT2 = {
    "decoder": shrunk_fields(transformers.GPT2Config(is_decoder=True, add_cross_attention=True).to_dict()),
    "decoder_start_token_id": 2,
    "eos_token_id": 3,
    "pad_token_id": 1,
}
_DETECTING = {"projection_dim": WIDTH}
_TWO = {"image_grid_pinpoints": [[SIDE, SIDE]]}  # a picture as a whole, and once more as its only tile

GENERATING = {
    "AriaForConditionalGeneration": Kind(b.plain, {"projector_patch_to_query_dict": {16: 4}}),
    "AyaVisionForConditionalGeneration": Kind(),
    "Blip2ForConditionalGeneration": Kind(b.plain, _PLACE),
    "BlipForConditionalGeneration": Kind(),
    "BlipForQuestionAnswering": Kind(),
    "ChameleonForConditionalGeneration": Kind(b.plain, {"vocabulary_map": _IMAGE_WORDS, "image_token_id": WORDS - 1}),
    "Cohere2VisionForConditionalGeneration": Kind(),
    "DeepseekVLForConditionalGeneration": Kind(),
    "DeepseekVLHybridForConditionalGeneration": Kind(b.both, {"high_res_vision_config.global_attn_indexes": [0, 1]}),
    "Florence2ForConditionalGeneration": Kind(b.plain, _SMALL_STAGES),
    "FuyuForCausalLM": Kind(b.patches),
    "Gemma3ForConditionalGeneration": Kind(b.plain, {"mm_tokens_per_image": 4}),
    "GitForCausalLM": Kind(),
    "Glm4vForConditionalGeneration": Kind(b.packed, _SECTIONS),
    "Glm4vMoeForConditionalGeneration": Kind(
        b.packed, {"text_config.rope_parameters": {**_ROTARY, "mrope_section": [1, 1, 2]}}
    ),
    "GotOcr2ForConditionalGeneration": Kind(),
    "Idefics2ForConditionalGeneration": Kind(b.framed(1)),
    "Idefics3ForConditionalGeneration": Kind(b.framed(1)),
    "IdeficsForVisionText2Text": Kind(b.attended),
    "InstructBlipForConditionalGeneration": Kind(b.queried(), _PLACE),
    "InstructBlipVideoForConditionalGeneration": Kind(b.queried(2), {"video_token_id": WORDS - 1}),
    "InternVLForConditionalGeneration": Kind(),
    "JanusForConditionalGeneration": Kind(
        b.plain, {"vision_config.projection_dim": WIDTH, "vq_config.projection_dim": WIDTH}
    ),
    "Kosmos2ForConditionalGeneration": Kind(b.kosmos, _KOSMOS),
    "Kosmos2_5ForConditionalGeneration": Kind(b.kosmos25, _KOSMOS),
    "Lfm2VlForConditionalGeneration": Kind(b.shaped),
    "Llama4ForConditionalGeneration": Kind(
        b.plain,
        {f"vision_config.{field}_dim": WIDTH for field in ("vision_output", "projector_input", "projector_output")}
        | {"vision_config.intermediate_size": 4 * WIDTH, "text_config.intermediate_size_mlp": WIDTH},
    ),
    "LlavaForConditionalGeneration": Kind(),
    "LlavaNextForConditionalGeneration": Kind(b.tiled, _TWO),
    "LlavaNextVideoForConditionalGeneration": Kind(b.tiled, _TWO),
    "LlavaOnevisionForConditionalGeneration": Kind(b.tiled, _TWO),
    "Mistral3ForConditionalGeneration": Kind(b.sized),
    "MllamaForConditionalGeneration": Kind(
        b.crossed,
        {
            "vision_config.intermediate_layers_indices": [0],
            "vision_config.num_global_layers": 1,
            "vision_config.vision_output_dim": 2 * WIDTH,
            "text_config.cross_attention_layers": [1],
        },
    ),
    "Ovis2ForConditionalGeneration": Kind(),
    "PaliGemmaForConditionalGeneration": Kind(
        b.plain, {"projection_dim": WIDTH, "vision_config.projection_dim": WIDTH}
    ),
    "Phi4MultimodalForCausalLM": Kind(b.cropped, {"vision_config.crop_size": SIDE}),
    "Pix2StructForConditionalGeneration": Kind(b.numbered),
    "Qwen2VLForConditionalGeneration": Kind(b.packed, _SECTIONS | {"vision_config.hidden_size": WIDTH}),
    "Qwen2_5_VLForConditionalGeneration": Kind(b.packed, _SECTIONS | {"vision_config.out_hidden_size": WIDTH}),
    "Qwen3VLForConditionalGeneration": Kind(b.packed),
    "Qwen3VLMoeForConditionalGeneration": Kind(b.packed),
    "SmolVLMForConditionalGeneration": Kind(b.framed(1)),
    "VideoLlavaForConditionalGeneration": Kind(b.under("pixel_values_images")),
    "VipLlavaForConditionalGeneration": Kind(b.plain, {"vision_feature_layers": [-2, -1]}),
    "VisionEncoderDecoderModel": Kind(b.plain, _GPT2),
}
TWO_TOWERS = {
    "Aimv2Model": Kind(),
    "AlignModel": Kind(
        b.plain,
        {f"vision_config.{side}_coefficient": 0.1 for side in ("width", "depth")} | {"projection_dim": WIDTH},
    ),
    "AltCLIPModel": Kind(),
    "Blip2ForImageTextRetrieval": Kind(b.plain, {"qformer_config.use_qformer_text_input": True}),
    "BlipForImageTextRetrieval": Kind(),
    "BlipModel": Kind(),
    "BridgeTowerForContrastiveLearning": Kind(
        b.plain, _WIDER | {"contrastive_hidden_size": 16, "logit_scale_init_value": 2.6}
    ),
    "CLIPModel": Kind(),
    "CLIPSegModel": Kind(),
    "ChineseCLIPModel": Kind(),
    "FlavaModel": Kind(),
    "GroupViTModel": Kind(b.plain, {"vision_config.depths": [1, 1, 1]}),
    "MetaClip2Model": Kind(),
    "OwlViTModel": Kind(),
    "Owlv2Model": Kind(),
    "Siglip2Model": Kind(b.shaped),
    "SiglipModel": Kind(),
    "VisionTextDualEncoderModel": Kind(),
    "XCLIPModel": Kind(b.framed(2), {"projection_dim": WIDTH, "vision_config.mit_hidden_size": WIDTH}),
}
OTHER_HEADS = {
    "Blip2Model": Kind(b.plain, _PLACE),
    "BridgeTowerForImageAndTextRetrieval": Kind(b.plain, _WIDER),
    "CLIPForImageClassification": Kind(),
    "CLIPSegForImageSegmentation": Kind(b.plain, {"extract_layers": [0, 1]}),
    "CLIPTextModelWithProjection": Kind(b.nothing),
    "CLIPVisionModel": Kind(),
    "FlavaForPreTraining": Kind(b.coded),
    "LxmertForPreTraining": Kind(b.regions),
    "LxmertForQuestionAnswering": Kind(b.regions),
    "OwlViTForObjectDetection": Kind(b.plain, _DETECTING),
    "Owlv2ForObjectDetection": Kind(b.plain, _DETECTING),
    "SiglipVisionModel": Kind(),
    "ViltForImageAndTextRetrieval": Kind(),
    "ViltForQuestionAnswering": Kind(),
    "VisualBertForPreTraining": Kind(b.embedded),
    "VisualBertForQuestionAnswering": Kind(b.embedded),
}
TYPES: Mapping[str, Kind] = GENERATING | TWO_TOWERS | OTHER_HEADS


def build(name: str, seed: int = 0) -> nn.Module:
    """A tiny model of a type with random weights, always the same for a seed.

    >>> model = build("CLIPModel")
    >>> model.config.vision_config.hidden_size == WIDTH, sum(p.numel() for p in model.parameters()) < 100_000
    (True, True)
    """
    transformers.logging.set_verbosity_error()  # of ids that a small vocabulary lacks
    torch.manual_seed(seed)
    kind = getattr(transformers, name)
    config = shrunk(kind.config_class, TYPES[name].changes)
    config._attn_implementation = "eager"  # other ways to attend return no attentions
    return kind(config).eval()
