"""Models of ours under the names that their authors use, and everything that people's files have around them."""

import re

import torch
import transformers

from benchmarks.models import clip_tokens
from multiflow_core.data.flatland.words import vocabulary
from multiflow_core.families.blip_parts import BlipParts
from multiflow_core.families.xvlm_model import XvlmConfig, XvlmModel

WIDE = dict(hidden_size=64, num_hidden_layers=2, intermediate_size=128)  # one head of 64
BLIP_KINDS = {
    "retrieval": transformers.BlipForImageTextRetrieval,
    "captioning": transformers.BlipForConditionalGeneration,
    "vqa": transformers.BlipForQuestionAnswering,
    "pre-trained": BlipParts,
}


def words():
    """Flatland's vocabulary with BLIP's two at the end."""
    known = [word for word in vocabulary() if word not in ("[DEC]", "[ENC]")]
    return [*known, "[DEC]", "[ENC]"]


def blip(kind):
    torch.manual_seed(0)
    known = words()
    width = 64 if kind in ("vqa", "pre-trained") else 128  # where answers are given, both towers are of one width
    text = WIDE | dict(
        num_attention_heads=1, encoder_hidden_size=width, vocab_size=len(known), max_position_embeddings=40
    )
    text |= dict(bos_token_id=len(known) - 2, sep_token_id=known.index("[SEP]"), eos_token_id=known.index("[SEP]"))
    vision = WIDE | dict(
        hidden_size=width, num_attention_heads=width // 64, image_size=48, patch_size=16, layer_norm_eps=1e-6
    )
    config = transformers.BlipConfig(
        text_config=text, vision_config=vision | dict(initializer_range=0.05), image_text_hidden_size=24
    )
    return BLIP_KINDS[kind](config).eval()


def as_salesforce(name):
    name = name.replace("vision_model.embeddings.class_embedding", "visual_encoder.cls_token")
    name = name.replace("vision_model.embeddings.position_embedding", "visual_encoder.pos_embed")
    name = name.replace("vision_model.embeddings.patch_embedding", "visual_encoder.patch_embed.proj")
    name = name.replace("vision_model.post_layernorm", "visual_encoder.norm")
    if name.startswith("vision_model.encoder.layers."):
        name = name.replace("vision_model.encoder.layers.", "visual_encoder.blocks.").replace("layer_norm", "norm")
        name = name.replace("self_attn.projection", "attn.proj").replace("self_attn", "attn")
    return name


def salesforce(model):
    """The state dict as Salesforce saves it, with what training leaves there."""
    tensors = {as_salesforce(name): tensor.clone() for name, tensor in model.state_dict().items()}
    tensors["text_encoder.embeddings.position_ids"] = torch.arange(40)[None]
    if "itm_head.weight" in tensors:
        slow = ("visual_encoder", "text_encoder", "vision_proj", "text_proj")
        parts = [name for name in tensors if name.split(".")[0] in slow]
        tensors |= {re.sub(r"^(\w+)\.", r"\1_m.", name): tensors[name].clone() for name in parts}
        tensors |= {"image_queue": torch.ones(24, 10), "text_queue": torch.ones(24, 10), "temp": torch.tensor(0.07)}
        tensors |= {"ptr_queue": torch.zeros(1, dtype=torch.long), "idx_queue": torch.zeros(1, 10)}
    return tensors


def clip():
    torch.manual_seed(0)
    sizes = dict(num_hidden_layers=2, intermediate_size=128, initializer_range=0.05, hidden_act="gelu")
    known = len(clip_tokens()[0])
    text = sizes | dict(hidden_size=64, num_attention_heads=1, vocab_size=known, max_position_embeddings=32)
    text |= dict(bos_token_id=known - 2, eos_token_id=known - 1)
    vision = sizes | dict(hidden_size=128, num_attention_heads=2, image_size=48, patch_size=16)
    return transformers.CLIPModel(
        transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)
    ).eval()


def open_clip(model, text="", layers=(2, 2)):
    """The state dict as OpenCLIP saves it; `text` before the names of the text tower, as in its newer classes."""
    held, found = dict(model.state_dict()), {}
    for side, tower, many in zip(("vision_model.", "text_model."), ("visual.", text), layers):
        for n in range(many):
            ours, theirs = f"{side}encoder.layers.{n}.", f"{tower}transformer.resblocks.{n}."
            for kind in ("weight", "bias"):
                parts = [held.pop(f"{ours}self_attn.{letter}_proj.{kind}") for letter in "qkv"]
                found[f"{theirs}attn.in_proj_{kind}"] = torch.cat(parts)
                names = {"self_attn.out_proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
                for old, new in (names | {"layer_norm1": "ln_1", "layer_norm2": "ln_2"}).items():
                    found[f"{theirs}{new}.{kind}"] = held.pop(f"{ours}{old}.{kind}")
    others = {
        "vision_model.embeddings.class_embedding": "visual.class_embedding",
        "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
        "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
        "text_model.embeddings.token_embedding.weight": f"{text}token_embedding.weight",
        "text_model.embeddings.position_embedding.weight": f"{text}positional_embedding",
        "logit_scale": "logit_scale",
    }
    for kind in ("weight", "bias"):
        others |= {f"vision_model.pre_layrnorm.{kind}": f"visual.ln_pre.{kind}"}
        others |= {f"vision_model.post_layernorm.{kind}": f"visual.ln_post.{kind}"}
        others |= {f"text_model.final_layer_norm.{kind}": f"{text}ln_final.{kind}"}
    found |= {new: held.pop(old) for old, new in others.items()}
    found["visual.proj"] = held.pop("visual_projection.weight").T.contiguous()
    found[f"{text}text_projection"] = held.pop("text_projection.weight").T.contiguous()
    found[f"{text}attn_mask"] = torch.full((32, 32), float("-inf")).triu(1)
    assert not [name for name in held if not name.endswith("position_ids")]
    return {name: tensor.clone() for name, tensor in found.items()}


def xvlm():
    torch.manual_seed(0)
    text = WIDE | dict(num_attention_heads=1, vocab_size=len(words()), max_position_embeddings=32)
    vision = WIDE | dict(num_attention_heads=1, image_size=32, patch_size=16)
    return XvlmModel(XvlmConfig(text_config=text, vision_config=vision, fusion_layers=2, projection_dim=16)).eval()


def as_xvlm(name, bert="bert."):
    name = re.sub(r"^vision_encoder\.embeddings\.position_embedding", "vision_encoder.pos_embed", name)
    name = re.sub(r"^vision_encoder\.embeddings\.patch_embedding", "vision_encoder.patch_embed", name)
    name = name.replace("vision_encoder.embeddings.class", "vision_encoder.class")
    name = name.replace("text_encoder.", f"text_encoder.{bert}").replace("mlm_head.", "text_encoder.cls.")
    deeper = re.match(r"fusion_encoder\.layer\.(\d+)\.(.*)", name)
    return f"text_encoder.{bert}encoder.layer.{int(deeper[1]) + 2}.{deeper[2]}" if deeper else name


def xvlm_of_authors(model, bert="bert."):
    return {as_xvlm(name, bert): tensor.clone() for name, tensor in model.state_dict().items()}
