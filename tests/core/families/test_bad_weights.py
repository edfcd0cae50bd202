"""Folders whose weights or configs are damaged in ways that used to load, or to end in a traceback."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

import multiflow_core as mf
from multiflow_core.families import folder as folders

WEIGHT = "text_model.encoder.layers.0.mlp.fc1.weight"


def spoil(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def refused(folder) -> str:
    with pytest.raises(ValueError, match=str(folder)) as caught:
        mf.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", [WEIGHT, "text_projection.weight", "logit_scale"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(folder, name, value):
    spoil(folder, lambda tensors: tensors[name].view(-1)[:1].fill_(value))
    said = refused(folder)
    assert name in said and "not finite" in said


def test_finite_weights_that_compute_no_numbers_are_refused(folder):
    spoil(folder, lambda tensors: tensors["text_projection.weight"].fill_(3e38))
    assert "computes values that are not finite" in refused(folder)


def test_trailing_bytes(folder):
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"more")
    assert "4 bytes more" in refused(folder)


@pytest.mark.parametrize(
    "spoil_entry", [lambda e: e.pop("dtype"), lambda e: e.update(dtype=[3]), lambda e: e.update(shape=[-1])]
)
def test_a_header_without_types_or_shapes(folder, spoil_entry):
    file = folder / "model.safetensors"
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    spoil_entry(header[WEIGHT])
    text = json.dumps(header).encode().ljust(length)
    file.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    assert "is not a safetensors file" in refused(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "null", ""])
def test_a_config_that_is_none(folder, text):
    (folder / "config.json").write_text(text)
    assert "config.json" in refused(folder)


@pytest.mark.parametrize("part", [3, None, "../model.safetensors", "/etc/passwd", "", "a/b.safetensors", ".."])
def test_an_index_names_files_of_its_folder(folder, part):
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {WEIGHT: part}}))
    assert str(index) in refused(folder)


def test_no_quantisation_is_no_reason_to_refuse(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": None}))
    assert mf.load(folder).tasks == ("retrieval",)


def test_memory_of_a_pickle_counts_what_it_becomes(folder):
    tensors = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    numbers = sum(tensor.numel() for tensor in tensors.values())
    assert folders.memory_needed(folder, torch.float32) == (2 + 4) * numbers
