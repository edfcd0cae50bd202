"""Folders laid out as their authors published them, years and versions ago: the hub names on offer must open once fetched.

Written down from the published files: their names, and the keys of their configs.
"""

import json

import pytest
import sentencepiece
import torch

import multiflow_core as mf
from benchmarks.models import build, pictures, save

SIDE = 32  # pixels, of the small models


def write(file, content):
    file.write_text(json.dumps(content), encoding="utf-8")


def added(token):
    return {
        "content": token,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": True,
        "__type": "AddedToken",
    }


def clip(folder, processor):
    """openai/clip-vit-base-patch32, of 2021: a feature extractor, vocabulary and merges apart."""
    model = json.loads(processor.tokenizer.backend_tokenizer.to_str())["model"]
    write(folder / "vocab.json", model["vocab"])
    pairs = (pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"])
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *pairs, ""]))
    start, end = added("<|startoftext|>"), added("<|endoftext|>")
    special = {"bos_token": start, "eos_token": end, "unk_token": end, "pad_token": "<|endoftext|>"}
    write(folder / "special_tokens_map.json", special)
    write(
        folder / "tokenizer_config.json",
        special | {"add_prefix_space": False, "errors": "replace", "do_lower_case": True, "name_or_path": "./clip/"},
    )
    return {"feature_extractor_type": "CLIPFeatureExtractor", "do_center_crop": True, "crop_size": SIDE, "size": SIDE}


def blip(folder, processor):
    """Salesforce/blip-image-captioning-base, of 2022."""
    vocabulary = processor.tokenizer.get_vocab()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)), encoding="utf-8")
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "mask", "pad", "sep", "unk")}
    options = {"do_basic_tokenize": True, "do_lower_case": True, "never_split": None, "model_max_length": 512}
    kinds = {"processor_class": "BlipProcessor", "tokenizer_class": "BertTokenizer"}
    write(folder / "tokenizer_config.json", special | options | kinds)
    size = {"height": SIDE, "width": SIDE}
    return {"image_processor_type": "BlipImageProcessor", "do_pad": True, "size": size, "size_divisor": 32}


def siglip(folder, processor):
    """google/siglip-base-patch16-224, of 2023: words cut by sentencepiece, no attention mask."""
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(text for _, text in pictures(200)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(folder / "spiece"),
        vocab_size=150,
        hard_vocab_limit=False,
        minloglevel=2,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
    )
    special = {"eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>"}
    kinds = {"processor_class": "SiglipProcessor", "tokenizer_class": "SiglipTokenizer"}
    options = {"do_lower_case": True, "model_input_names": ["input_ids"], "model_max_length": 64, "sp_model_kwargs": {}}
    write(folder / "tokenizer_config.json", special | kinds | options)
    return {"image_processor_type": "SiglipImageProcessor", "size": {"height": SIDE, "width": SIDE}}


@pytest.mark.parametrize(
    ("name", "layout"), [("clip-b32", clip), ("blip-base-captioning", blip), ("siglip-base", siglip)]
)
def test_a_published_layout_opens(name, layout, tmp_path):
    folder = save(name, tmp_path / name, small=True)
    for file in ("processor_config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / file).unlink()
    model, processor = build(name, small=True)
    common = {"do_resize": True, "do_normalize": True, "resample": 3, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    write(folder / "preprocessor_config.json", common | layout(folder, processor))
    tensors = model.state_dict() | {"text_model.embeddings.position_ids": torch.arange(4)[None]}  # of older versions
    (folder / "model.safetensors").unlink()
    torch.save({key: tensor.clone() for key, tensor in tensors.items()}, folder / "pytorch_model.bin")

    vlm = mf.load(folder)
    assert all(torch.equal(tensor, tensors[key]) for key, tensor in vlm.model.state_dict().items())
    batch = next(vlm.batches(pictures(2)))
    assert batch["pixel_values"].shape == (2, 3, SIDE, SIDE)
    assert not mf.calibrate(vlm.model, [batch]).missing
    assert vlm.unknown_words("a red boat zzz") == ["zzz"] or name == "clip-b32"  # CLIP can write down every letter
    spelt = vlm.processor.tokenizer.decode(batch["input_ids"][0], skip_special_tokens=True)
    assert spelt.strip() == pictures(1)[0][1]
