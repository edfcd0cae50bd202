"""Small models of many types with random weights, each with the kind of processor that it is published with.

python -m benchmarks.zoo.published FOLDER [TYPE ...]
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import nn

from multiflow_core.data.flatland.words import vocabulary
from multiflow_core.families.processor import Pair, pictures_only

from ..models import pictures, write_folders

Made = tuple[nn.Module, Any]
KINDS: dict[str, Callable[[], Made]] = {}
SIDE, PATCH = 28, 14
_NARROW = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2)
_SPREAD = dict(initializer_range=0.05)

CHAT = (
    "{% for message in messages %}{{ message['role'] | capitalize }}: "
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "<end>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


def kind(name: str) -> Callable[[Callable[[], Made]], Callable[[], Made]]:
    """Register the builder of a type."""

    def register(builder: Callable[[], Made]) -> Callable[[], Made]:
        KINDS[name] = builder
        return builder

    return register


def build(name: str) -> Made:
    """A model in evaluation mode and its processor."""
    torch.manual_seed(0)
    model, processor = KINDS[name]()
    return model.eval(), processor


def save(name: str, folder: Path) -> Path:
    """The same as a folder of save_pretrained."""
    model, processor = build(name)
    model.save_pretrained(folder)
    if isinstance(processor, Pair) or "video_processor" not in processor.get_attributes():
        processor.save_pretrained(folder)
        return folder
    # by hand what cannot be made here: the half that reads videos needs torchvision
    processor.tokenizer.save_pretrained(folder)
    takes = inspect.signature(type(processor).__init__).parameters
    sizes = {key: value for key, value in vars(processor).items() if key in takes and isinstance(value, int | str)}
    sizes.pop("chat_template")
    kinds = {
        "processor_class": type(processor).__name__,
        "video_processor": {"video_processor_type": "Qwen2VLVideoProcessor"},
    }
    held = sizes | kinds | {"image_processor": processor.image_processor.to_dict()}
    (folder / "processor_config.json").write_text(json.dumps(held))
    (folder / "chat_template.jinja").write_text(processor.chat_template)
    return folder


@cache
def _bytes() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=sorted(alphabet), show_progress=False)
    tokenizer.train_from_iterator([text for _, text in pictures(60)], trainer)
    return tokenizer.to_str()


def words(
    *special: str, named: dict[str, str] | None = None, start: bool = False, end: bool = False, **more: Any
) -> Any:
    """A tokenizer of byte pairs, like most: <pad>, <s>, <end>, and the special tokens of a type."""
    inner = Tokenizer.from_str(_bytes())
    inner.add_special_tokens(
        [AddedToken(t, normalized=False, special=True) for t in ("<pad>", "<s>", "<end>", *special)]
    )
    if end:
        inner.post_processor = processors.TemplateProcessing(
            single="<s> $A <end>", special_tokens=[(token, inner.token_to_id(token)) for token in ("<s>", "<end>")]
        )
    if start:
        inner.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", inner.token_to_id("<s>"))]
        )
    made = dict(pad_token="<pad>", bos_token="<s>", eos_token="<end>", model_max_length=512)
    if named:
        made["extra_special_tokens"] = named
    return hf.PreTrainedTokenizerFast(tokenizer_object=inner, **(made | more))


def bert() -> Any:
    """A tokenizer of whole words between [CLS] and [SEP]."""
    return hf.BertTokenizer(vocab=vocabulary(), model_max_length=128, bos_token="[CLS]", eos_token="[SEP]")


def ids(tokenizer: Any) -> dict[str, int]:
    return dict(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )


def llama(tokenizer: Any, **more: Any) -> dict[str, Any]:
    return (
        _NARROW
        | _SPREAD
        | ids(tokenizer)
        | dict(model_type="llama", num_key_value_heads=1, max_position_embeddings=512)
        | more
    )


def vit(kind: str = "clip_vision_model", **more: Any) -> dict[str, Any]:
    return _NARROW | _SPREAD | dict(model_type=kind, image_size=SIDE, patch_size=PATCH) | more


def images(name: str, **more: Any) -> Any:
    kind = name if name.endswith("Pil") or hasattr(hf, name + "Pil") is False else name + "Pil"
    return getattr(hf, kind)(**more)


def square(side: int = SIDE) -> dict[str, Any]:
    return dict(size={"height": side, "width": side})


def cropped(side: int = SIDE) -> dict[str, Any]:
    return dict(size={"shortest_edge": side}, crop_size={"height": side, "width": side})


def chat(mark: str) -> str:
    return CHAT.replace("IMAGE", mark)


# --- pictures as tokens of a language model -------------------------------------------------------------------------


def _llava(name: str, config: type, model: type, processor: type, pictures: Any, **more: Any) -> None:
    @kind(name)
    def build() -> Made:
        tokenizer = words("<image>", start=True, named={"image_token": "<image>"})
        image = tokenizer.convert_tokens_to_ids("<image>")
        made = config(
            text_config=llama(tokenizer), vision_config=vit(), image_token_index=image, image_token_id=image, **more
        )
        return model(made), processor(
            pictures(),
            tokenizer,
            patch_size=PATCH,
            num_additional_image_tokens=1,
            vision_feature_select_strategy="default",
            chat_template=chat("<image>"),
        )


_llava(
    "llava",
    hf.LlavaConfig,
    hf.LlavaForConditionalGeneration,
    hf.LlavaProcessor,
    lambda: images("CLIPImageProcessor", **cropped()),
)
_llava(
    "vipllava",
    hf.VipLlavaConfig,
    hf.VipLlavaForConditionalGeneration,
    hf.LlavaProcessor,
    lambda: images("CLIPImageProcessor", **cropped()),
    vision_feature_layers=[-1, -2],
)
_llava(
    "llava_next",
    hf.LlavaNextConfig,
    hf.LlavaNextForConditionalGeneration,
    hf.LlavaNextProcessor,
    lambda: images("LlavaNextImageProcessor", **cropped(), image_grid_pinpoints=[[28, 56], [56, 28], [56, 56]]),
    image_grid_pinpoints=[[28, 56], [56, 28], [56, 56]],
)


@kind("paligemma")
def paligemma() -> Made:
    tokenizer = words("<image>", named={"image_token": "<image>"})
    image = tokenizer.convert_tokens_to_ids("<image>")
    text = llama(tokenizer, model_type="gemma", head_dim=16)
    config = hf.PaliGemmaConfig(
        text_config=text,
        vision_config=vit("siglip_vision_model", projection_dim=32),
        image_token_index=image,
        projection_dim=32,
    )
    pictures = images("SiglipImageProcessor", **square())
    pictures.image_seq_length = (SIDE // PATCH) ** 2
    return hf.PaliGemmaForConditionalGeneration(config), hf.PaliGemmaProcessor(pictures, tokenizer)


@kind("gemma3")
def gemma3() -> Made:
    tokenizer = words(
        "<boi>",
        "<eoi>",
        "<img>",
        named={"boi_token": "<boi>", "eoi_token": "<eoi>", "image_token": "<img>"},
        start=True,
    )
    one = tokenizer.convert_tokens_to_ids
    text = llama(tokenizer, model_type="gemma3_text", head_dim=16, sliding_window=64)
    config = hf.Gemma3Config(
        text_config=text,
        vision_config=vit("siglip_vision_model", image_size=56),
        mm_tokens_per_image=4,
        image_token_index=one("<img>"),
        image_token_id=one("<img>"),
        boi_token_index=one("<boi>"),
        eoi_token_index=one("<eoi>"),
    )
    return hf.Gemma3ForConditionalGeneration(config), hf.Gemma3Processor(
        images("Gemma3ImageProcessor", **square(56)), tokenizer, image_seq_length=4, chat_template=chat("<boi>")
    )


def _idefics3(name: str, config: type, model: type, processor: type, reader: str) -> None:
    @kind(name)
    def build() -> Made:
        rows = [f"<row_{i}_col_{j}>" for i in range(1, 7) for j in range(1, 7)]
        tokenizer = words("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *rows)
        image = tokenizer.convert_tokens_to_ids("<image>")
        made = config(
            text_config=llama(tokenizer),
            vision_config=vit("idefics3_vision" if name == "idefics3" else "smolvlm_vision"),
            image_token_id=image,
            scale_factor=2,
            **ids(tokenizer),
        )
        pictures = images(reader, size={"longest_edge": 2 * SIDE}, max_image_size={"longest_edge": SIDE})
        more = dict(video_processor=None) if name == "smolvlm" else {}
        return model(made), _made(
            processor, pictures, tokenizer, image_seq_len=1, chat_template=chat("<image>"), **more
        )


def _made(processor: type, *parts: Any, **more: Any) -> Any:
    """A processor without its video half."""
    return (pictures_only(processor) if "video_processor" in processor.get_attributes() else processor)(*parts, **more)


_idefics3(
    "idefics3", hf.Idefics3Config, hf.Idefics3ForConditionalGeneration, hf.Idefics3Processor, "Idefics3ImageProcessor"
)
_idefics3("smolvlm", hf.SmolVLMConfig, hf.SmolVLMForConditionalGeneration, hf.SmolVLMProcessor, "SmolVLMImageProcessor")


def _qwen(
    name: str, config: type, model: type, processor: type, vision: dict[str, Any], patch: int = 14, **more: Any
) -> None:
    @kind(name)
    def build() -> Made:
        tokenizer = words("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>", "<|vision_pad|>")
        one = tokenizer.convert_tokens_to_ids
        marks = dict(
            image_token_id=one("<|image_pad|>"),
            video_token_id=one("<|video_pad|>"),
            vision_start_token_id=one("<|vision_start|>"),
            vision_end_token_id=one("<|vision_end|>"),
        )
        text = llama(
            tokenizer,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]},
            head_dim=16,
            **more,
        )
        del text["model_type"]
        made = config(text_config=text, vision_config=vision | dict(patch_size=patch), **marks)
        pictures = images(
            "Qwen2VLImageProcessor",
            patch_size=patch,
            size={"shortest_edge": 4 * patch**2, "longest_edge": 16 * patch**2},
        )
        template = chat("<|vision_start|><|image_pad|><|vision_end|>")
        return model(made), _made(processor, pictures, tokenizer, None, chat_template=template)


_V2 = dict(depth=2, embed_dim=32, hidden_size=32, num_heads=2, mlp_ratio=2)
_V25 = dict(
    depth=2,
    hidden_size=32,
    intermediate_size=64,
    num_heads=2,
    out_hidden_size=32,
    window_size=56,
    fullatt_block_indexes=[1],
)
_V3 = dict(
    depth=2,
    hidden_size=32,
    intermediate_size=64,
    num_heads=2,
    out_hidden_size=32,
    num_position_embeddings=16,
    deepstack_visual_indexes=[0],
)
_MOE = dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16, decoder_sparse_step=1)
_qwen("qwen2_vl", hf.Qwen2VLConfig, hf.Qwen2VLForConditionalGeneration, hf.Qwen2VLProcessor, _V2)
_qwen("qwen2_5_vl", hf.Qwen2_5_VLConfig, hf.Qwen2_5_VLForConditionalGeneration, hf.Qwen2_5_VLProcessor, _V25)
_qwen("qwen3_vl", hf.Qwen3VLConfig, hf.Qwen3VLForConditionalGeneration, hf.Qwen3VLProcessor, _V3, 16)
_qwen("qwen3_vl_moe", hf.Qwen3VLMoeConfig, hf.Qwen3VLMoeForConditionalGeneration, hf.Qwen3VLProcessor, _V3, 16, **_MOE)


@kind("internvl")
def internvl() -> Made:
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = words(*named.values(), named=named)
    image = tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>")
    config = hf.InternVLConfig(
        text_config=llama(tokenizer),
        vision_config=vit("internvl_vision", image_size=[56, 56], patch_size=[14, 14]),
        image_token_id=image,
    )
    pictures = images("GotOcr2ImageProcessor", **square(56), crop_to_patches=True, max_patches=2)
    return hf.InternVLForConditionalGeneration(config), _made(
        hf.InternVLProcessor, pictures, tokenizer, None, image_seq_length=4, chat_template=chat("<IMG_CONTEXT>")
    )


# --- other ways into a language model -------------------------------------------------------------------------------


@kind("blip-2")
def blip2() -> Made:
    tokenizer = words("<image>")
    image = tokenizer.convert_tokens_to_ids("<image>")
    text = ids(tokenizer) | dict(
        model_type="opt",
        hidden_size=32,
        num_hidden_layers=2,
        ffn_dim=64,
        num_attention_heads=2,
        word_embed_proj_dim=32,
        max_position_embeddings=512,
        init_std=0.05,
    )
    config = hf.Blip2Config(
        vision_config=_NARROW | dict(image_size=SIDE, patch_size=PATCH),
        text_config=text,
        num_query_tokens=4,
        image_token_index=image,
        qformer_config=_NARROW | dict(encoder_hidden_size=32, vocab_size=len(tokenizer), cross_attention_frequency=1),
    )
    return hf.Blip2ForConditionalGeneration(config), hf.Blip2Processor(
        images("BlipImageProcessor", **square()), tokenizer, num_query_tokens=4
    )


@kind("blip-2-t5")
def blip2_t5() -> Made:
    """With an encoder and a decoder as its language model."""
    tokenizer = words("<image>")
    inner = tokenizer.backend_tokenizer
    inner.post_processor = processors.TemplateProcessing(
        single="$A <end>", special_tokens=[("<end>", inner.token_to_id("<end>"))]
    )
    text = dict(
        model_type="t5", d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu"
    )
    text |= ids(tokenizer) | dict(decoder_start_token_id=tokenizer.pad_token_id)
    config = hf.Blip2Config(
        vision_config=_NARROW | dict(image_size=SIDE, patch_size=PATCH),
        text_config=text,
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        qformer_config=_NARROW | dict(encoder_hidden_size=32, vocab_size=len(tokenizer), cross_attention_frequency=1),
    )
    pictures = images("BlipImageProcessor", **square())
    return hf.Blip2ForConditionalGeneration(config), hf.Blip2Processor(pictures, tokenizer, num_query_tokens=4)


@kind("florence2")
def florence2() -> Made:
    tokenizer = words("<image>", named={"image_token": "<image>"})
    text = ids(tokenizer) | dict(
        model_type="bart",
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        decoder_start_token_id=tokenizer.eos_token_id,
        max_position_embeddings=512,
        init_std=0.05,
        forced_eos_token_id=None,
    )
    vision = dict(
        embed_dim=[16, 16, 16, 32],
        depths=[1, 1, 1, 1],
        num_heads=[2, 2, 2, 2],
        num_groups=[2, 2, 2, 2],
        window_size=2,
        projection_dim=32,
        max_temporal_embeddings=4,
        max_position_embeddings=8,
        patch_size=[7, 3, 3, 3],
        patch_stride=[4, 2, 2, 2],
        patch_padding=[3, 1, 1, 1],
        patch_prenorm=[False, True, True, True],
    )
    image = tokenizer.convert_tokens_to_ids("<image>")
    config = hf.Florence2Config(
        text_config=text, vision_config=vision, image_token_id=image, is_encoder_decoder=True, **ids(tokenizer)
    )
    pictures = images("CLIPImageProcessor", size={"height": 64, "width": 64}, do_center_crop=False)
    pictures.image_seq_length = 5
    return hf.Florence2ForConditionalGeneration(config), hf.Florence2Processor(
        pictures, tokenizer, num_additional_image_tokens=1
    )


@kind("kosmos-2")
def kosmos2() -> Made:
    tokenizer = words(
        "</s>", "<unk>", *(f"<place_{i}>" for i in range(64)), eos_token="</s>", unk_token="<unk>", start=True
    )
    processor = hf.Kosmos2Processor(images("CLIPImageProcessor", **cropped()), tokenizer, num_patch_index_tokens=4)
    text = ids(tokenizer) | dict(
        embed_dim=32, layers=2, ffn_dim=64, attention_heads=2, max_position_embeddings=512, init_std=0.05
    )
    return hf.Kosmos2ForConditionalGeneration(hf.Kosmos2Config(text_config=text, vision_config=vit())), processor


@kind("git")
def git() -> Made:
    tokenizer = bert()
    config = hf.GitConfig(vision_config=vit(), **_NARROW, **_SPREAD, **ids(tokenizer), max_position_embeddings=128)
    return hf.GitForCausalLM(config), hf.GitProcessor(images("CLIPImageProcessor", **cropped()), tokenizer)


@kind("llava_next_video")
def llava_next_video() -> Made:
    tokenizer = words("<image>", "<video>", named={"image_token": "<image>", "video_token": "<video>"})
    one, grid = tokenizer.convert_tokens_to_ids, [[28, 56], [56, 28], [56, 56]]
    config = hf.LlavaNextVideoConfig(
        text_config=llama(tokenizer),
        vision_config=vit(),
        image_grid_pinpoints=grid,
        image_token_index=one("<image>"),
        video_token_index=one("<video>"),
        image_token_id=one("<image>"),
        video_token_id=one("<video>"),
    )
    pictures = images("LlavaNextImageProcessor", **cropped(), image_grid_pinpoints=grid)
    options = dict(
        patch_size=PATCH,
        num_additional_image_tokens=1,
        vision_feature_select_strategy="default",
        chat_template=chat("<image>"),
    )
    return hf.LlavaNextVideoForConditionalGeneration(config), _made(
        hf.LlavaNextVideoProcessor, None, pictures, tokenizer, **options
    )


@kind("llava_onevision")
def llava_onevision() -> Made:
    tokenizer = words("<image>", "<video>", named={"image_token": "<image>", "video_token": "<video>"})
    one, grid = tokenizer.convert_tokens_to_ids, [[28, 56], [56, 28], [56, 56]]
    config = hf.LlavaOnevisionConfig(
        text_config=llama(tokenizer),
        vision_config=vit("siglip_vision_model", vision_use_head=False),
        image_grid_pinpoints=grid,
        image_token_index=one("<image>"),
        video_token_index=one("<video>"),
        image_token_id=one("<image>"),
        video_token_id=one("<video>"),
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        vision_aspect_ratio="anyres_max_9",
    )
    pictures = images("LlavaOnevisionImageProcessor", **square(), image_grid_pinpoints=grid)
    options = dict(num_image_tokens=4, vision_feature_select_strategy="full", chat_template=chat("<image>"))
    return hf.LlavaOnevisionForConditionalGeneration(config), _made(
        hf.LlavaOnevisionProcessor, pictures, tokenizer, None, **options
    )


@kind("video_llava")
def video_llava() -> Made:
    tokenizer = words("<image>", "<video>", named={"image_token": "<image>", "video_token": "<video>"})
    one = tokenizer.convert_tokens_to_ids
    marks = dict(
        image_token_index=one("<image>"),
        video_token_index=one("<video>"),
        image_token_id=one("<image>"),
        video_token_id=one("<video>"),
    )
    config = hf.VideoLlavaConfig(
        text_config=llama(tokenizer), vision_config=vit(), image_seq_length=4, video_seq_length=32, **marks
    )
    pictures = images("VideoLlavaImageProcessor", **cropped())
    return hf.VideoLlavaForConditionalGeneration(config), _made(
        hf.VideoLlavaProcessor, pictures, None, tokenizer, chat_template=chat("<image>")
    )


@kind("aya_vision")
def aya_vision() -> Made:
    marks = (
        "<image>",
        "<|START_OF_IMG|>",
        "<|END_OF_IMG|>",
        "<|IMG_PATCH|>",
        "<|IMG_LINE_BREAK|>",
        "TILE",
        "TILE_GLOBAL",
    )
    tokenizer = words(*marks)
    text = llama(tokenizer, model_type="cohere2", head_dim=16)
    config = hf.AyaVisionConfig(
        text_config=text,
        vision_config=vit("siglip_vision_model", image_size=56, vision_use_head=False),
        image_token_index=tokenizer.convert_tokens_to_ids("<|IMG_PATCH|>"),
        image_token_id=tokenizer.convert_tokens_to_ids("<|IMG_PATCH|>"),
        adapter_layer_norm_eps=1e-6,
    )
    pictures = images("GotOcr2ImageProcessor", **square(56), crop_to_patches=True, max_patches=2)
    return hf.AyaVisionForConditionalGeneration(config), hf.AyaVisionProcessor(
        pictures, tokenizer, patch_size=14, img_size=56, downsample_factor=2, chat_template=chat("<image>")
    )


def _glm(name: str, config: type, model: type, **more: Any) -> None:
    @kind(name)
    def build() -> Made:
        named = [
            "<|image|>",
            "<|video|>",
            "<|begin_of_image|>",
            "<|end_of_image|>",
            "<|begin_of_video|>",
            "<|end_of_video|>",
        ]
        tokenizer = words(*named)
        one = tokenizer.convert_tokens_to_ids
        marks = dict(
            zip(
                (
                    "image_token_id",
                    "video_token_id",
                    "image_start_token_id",
                    "image_end_token_id",
                    "video_start_token_id",
                    "video_end_token_id",
                ),
                one(named),
            )
        )
        rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3], "partial_rotary_factor": 1.0}
        text = llama(tokenizer, rope_parameters=rope, head_dim=16, **more)
        del text["model_type"]
        vision = dict(
            depth=2, hidden_size=32, intermediate_size=64, num_heads=2, out_hidden_size=32, patch_size=14, image_size=56
        )
        made = config(text_config=text, vision_config=vision, **marks)
        pictures = images(
            "Glm4vImageProcessor", patch_size=14, size={"shortest_edge": 8 * 28**2, "longest_edge": 16 * 28**2}
        )
        template = chat("<|begin_of_image|><|image|><|end_of_image|>")
        return model(made), _made(hf.Glm4vProcessor, pictures, tokenizer, None, chat_template=template)


_glm("glm4v", hf.Glm4vConfig, hf.Glm4vForConditionalGeneration)
_glm(
    "glm4v_moe",
    hf.Glm4vMoeConfig,
    hf.Glm4vMoeForConditionalGeneration,
    n_routed_experts=4,
    num_experts_per_tok=2,
    moe_intermediate_size=16,
    n_shared_experts=1,
    first_k_dense_replace=1,
    n_group=1,
    topk_group=1,
)


@kind("idefics2")
def idefics2() -> Made:
    tokenizer = words("<image>", "<fake_token_around_image>", "<end_of_utterance>")
    image = tokenizer.convert_tokens_to_ids("<image>")
    config = hf.Idefics2Config(
        text_config=llama(tokenizer, model_type="mistral"),
        vision_config=_NARROW | _SPREAD | dict(image_size=56, patch_size=14),
        image_token_id=image,
        perceiver_config=dict(
            resampler_n_latents=4,
            resampler_depth=1,
            resampler_n_heads=2,
            resampler_head_dim=16,
            num_key_value_heads=1,
            hidden_size=32,
        ),
    )
    pictures = images(
        "Idefics2ImageProcessor", size={"shortest_edge": 28, "longest_edge": 56}, do_image_splitting=False
    )
    return hf.Idefics2ForConditionalGeneration(config), hf.Idefics2Processor(
        pictures, tokenizer, image_seq_len=4, chat_template=chat("<image>")
    )


@kind("idefics")
def idefics() -> Made:
    tokenizer = words("<image>", "<fake_token_around_image>", unk_token="<pad>")
    config = hf.IdeficsConfig(
        **_NARROW,
        **_SPREAD,
        **ids(tokenizer),
        additional_vocab_size=0,
        cross_layer_interval=1,
        max_position_embeddings=512,
        vision_config=dict(
            embed_dim=32,
            image_size=SIDE,
            patch_size=PATCH,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
        ),
        perceiver_config=dict(use_resampler=False),
        use_resampler=False,
    )
    return hf.IdeficsForVisionText2Text(config), hf.IdeficsProcessor(
        images("IdeficsImageProcessor", image_size=SIDE), tokenizer, image_size=SIDE
    )


@kind("mllama")
def mllama() -> Made:
    tokenizer = words("<|image|>", "<|python_tag|>")
    text = llama(tokenizer, cross_attention_layers=[1], rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
    text["vocab_size"] -= 1  # the picture's own token comes behind the vocabulary
    del text["model_type"]
    tokenizer = words("<|python_tag|>", "<|image|>")
    vision = dict(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_global_layers=1,
        attention_heads=2,
        image_size=SIDE,
        patch_size=PATCH,
        max_num_tiles=2,
        intermediate_layers_indices=[0],
        vision_output_dim=64,
        supported_aspect_ratios=[[1, 1], [1, 2], [2, 1]],
    )
    config = hf.MllamaConfig(
        text_config=text, vision_config=vision, image_token_index=tokenizer.convert_tokens_to_ids("<|image|>")
    )
    pictures = images("MllamaImageProcessor", **square(), max_image_tiles=2)
    return hf.MllamaForConditionalGeneration(config), hf.MllamaProcessor(
        pictures, tokenizer, chat_template=chat("<|image|>")
    )


@kind("instructblip")
def instructblip() -> Made:
    tokenizer = words("<image>")
    text = ids(tokenizer) | dict(
        model_type="opt",
        hidden_size=32,
        num_hidden_layers=2,
        ffn_dim=64,
        num_attention_heads=2,
        word_embed_proj_dim=32,
        max_position_embeddings=512,
        init_std=0.05,
    )
    reader = bert()
    processor = hf.InstructBlipProcessor(
        images("BlipImageProcessor", **square()), tokenizer, reader, num_query_tokens=4
    )
    config = hf.InstructBlipConfig(
        vision_config=_NARROW | dict(image_size=SIDE, patch_size=PATCH),
        text_config=text | dict(vocab_size=len(tokenizer)),
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        qformer_config=_NARROW | dict(encoder_hidden_size=32, vocab_size=len(reader), cross_attention_frequency=1),
    )
    return hf.InstructBlipForConditionalGeneration(config), processor


@kind("got_ocr2")
def got_ocr2() -> Made:
    tokenizer = words("<|im_start|>", "<|im_end|>", "<img>", "</img>", "<imgpad>")
    vision = dict(
        hidden_size=32,
        output_channels=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=256,
        patch_size=4,
        window_size=8,
        mlp_dim=64,
        global_attn_indexes=[],
    )
    config = hf.GotOcr2Config(
        text_config=llama(tokenizer, model_type="qwen2"),
        vision_config=vision,
        image_token_index=tokenizer.convert_tokens_to_ids("<imgpad>"),
        image_token_id=tokenizer.convert_tokens_to_ids("<imgpad>"),
    )
    return hf.GotOcr2ForConditionalGeneration(config), hf.GotOcr2Processor(
        images("GotOcr2ImageProcessor", **square(256)), tokenizer, chat_template=chat("<imgpad>")
    )


@kind("deepseek_vl")
def deepseek_vl() -> Made:
    tokenizer = words("<image_placeholder>", named={"image_token": "<image_placeholder>"})
    image = tokenizer.convert_tokens_to_ids("<image_placeholder>")
    config = hf.DeepseekVLConfig(
        text_config=llama(tokenizer),
        vision_config=vit("siglip_vision_model", vision_use_head=False),
        image_token_id=image,
    )
    pictures = images("DeepseekVLImageProcessor", **square())
    return hf.DeepseekVLForConditionalGeneration(config), hf.DeepseekVLProcessor(
        pictures, tokenizer, num_image_tokens=4, chat_template=chat("<image_placeholder>")
    )


# of what turns pictures into codes of a table
CODES = dict(embed_dim=8, base_channels=32, channel_multiplier=[1, 1], num_res_blocks=1, latent_channels=8)


@kind("janus")
def janus() -> Made:
    named = {"image_token": "<image_placeholder>", "boi_token": "<begin_of_image>", "eoi_token": "<end_of_image>"}
    tokenizer = words(*named.values(), named=named)
    image = tokenizer.convert_tokens_to_ids("<image_placeholder>")
    vq = CODES | dict(num_embeddings=16, z_channels=8, num_patches=2, projection_dim=32, image_token_embed_dim=32)
    vision = dict(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=PATCH,
        mlp_ratio=2,
        projection_dim=32,
        num_image_tokens=4,
    )
    config = hf.JanusConfig(text_config=llama(tokenizer), vision_config=vision, vq_config=vq, image_token_id=image)
    pictures = images("JanusImageProcessor", **square(), min_size=14)
    return hf.JanusForConditionalGeneration(config), hf.JanusProcessor(
        pictures, tokenizer, num_image_tokens=4, chat_template=chat("<image_placeholder>")
    )


@kind("chameleon")
def chameleon() -> Made:
    named = {"image_token": "<image>", "boi_token": "<racm3:break>", "eoi_token": "<eoss>"}
    codes = {f"IMGIMG{letters}Z": i for i, letters in enumerate(("A", "B", "C", "D"))}
    tokenizer = words(*named.values(), *codes, "<reserved08706>", named=named, sep_token="<reserved08706>")
    table = tokenizer.get_vocab()
    vq = CODES | dict(num_embeddings=4, resolution=32, in_channels=3, out_ch=3, attn_resolutions=None)
    text = llama(tokenizer)
    del text["model_type"]
    config = hf.ChameleonConfig(**text, vq_config=vq, vocabulary_map=table)
    pictures = images("ChameleonImageProcessor", size={"shortest_edge": 8}, crop_size={"height": 8, "width": 8})
    return hf.ChameleonForConditionalGeneration(config), hf.ChameleonProcessor(pictures, tokenizer, image_seq_length=16)


@kind("aria")
def aria() -> Made:
    tokenizer = words("<image>", named={"image_token": "<image>"})
    image = tokenizer.convert_tokens_to_ids("<image>")
    text = llama(
        tokenizer, model_type="aria_text", moe_num_experts=4, moe_topk=2, moe_num_shared_experts=1, head_dim=16
    )
    vision = vit("idefics3_vision", image_size=980, patch_size=70)
    config = hf.AriaConfig(
        text_config=text,
        vision_config=vision,
        image_token_index=image,
        image_token_id=image,
        projector_patch_to_query_dict={196: 4},
    )
    pictures = images("AriaImageProcessor", max_image_size=980, min_image_size=336)
    return hf.AriaForConditionalGeneration(config), hf.AriaProcessor(
        pictures, tokenizer, size_conversion={980: 4}, chat_template=chat("<image>")
    )


@kind("ovis2")
def ovis2() -> Made:
    tokenizer = words("<image>", "<IMG_START>", "<IMG_ATOM>", "<IMG_GRID>", "<IMG_ROW>", "<IMG_COL>", "<IMG_END>")
    one = tokenizer.convert_tokens_to_ids
    vision = _NARROW | dict(
        image_size=SIDE, patch_size=PATCH, vocab_size=16, num_visual_indicator_tokens=5, hidden_stride=1
    )
    config = hf.Ovis2Config(
        text_config=llama(tokenizer, model_type="qwen2"),
        vision_config=vision,
        image_token_id=one("<IMG_ATOM>"),
        hidden_size=32,
        vocab_size=len(tokenizer),
        visual_indicator_token_ids=one(["<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>"]),
    )
    pictures = images("Ovis2ImageProcessor", **square(), crop_to_patches=False)
    return hf.Ovis2ForConditionalGeneration(config), hf.Ovis2Processor(
        pictures, tokenizer, image_seq_length=4, chat_template=chat("<image>")
    )


@kind("fuyu")
def fuyu() -> Made:
    tokenizer = words("|SPEAKER|", "|NEWLINE|", "<0x04>", "<0x00>", "<0x01>", "<0x02>", "<0x03>")
    text = llama(tokenizer)
    del text["model_type"]
    config = hf.FuyuConfig(
        **text,
        image_size=56,
        patch_size=14,
        text_config=text | dict(model_type="persimmon"),
        image_token_id=tokenizer.convert_tokens_to_ids("|SPEAKER|"),
    )
    pictures = images("FuyuImageProcessor", size={"height": 56, "width": 56}, patch_size={"height": 14, "width": 14})
    return hf.FuyuForCausalLM(config), hf.FuyuProcessor(pictures, tokenizer)


@kind("pix2struct")
def pix2struct() -> Made:
    tokenizer = words()
    text = ids(tokenizer) | dict(
        hidden_size=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, decoder_start_token_id=tokenizer.pad_token_id
    )
    vision = dict(
        hidden_size=32,
        patch_embed_hidden_size=768,
        d_ff=64,
        d_kv=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        seq_len=4096,
    )
    config = hf.Pix2StructConfig(text_config=text, vision_config=vision)
    return hf.Pix2StructForConditionalGeneration(config), hf.Pix2StructProcessor(
        images("Pix2StructImageProcessor", max_patches=16, is_vqa=False), tokenizer
    )


@kind("vision-encoder-decoder")
def encoder_decoder() -> Made:
    tokenizer = words()
    text = hf.GPT2Config(
        **ids(tokenizer),
        n_embd=32,
        n_layer=2,
        n_head=2,
        n_positions=128,
        initializer_range=0.05,
        add_cross_attention=True,
    )
    vision = hf.ViTConfig(**_NARROW, **_SPREAD, image_size=SIDE, patch_size=PATCH)
    config = hf.VisionEncoderDecoderConfig.from_encoder_decoder_configs(vision, text)
    config.decoder_start_token_id, config.pad_token_id = tokenizer.bos_token_id, tokenizer.pad_token_id
    return hf.VisionEncoderDecoderModel(config), Pair(images("ViTImageProcessor", **square()), tokenizer)


# --- two towers -----------------------------------------------------------------------------------------------------


@kind("altclip")
def altclip() -> Made:
    tokenizer = words()
    text = _NARROW | _SPREAD | ids(tokenizer) | dict(pad_token_id=1, project_dim=32, max_position_embeddings=130)
    config = hf.AltCLIPConfig(text_config=text, vision_config=vit(), projection_dim=16)
    return hf.AltCLIPModel(config), hf.AltCLIPProcessor(images("CLIPImageProcessor", **cropped()), tokenizer)


@kind("chinese_clip")
def chinese_clip() -> Made:
    tokenizer = bert()
    config = hf.ChineseCLIPConfig(
        text_config=_NARROW | _SPREAD | ids(tokenizer) | dict(max_position_embeddings=128),
        vision_config=vit(),
        projection_dim=16,
    )
    return hf.ChineseCLIPModel(config), hf.ChineseCLIPProcessor(
        images("ChineseCLIPImageProcessor", **cropped()), tokenizer
    )


@kind("align")
def align() -> Made:
    tokenizer = bert()
    vision = dict(
        image_size=64,
        hidden_dim=32,
        width_coefficient=1.0,
        depth_coefficient=1.0,
        in_channels=[32, 8],
        out_channels=[8, 32],
        kernel_sizes=[3, 3],
        strides=[1, 2],
        num_block_repeats=[1, 1],
        expand_ratios=[1, 2],
        depthwise_padding=[],
    )
    config = hf.AlignConfig(
        text_config=_NARROW | _SPREAD | ids(tokenizer) | dict(max_position_embeddings=128),
        vision_config=vision,
        projection_dim=32,
    )
    return hf.AlignModel(config), hf.AlignProcessor(images("EfficientNetImageProcessor", **square(64)), tokenizer)


def _clip_like(
    name: str,
    config: type,
    model: type,
    processor: type,
    reader: Any,
    text: dict[str, Any] | None = None,
    vision: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    @kind(name)
    def build() -> Made:
        tokenizer = words(end=True)
        sides = dict(text_config=_NARROW | _SPREAD | ids(tokenizer) | dict(max_position_embeddings=64) | (text or {}))
        sides["vision_config"] = _NARROW | _SPREAD | dict(image_size=SIDE, patch_size=PATCH) | (vision or {})
        tokenizer.model_max_length = 64
        return model(config(**sides, projection_dim=16, **more)), processor(reader(), tokenizer)


def _cropped() -> Any:
    return images("CLIPImageProcessor", **cropped())


_clip_like("metaclip_2", hf.MetaClip2Config, hf.MetaClip2Model, hf.CLIPProcessor, _cropped)
_clip_like("aimv2", hf.Aimv2Config, hf.Aimv2Model, hf.CLIPProcessor, _cropped)
_clip_like(
    "groupvit",
    hf.GroupViTConfig,
    hf.GroupViTModel,
    hf.CLIPProcessor,
    _cropped,
    vision=dict(depths=[1, 1], num_group_tokens=[4, 0], num_output_groups=[2, 1], num_hidden_layers=2),
    projection_intermediate_dim=32,
)
_clip_like(
    "clipseg", hf.CLIPSegConfig, hf.CLIPSegModel, hf.CLIPSegProcessor, lambda: images("ViTImageProcessor", **square())
)
_clip_like(
    "owlvit",
    hf.OwlViTConfig,
    hf.OwlViTModel,
    hf.OwlViTProcessor,
    lambda: images("OwlViTImageProcessor", **square(), do_center_crop=False),
)
_clip_like("owlv2", hf.Owlv2Config, hf.Owlv2Model, hf.Owlv2Processor, lambda: images("Owlv2ImageProcessor", **square()))
_clip_like(
    "blip",
    hf.BlipConfig,
    hf.BlipModel,
    hf.BlipProcessor,
    lambda: images("BlipImageProcessor", **square()),
    text=dict(encoder_hidden_size=32),
    image_text_hidden_size=16,
)


@kind("vision-text-dual-encoder")
def dual_encoder() -> Made:
    tokenizer = bert()
    text = hf.BertConfig(**_NARROW, **_SPREAD, vocab_size=len(tokenizer), pad_token_id=0, max_position_embeddings=128)
    vision = hf.ViTConfig(**_NARROW, **_SPREAD, image_size=SIDE, patch_size=PATCH)
    config = hf.VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=16)
    return hf.VisionTextDualEncoderModel(config), hf.VisionTextDualEncoderProcessor(
        images("ViTImageProcessor", **square()), tokenizer
    )


@kind("flava")
def flava() -> Made:
    tokenizer = bert()
    config = hf.FlavaConfig(
        text_config=_NARROW | dict(vocab_size=len(tokenizer), pad_token_id=0, max_position_embeddings=128),
        image_config=_NARROW | dict(image_size=SIDE, patch_size=PATCH),
        multimodal_config=_NARROW,
        image_codebook_config=dict(num_blocks_per_group=1, hidden_size=8, vocab_size=16),
        hidden_size=32,
        projection_dim=16,
    )
    pictures = images(
        "FlavaImageProcessor", size={"height": SIDE, "width": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    return hf.FlavaModel(config), hf.FlavaProcessor(pictures, tokenizer)


if __name__ == "__main__":
    write_folders("benchmarks.zoo.published", __doc__, KINDS, save)
