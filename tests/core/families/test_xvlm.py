"""X-VLM: masks of padding, folders, training, and the authors' checkpoints, against a forward pass written out here."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import multiflow_core as mf
from benchmarks.models import build, pictures
from multiflow_core.data.flatland.words import vocabulary
from multiflow_core.families import family_of
from multiflow_core.families.xvlm_convert import convert, converted, interpolated, read_checkpoint
from multiflow_core.families.xvlm_model import XvlmConfig, XvlmModel
from multiflow_core.pretrain.models.flatland_xvlm import FLATLAND_XVLM

WIDTH, HEADS, LAYERS, FUSION_FROM, PATCH, SIDE, WORDS = 128, 2, 4, 2, 16, 3, 40  # head width 64, as published


@pytest.fixture
def model():
    return build("xvlm-base", small=True)[0]


def inputs(pairs=3, length=7, side=32):
    mask = torch.ones(pairs, length, dtype=torch.long)
    mask[0, 4:] = 0
    return torch.randn(pairs, 3, side, side), torch.randint(7, 40, (pairs, length)), mask


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_padding_changes_nothing(model, attention):
    model.set_attn_implementation(attention)
    pixels, ids, mask = inputs()
    whole = model(pixels, ids, mask)
    other = model(pixels, ids.masked_fill(mask == 0, 9), mask)
    alone = model(pixels[:1], ids[:1, :4])
    for a, b, c in zip(whole.to_tuple(), other.to_tuple(), alone.to_tuple(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
        assert torch.allclose(a[:1], c, atol=1e-5)


def test_attention_is_not_causal_and_both_kinds_agree(model):
    pixels, ids, mask = inputs()
    sdpa = model(pixels, ids, mask)
    model.set_attn_implementation("eager")
    eager = model(pixels, ids, mask)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(sdpa.to_tuple(), eager.to_tuple()))
    for states in (model.text_states, lambda i, m: model.fuse(model.text_states(i, m), m, model.image_states(pixels))):
        changed = ids.clone()
        changed[1, -1] = 8  # the last word reaches the first state
        assert not torch.allclose(states(ids, mask)[1, 0], states(changed, mask)[1, 0], atol=1e-4)


def test_the_head_for_masked_words_is_tied(model, tmp_path):
    words = model.text_encoder.embeddings.word_embeddings.weight
    assert model.mlm_head.predictions.decoder.weight is words
    nn.init.constant_(model.temp, 0.3)
    model.save_pretrained(tmp_path)
    again, info = XvlmModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert again.mlm_head.predictions.decoder.weight is again.text_encoder.embeddings.word_embeddings.weight
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))


def test_an_image_encoder_of_another_width():
    text = dict(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, vocab_size=50)
    vision = dict(hidden_size=48, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, image_size=32)
    model = XvlmModel(XvlmConfig(text_config=text, vision_config=vision, fusion_layers=1)).eval()
    assert model.fusion_encoder.layer[0].crossattention.self.key.weight.shape == (32, 48)
    assert model(*inputs()).itm_score.shape == (3, 2)


def test_it_learns_four_pairs_by_heart(model):
    torch.manual_seed(0)
    model.train()
    pixels, ids, mask = torch.randn(4, 3, 32, 32), torch.randint(7, 90, (4, 6)), torch.ones(4, 6, dtype=torch.long)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(50):
        loss = family_of(model).objective(model, dict(pixel_values=pixels, input_ids=ids, attention_mask=mask))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    found = model.embed_images(model.image_states(pixels)) @ model.embed_texts(model.text_states(ids, mask)).T
    assert found.argmax(1).tolist() == [0, 1, 2, 3]


def test_the_built_in_one_is_small_and_loads_as_any_folder(tmp_path):
    torch.manual_seed(0)
    model = XvlmModel(FLATLAND_XVLM.config())
    weights = [model.vision_encoder.encoder, model.text_encoder.encoder, model.fusion_encoder]
    spread = torch.cat([p.flatten() for part in weights for p in part.parameters() if p.ndim > 1]).std()
    assert float(spread.detach()) == pytest.approx(0.02, rel=0.02)
    FLATLAND_XVLM.save(model, tmp_path)
    assert (tmp_path / "model.safetensors").stat().st_size <= 30e6
    vlm = mf.load(tmp_path)
    assert {layer.modality for layer in vlm.layers} == {"vision", "text", "fusion"}
    images, texts = zip(*pictures(2))
    assert vlm.embed_images(images).shape == vlm.embed_texts(texts).shape == (2, 128)
    assert vlm.unknown_words("a red giraffe") == ["giraffe"]


# --- the authors' checkpoints ---------------------------------------------------------------------------------------


def published(bert="bert.") -> dict[str, torch.Tensor]:
    """A state dict with the keys and shapes that the authors' code saves (CLIP-ViT vision encoder), random."""
    torch.manual_seed(0)
    shapes = {
        "vision_encoder.class_embedding": (WIDTH,),
        "vision_encoder.patch_embed.weight": (WIDTH, 3, PATCH, PATCH),
        "vision_encoder.pos_embed.weight": (SIDE**2 + 1, WIDTH),
        f"text_encoder.{bert}embeddings.word_embeddings.weight": (WORDS, WIDTH),
        f"text_encoder.{bert}embeddings.position_embeddings.weight": (16, WIDTH),
        f"text_encoder.{bert}embeddings.token_type_embeddings.weight": (2, WIDTH),
        "temp": (),
    }

    def linear(name, out, width):
        shapes.update({f"{name}.weight": (out, width), f"{name}.bias": (out,)})

    def norm(name, width=WIDTH):
        shapes.update({f"{name}.weight": (width,), f"{name}.bias": (width,)})

    norm("vision_encoder.pre_layrnorm")
    norm("vision_encoder.post_layernorm")
    norm(f"text_encoder.{bert}embeddings.LayerNorm")
    for n in range(LAYERS):
        block = f"vision_encoder.encoder.layers.{n}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            linear(f"{block}.self_attn.{part}", WIDTH, WIDTH)
        linear(f"{block}.mlp.fc1", 2 * WIDTH, WIDTH)
        linear(f"{block}.mlp.fc2", WIDTH, 2 * WIDTH)
        norm(f"{block}.layer_norm1")
        norm(f"{block}.layer_norm2")
        block = f"text_encoder.{bert}encoder.layer.{n}"
        for attention in ("attention", "crossattention")[: 1 + (n >= FUSION_FROM)]:
            for part in ("query", "key", "value"):
                linear(f"{block}.{attention}.self.{part}", WIDTH, WIDTH)
            linear(f"{block}.{attention}.output.dense", WIDTH, WIDTH)
            norm(f"{block}.{attention}.output.LayerNorm")
        linear(f"{block}.intermediate.dense", 2 * WIDTH, WIDTH)
        linear(f"{block}.output.dense", WIDTH, 2 * WIDTH)
        norm(f"{block}.output.LayerNorm")
    linear("vision_proj", 24, WIDTH)
    linear("text_proj", 24, WIDTH)
    for head, out in (("itm_head", 2), ("bbox_head", 4))[: 2 if bert else 1]:
        linear(f"{head}.0", 2 * WIDTH, WIDTH)
        norm(f"{head}.1", 2 * WIDTH)
        linear(f"{head}.3", out, 2 * WIDTH)
    if bert:
        linear("text_encoder.cls.predictions.transform.dense", WIDTH, WIDTH)
        norm("text_encoder.cls.predictions.transform.LayerNorm")
        linear("text_encoder.cls.predictions.decoder", WORDS, WIDTH)
        shapes["text_encoder.cls.predictions.bias"] = (WORDS,)
    tensors = {name: torch.randn(shape) * 0.1 for name, shape in shapes.items()}
    if bert:
        words = tensors["text_encoder.bert.embeddings.word_embeddings.weight"]
        tensors["text_encoder.cls.predictions.decoder.weight"] = words
        tensors["text_encoder.cls.predictions.decoder.bias"] = tensors["text_encoder.cls.predictions.bias"]
    tensors["vision_encoder.position_ids"] = torch.arange(SIDE**2 + 1)[None]
    tensors[f"text_encoder.{bert}embeddings.position_ids"] = torch.arange(16)[None]
    return tensors


class Plain:
    """The paper's forward pass, straight from a published state dict."""

    def __init__(self, tensors, bert="bert."):
        self.t, self.bert = tensors, f"text_encoder.{bert}"

    def linear(self, name, x):
        return F.linear(x, self.t[f"{name}.weight"], self.t[f"{name}.bias"])

    def norm(self, name, x, eps):
        return F.layer_norm(x, x.shape[-1:], self.t[f"{name}.weight"], self.t[f"{name}.bias"], eps)

    def attend(self, q, k, v, keep=None):
        q, k, v = (x.unflatten(-1, (HEADS, -1)).transpose(1, 2) for x in (q, k, v))
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        if keep is not None:
            scores = scores.masked_fill(keep[:, None, None] == 0, -1e9)
        return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)

    def image(self, pixels):
        patches = F.conv2d(pixels, self.t["vision_encoder.patch_embed.weight"], stride=PATCH).flatten(2).mT
        token = self.t["vision_encoder.class_embedding"].expand(len(pixels), 1, -1)
        x = torch.cat([token, patches], 1) + self.t["vision_encoder.pos_embed.weight"]
        x = self.norm("vision_encoder.pre_layrnorm", x, 1e-5)
        for n in range(LAYERS):
            block = f"vision_encoder.encoder.layers.{n}"
            y = self.norm(f"{block}.layer_norm1", x, 1e-5)
            y = self.attend(*(self.linear(f"{block}.self_attn.{p}_proj", y) for p in "qkv"))
            x = x + self.linear(f"{block}.self_attn.out_proj", y)
            y = self.linear(f"{block}.mlp.fc1", self.norm(f"{block}.layer_norm2", x, 1e-5))
            x = x + self.linear(f"{block}.mlp.fc2", y * torch.sigmoid(1.702 * y))
        return self.norm("vision_encoder.post_layernorm", x, 1e-5)

    def text(self, ids, keep, image=None):
        embeddings = f"{self.bert}embeddings"
        x = self.t[f"{embeddings}.word_embeddings.weight"][ids]
        x = x + self.t[f"{embeddings}.position_embeddings.weight"][: ids.shape[1]]
        x = self.norm(f"{embeddings}.LayerNorm", x + self.t[f"{embeddings}.token_type_embeddings.weight"][0], 1e-12)
        for n in range(FUSION_FROM if image is None else LAYERS):
            block = f"{self.bert}encoder.layer.{n}"
            x = self.bert_attention(f"{block}.attention", x, x, keep)
            if n >= FUSION_FROM:
                x = self.bert_attention(f"{block}.crossattention", x, image)
            y = self.linear(f"{block}.output.dense", F.gelu(self.linear(f"{block}.intermediate.dense", x)))
            x = self.norm(f"{block}.output.LayerNorm", x + y, 1e-12)
        return x

    def bert_attention(self, name, x, read, keep=None):
        q, k, v = (
            self.linear(f"{name}.self.query", x),
            *(self.linear(f"{name}.self.{p}", read) for p in ("key", "value")),
        )
        return self.norm(
            f"{name}.output.LayerNorm", x + self.linear(f"{name}.output.dense", self.attend(q, k, v, keep)), 1e-12
        )

    def outputs(self, pixels, ids, keep):
        image, text = self.image(pixels), self.text(ids, keep)
        fused = self.text(ids, keep, image)
        y = F.gelu(self.norm("itm_head.1", self.linear("itm_head.0", fused[:, 0]), 1e-5))
        return (
            F.normalize(self.linear("vision_proj", image[:, 0]), dim=-1),
            F.normalize(self.linear("text_proj", text[:, 0]), dim=-1),
            self.linear("itm_head.3", y),
        )


@pytest.mark.parametrize("bert", ["bert.", ""], ids=["pre-trained", "fine-tuned"])
def test_a_converted_checkpoint_computes_the_same(tmp_path, bert):
    tensors = published(bert)
    torch.save({"model": tensors, "epoch": 3}, tmp_path / "checkpoint.th")
    words = tmp_path / "vocab.txt"
    words.write_text("\n".join(list(vocabulary())[:WORDS]), encoding="utf-8")
    dropped = convert(tmp_path / "checkpoint.th", tmp_path / "out", words)
    vlm = mf.load(tmp_path / "out")
    assert not vlm.model.training
    pixels, ids, mask = inputs(side=SIDE * PATCH)
    with torch.no_grad():
        ours, theirs = vlm.model(pixels, ids, mask).to_tuple(), Plain(tensors, bert).outputs(pixels, ids, mask)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, atol=2e-5)
    # every key is in the folder or dropped with a reason
    kept = {tensor.flatten()[:3].tolist().__repr__() for tensor in vlm.model.state_dict().values()}
    for key, tensor in tensors.items():
        assert (key in dropped) != (tensor.flatten()[:3].tolist().__repr__() in kept) or "tied" in dropped[key], key
    assert all(len(reason) > 10 for reason in dropped.values())
    assert vlm.match([pictures(1)[0][0]], ["a red boat"]).shape == (1,)


def test_position_embeddings_are_interpolated(tmp_path):
    tensors = published()
    new, config, _ = converted(tensors, image_size=5 * PATCH)
    assert config.vision_config.image_size == 80
    positions = new["vision_encoder.embeddings.position_embedding.weight"]
    assert positions.shape == (26, WIDTH)
    assert torch.equal(positions[0], tensors["vision_encoder.pos_embed.weight"][0])
    flat = torch.cat([torch.zeros(1, 4), torch.ones(9, 4)])
    assert torch.allclose(interpolated(flat, 6)[1:], torch.ones(36, 4))
    rows = torch.arange(3.0).repeat_interleave(3)[:, None]  # grows from row to row, the same along each
    grown = interpolated(torch.cat([torch.zeros(1, 1), rows]), 6)[1:].reshape(6, 6)
    assert bool((grown[1:, 0] > grown[:-1, 0]).all()) and torch.allclose(grown[:, 0], grown[:, 5], atol=1e-6)


def test_checkpoints_that_cannot_be_converted(tmp_path):
    with pytest.raises(ValueError, match="Swin"):
        converted({"vision_encoder.layers.0.blocks.0.attn.relative_position_bias_table": torch.ones(1)})
    with pytest.raises(ValueError, match="no X-VLM"):
        converted({"vision_encoder.class_embedding": torch.ones(1)})
    torch.save({"model": nn.Linear(1, 1)}, tmp_path / "code.th")
    with pytest.raises(ValueError, match="could run code"):
        read_checkpoint(tmp_path / "code.th")
    tensors = published()
    del tensors["itm_head.0.bias"]
    torch.save(tensors, tmp_path / "part.th")
    with pytest.raises(ValueError, match=r"lacks itm_head\.0\.bias"):
        convert(tmp_path / "part.th", tmp_path / "out")
