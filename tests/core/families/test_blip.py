"""BLIP: one set of tensors behind three task classes, loaded strictly; its layout; its calibration passes."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BlipForConditionalGeneration, BlipForImageTextRetrieval, BlipForQuestionAnswering

import multiflow_core as mf
from multiflow_core.families.blip_parts import BlipParts
from multiflow_core.models.vlm import ASSETS
from multiflow_core.pretrain.models.flatland_blip import FLATLAND_BLIP

TASK_CLASSES = (BlipForImageTextRetrieval, BlipForConditionalGeneration, BlipForQuestionAnswering)


def batch_of(parts, pairs=3, length=7):
    mask = torch.ones(pairs, length, dtype=torch.long)
    mask[0, 4:] = 0
    size = parts.config.vision_config.image_size
    return {
        "pixel_values": torch.randn(pairs, 3, size, size),
        "input_ids": torch.randint(10, 100, (pairs, length)),
        "attention_mask": mask,
    }


def test_views_share_every_tensor(parts):
    own = {p.data_ptr() for p in parts.parameters()}
    for view in (parts.retriever, parts.captioner, parts.answerer):
        assert type(view) in TASK_CLASSES
        assert {p.data_ptr() for p in view.parameters()} <= own
    together = {p.data_ptr() for v in (parts.retriever, parts.captioner, parts.answerer) for p in v.parameters()}
    assert together == own


def test_a_saved_folder_loads_strictly_and_into_each_task_class(parts, tmp_path):
    FLATLAND_BLIP.save(parts, tmp_path)
    again = mf.load(tmp_path).model
    assert type(again) is BlipParts
    for name, tensor in parts.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor.half().float()), name
    for task in TASK_CLASSES:
        model, info = task.from_pretrained(tmp_path, output_loading_info=True)
        assert not info["missing_keys"]
        names = dict(model.named_parameters())
        assert all(torch.equal(names[n].float(), dict(again.named_parameters())[n]) for n in names)


@pytest.mark.parametrize(("change", "message"), [("drop", "lacks"), ("add", "no place for")])
def test_a_missing_or_left_over_key_is_refused(parts, tmp_path, change, message):
    FLATLAND_BLIP.save(parts, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    if change == "drop":
        del tensors["text_proj.weight"]
    else:
        tensors["text_encoder.encoder.layer.2.output.dense.weight"] = torch.zeros(2, 2)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=message):
        mf.load(tmp_path)


def test_layout_follows_blips_convention(parts):
    layers = {layer.name: layer for layer in mf.prunable_layers(parts)}
    # four weights a vision block; query, key, value, output twice and two of the MLP a text block, encoder and decoder
    assert len(layers) == 2 * 4 + 2 * 2 * 10
    cross = layers["text_encoder.encoder.layer.1.crossattention.self.key.weight"]
    assert (cross.modality, cross.block, cross.role, cross.reads) == ("text", "text 1", "cross key", "image")
    assert layers["vision_model.encoder.layers.0.self_attn.qkv.weight"].shape == (96, 32)
    assert not any(word in name for name in layers for word in ("embeddings", "proj.", "itm_head", "cls.", "LayerNorm"))


def test_calibration_reaches_every_layer_and_leaves_padding_out(parts):
    torch.manual_seed(1)
    batch = batch_of(parts)
    before = mf.calibrate(parts, [batch])
    assert set(before.square_sums) == {layer.name for layer in parts_layers(parts)}
    changed = dict(batch, input_ids=batch["input_ids"].clone())
    changed["input_ids"][0, 4:] = 55  # padding only
    after = mf.calibrate(parts, [changed])
    for name, sums in before.square_sums.items():
        assert torch.allclose(sums, after.square_sums[name], rtol=1e-5), name


def parts_layers(parts):
    return mf.prunable_layers(parts)


def test_pruned_model_shares_tensors_and_leaves_the_dense_one_alone(parts):
    dense = {name: tensor.clone() for name, tensor in parts.state_dict().items()}
    masks = mf.rank(parts, "omp").masks(0.5)
    pruned = masks.apply(parts)
    for name, tensor in parts.state_dict().items():
        assert torch.equal(tensor, dense[name])
        other = pruned.state_dict()[name]
        if name in masks:
            assert torch.equal(other, tensor * masks[name])
        else:
            assert other.data_ptr() == tensor.data_ptr(), name
    batch = batch_of(parts)
    view = pruned.retriever(**batch, use_itm_head=True).itm_score  # the views of the pruned model are pruned
    assert not torch.allclose(view, parts.retriever(**batch, use_itm_head=True).itm_score)


def test_shipped_checkpoint_is_small_and_float16():
    file = ASSETS / "flatland-blip" / "model.safetensors"
    assert file.stat().st_size <= 30e6
    assert {tensor.dtype for tensor in load_file(file).values()} == {torch.float16}
    config = json.loads((ASSETS / "flatland-blip" / "config.json").read_text())
    assert set(config["architectures"]) == {task.__name__ for task in TASK_CLASSES}


def test_folders_that_are_no_checkpoint_get_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        mf.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        mf.load(tmp_path)
    (tmp_path / "config.json").write_text('{"architectures": ["GPT5"]}')
    with pytest.raises(ValueError, match="GPT5.*no family knows"):
        mf.load(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="not valid JSON"):
        mf.load(tmp_path)
    shutil.copy(ASSETS / "flatland-blip" / "config.json", tmp_path / "config.json")
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        mf.load(tmp_path)
