"""Files of BLIP's, X-VLM's and OpenCLIP's authors: opened by themselves, under our names, and computing the same."""

import gzip
import json
import math
import sys

import pytest
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file

import multiflow_core as mf
from benchmarks.models import clip_tokens, pictures
from multiflow_core.cli import main
from multiflow_core.weights.foreign import format_of
from tests.core.families import authors


@pytest.fixture(autouse=True)
def no_cache(tmp_path, monkeypatch):
    """Nothing of the hub is at hand."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


def vocabulary(folder):
    (folder / "vocab.txt").write_text("\n".join(authors.words()), encoding="utf-8")


def clip_vocabulary(folder):
    tokens, merges = clip_tokens()
    (folder / "vocab.json").write_text(json.dumps(tokens))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *(" ".join(pair) for pair in merges)]))


def same(vlm, model):
    ours, theirs = vlm.model.state_dict(), model.state_dict()
    assert ours.keys() == theirs.keys()
    return all(torch.equal(tensor, ours[name]) for name, tensor in theirs.items())


def opened(place, tensors, name="checkpoint.pth"):
    torch.save(tensors, place / name)
    return mf.load(place / name)


# --- BLIP -----------------------------------------------------------------------------------------------------------

TASKS = {"retrieval": ("retrieval",), "captioning": ("captioning",), "vqa": ("vqa",)}


@pytest.mark.parametrize("kind", authors.BLIP_KINDS)
def test_salesforces_blip_opens_for_what_it_was_trained_for(kind, tmp_path):
    model = authors.blip(kind)
    vocabulary(tmp_path)
    vlm = opened(tmp_path, {"model": authors.salesforce(model), "optimizer": {"state": {0: {}}}, "epoch": 5})
    assert type(vlm.model) is type(model) and same(vlm, model)
    assert vlm.tasks == TASKS.get(kind, ("retrieval", "captioning", "vqa")) and vlm.side == 48
    assert vlm.held.startswith("checkpoint.pth, in it model: Salesforce's BLIP, ") and "tensors renamed" in vlm.held
    ours, theirs = vlm.model.config, model.config
    for part in ("text_config", "vision_config"):
        for size in ("hidden_size", "num_attention_heads", "num_hidden_layers", "layer_norm_eps"):
            assert getattr(getattr(ours, part), size) == getattr(getattr(theirs, part), size), size
    batch = next(vlm.batches(pictures(3)))
    assert not mf.calibrate(vlm.model, [batch]).missing
    if "captioning" in vlm.tasks:
        assert len(vlm.caption([pictures(1)[0][0]], 3)) == 1
    if "vqa" in vlm.tasks:
        assert len(vlm.answer([pictures(1)[0][0]], ["is there a cat"], 2)) == 1


def test_a_vision_encoder_of_salesforce_computes_what_their_code_does(tmp_path):
    """The forward pass of their ViT, written out from the names of the file alone."""
    tensors = authors.salesforce(authors.blip("captioning"))
    vlm, pixels = opened(tmp_path, tensors), torch.randn(2, 3, 48, 48)

    def norm(name, x):
        return F.layer_norm(
            x, (128,), tensors[f"visual_encoder.{name}.weight"], tensors[f"visual_encoder.{name}.bias"], 1e-6
        )

    def linear(name, x):
        return F.linear(x, tensors[f"visual_encoder.{name}.weight"], tensors[f"visual_encoder.{name}.bias"])

    patch = "visual_encoder.patch_embed.proj"
    x = F.conv2d(pixels, tensors[f"{patch}.weight"], tensors[f"{patch}.bias"], stride=16).flatten(2).mT
    x = torch.cat([tensors["visual_encoder.cls_token"].expand(2, 1, -1), x], 1) + tensors["visual_encoder.pos_embed"]
    for n in range(2):
        q, k, v = linear(f"blocks.{n}.attn.qkv", norm(f"blocks.{n}.norm1", x)).chunk(3, -1)
        q, k, v = (part.unflatten(-1, (2, 64)).transpose(1, 2) for part in (q, k, v))
        seen = (q @ k.mT / math.sqrt(64)).softmax(-1) @ v
        x = x + linear(f"blocks.{n}.attn.proj", seen.transpose(1, 2).flatten(2))
        x = x + linear(f"blocks.{n}.mlp.fc2", F.gelu(linear(f"blocks.{n}.mlp.fc1", norm(f"blocks.{n}.norm2", x))))
    with torch.no_grad():
        assert torch.allclose(vlm.model.vision_model(pixel_values=pixels).last_hidden_state, norm("norm", x), atol=1e-4)


SIZES = {  # of towers: width, heads, layers
    "BLIP base": ((768, 12, 12), (768, 12, 12)),
    "BLIP large": ((1024, 16, 24), (768, 12, 12)),
    "CLIP ViT-B/32": ((768, 12, 12), (512, 8, 12)),
    "CLIP ViT-L/14": ((1024, 16, 24), (768, 12, 12)),
    "CLIP ViT-H/14": ((1280, 16, 32), (1024, 16, 24)),
    "CLIP ViT-bigG/14": ((1664, 16, 48), (1280, 20, 32)),
}


@pytest.mark.parametrize("name", SIZES)
def test_the_number_of_heads_of_published_sizes(name, tmp_path, monkeypatch):
    """It cannot be read off tensors; everything else can."""
    vision, text = (dict(zip(("hidden_size", "num_attention_heads", "num_hidden_layers"), s)) for s in SIZES[name])
    common = dict(intermediate_size=64)
    patch = dict(patch_size=int(name[-2:].strip("/")), image_size=224) if "/" in name else dict(patch_size=16)
    found = {}
    with torch.device("meta"):
        if name.startswith("BLIP"):
            config = transformers.BlipConfig(
                text_config=text | common | dict(encoder_hidden_size=vision["hidden_size"]),
                vision_config=vision | common | patch,
            )
            tensors = {
                authors.as_salesforce(n): t
                for n, t in transformers.BlipForConditionalGeneration(config).state_dict().items()
            }
        else:
            config = transformers.CLIPConfig(text_config=text | common, vision_config=vision | common | patch)
            model = transformers.CLIPModel(config)
            tensors = authors.open_clip(model, layers=(vision["num_hidden_layers"], text["num_hidden_layers"]))
    kind, _ = format_of(tensors)
    module = sys.modules[kind.build.__module__]
    monkeypatch.setattr(module, "made_from", lambda kind, config, *rest: found.setdefault("config", config))
    kind.build(kind.translate(tensors).tensors, tmp_path / "model.pth", None)
    for part in ("text_config", "vision_config"):
        theirs, ours = getattr(config, part), getattr(found["config"], part)
        for size in ("hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size"):
            assert getattr(ours, size) == getattr(theirs, size), (part, size)
    assert found["config"].vision_config.image_size == config.vision_config.image_size
    assert (
        found["config"].text_config.bos_token_id
        == len(tensors[next(n for n in tensors if "oken_embedding" in n or "word_emb" in n)]) - 2
    )


def test_blip_that_compares_two_pictures_is_refused(tmp_path):
    tensors = authors.salesforce(authors.blip("retrieval")) | {"cls_head.0.weight": torch.ones(2, 2)}
    with pytest.raises(ValueError, match=r"compares two pictures \(NLVR\)"):
        opened(tmp_path, tensors)


# --- OpenCLIP -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "text."])
@pytest.mark.parametrize("before", ["", "module."])
@pytest.mark.parametrize("kind", ["pt", "safetensors"])
def test_open_clip_opens_with_its_packed_projections_apart(text, before, kind, tmp_path):
    model = authors.clip()
    clip_vocabulary(tmp_path)
    tensors = {before + name: tensor for name, tensor in authors.open_clip(model, text).items()}
    if kind == "pt":
        torch.save({"epoch": 1, "state_dict": tensors, "optimizer": {}}, tmp_path / "epoch_1.pt")
    else:
        save_file(tensors, tmp_path / "open_clip_model.safetensors")
    vlm = mf.load(tmp_path)  # the folder: there is but one file of weights in it
    assert same(vlm, model) and vlm.tasks == ("retrieval",) and "OpenCLIP" in vlm.held
    assert ("prefix module. removed" in vlm.held) == bool(before)
    assert vlm.model.config.text_config.hidden_act == vlm.model.config.vision_config.hidden_act == "gelu"
    with torch.no_grad():
        batch = next(vlm.batches(pictures(3)))
        assert torch.equal(vlm.model(**batch).logits_per_image, model(**batch).logits_per_image)
    assert len(vlm.layers) == 2 * 2 * 6


@pytest.mark.parametrize(("name", "said", "act"), [
    ("ViT-B-32-openai.pt", None, "quick_gelu"),
    ("ViT-B-32-quickgelu.pt", None, "quick_gelu"),
    ("model.pt", {"quick_gelu": True}, "quick_gelu"),
    ("model-openai.pt", {"quick_gelu": False}, "gelu"),
])  # fmt: skip
def test_the_activation_is_told_by_what_lies_beside_the_weights(name, said, act, tmp_path):
    if said is not None:
        (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": said}))
    vlm = opened(tmp_path, authors.open_clip(authors.clip()), name)
    assert vlm.model.config.vision_config.hidden_act == vlm.model.config.text_config.hidden_act == act
    assert (f"activation {act}, which the file itself does not show" in vlm.held) == (said is None)


def test_a_clip_without_a_vit_is_refused(tmp_path):
    tensors = authors.open_clip(authors.clip())
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("visual.")}
    tensors |= {"visual.layer1.0.conv1.weight": torch.ones(2, 2)}
    with pytest.raises(ValueError, match=r"a CLIP of another kind \(visual\.layer1\.0\.conv1\.weight\)"):
        opened(tmp_path, tensors)


def test_an_archive_of_code_is_not_opened(tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "ViT-B-32.pt")
    with pytest.raises(ValueError, match="TorchScript archive, which holds code"):
        mf.load(tmp_path / "ViT-B-32.pt")


# --- X-VLM ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bert", ["bert.", ""])
@pytest.mark.parametrize("around", [
    lambda t: {"model": t}, lambda t: {"model_state": t}, lambda t: {"student": t}, lambda t: t,
    lambda t: {"model": {f"module.{name}": tensor for name, tensor in t.items()}},
])  # fmt: skip
def test_xvlm_opens_out_of_every_wrapper(bert, around, tmp_path):
    model = authors.xvlm()
    vocabulary(tmp_path)
    vlm = opened(tmp_path, around(authors.xvlm_of_authors(model, bert)), "checkpoint_best.th")
    assert same(vlm, model) and "X-VLM's authors" in vlm.held
    assert vlm.match([pictures(1)[0][0]], ["a red boat"]).shape == (1,)


def test_a_pruned_and_fine_tuned_xvlm_is_pruned(tmp_path):
    model = authors.xvlm()
    masks = mf.rank(model, "omp").masks(0.75)
    held = authors.xvlm_of_authors(masks.apply(model))
    held |= {f"{authors.as_xvlm(name)}_pruning_mask": mask for name, mask in masks.items()}
    vlm = opened(tmp_path, {"model_state": held})
    assert same(vlm, masks.apply(model)) and f"{len(masks)} masks of pruning applied" in vlm.held
    assert mf.Masks.load(tmp_path / "checkpoint.pth") == masks


# --- any of them ----------------------------------------------------------------------------------------------------


def test_without_its_words_a_file_serves_what_needs_weights_alone(tmp_path, capsys):
    vlm = opened(tmp_path, authors.salesforce(authors.blip("vqa")))
    assert "vocab.txt" in vlm.unreadable and mf.rank(vlm.model, "omp").masks(0.5).sparsity == pytest.approx(
        0.5, abs=1e-3
    )
    main(["layers", str(tmp_path / "checkpoint.pth")])
    assert "Salesforce's BLIP" in capsys.readouterr().out


@pytest.mark.parametrize("made", [
    lambda: authors.salesforce(authors.blip("retrieval")), lambda: authors.xvlm_of_authors(authors.xvlm()),
    lambda: authors.open_clip(authors.clip()),
])  # fmt: skip
@pytest.mark.parametrize("part", ["embed", "norm", "ln_final", "mlp.", "proj"])
def test_what_is_missing_is_a_sentence(made, part, tmp_path):
    tensors = made()
    gone = next((name for name in tensors if part in name and not name.endswith("ids") and "_m." not in name), None)
    if gone is None:
        return
    del tensors[gone]
    with pytest.raises(ValueError, match="checkpoint.pth") as caught:
        opened(tmp_path, tensors)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_names_that_nobody_knows_ask_for_a_config(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"under no names that are known here, and there is no config\.json"):
        opened(tmp_path, {"encoder.weight": torch.ones(2, 2)})
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        mf.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no weights", gzip.compress(b"none", mtime=0)])
@pytest.mark.parametrize("suffix", ["pth", "th", "safetensors"])
def test_files_of_something_else(content, suffix, tmp_path):
    (tmp_path / f"model.{suffix}").write_bytes(content)
    with pytest.raises(ValueError, match=rf"model\.{suffix}") as caught:
        mf.load(tmp_path / f"model.{suffix}")
    assert "\n" not in str(caught.value)
