"""Checkpoints as training leaves them: names with prefixes, files inside files, masks among the weights, no config to speak of."""

import argparse
import json
import sys
from types import ModuleType

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.utils import prune

import multiflow_core as mf
from benchmarks.models import MODELS, save
from multiflow_core.cli import main
from multiflow_core.families import folder as folders

LAYER = "text_model.encoder.layers.0.mlp.fc1.weight"


def taken(folder):
    """The weights of a folder, which has none any more."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    return tensors


def same(vlm, tensors):
    return all(torch.equal(tensor, tensors[name]) for name, tensor in vlm.model.state_dict().items())


def prefixed(*prefixes):
    return lambda tensors: {f"{prefixes[i % len(prefixes)]}{name}": t for i, (name, t) in enumerate(tensors.items())}


WRAPPED = {
    "compiled": prefixed("_orig_mod."),
    "on several devices": prefixed("module."),
    "both": prefixed("_orig_mod.module."),
    "Lightning": lambda tensors: {
        "state_dict": prefixed("model.")(tensors) | {"criterion.weight": torch.ones(3)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}}],
        "hyper_parameters": argparse.Namespace(lr=1e-4, layers=[1, 2]),
        "pytorch-lightning_version": "2.4.0",
    },
    "Lightning, compiled": lambda tensors: {"state_dict": prefixed("net._orig_mod.")(tensors)},
    "parts compiled": lambda tensors: {n.replace("_model.", "_model._orig_mod.", 1): t for n, t in tensors.items()},
    "its own loop": lambda tensors: {"model": tensors, "optimizer": {"state": {}}, "epoch": 3, "args": {"lr": 0.1}},
    "DeepSpeed": lambda tensors: {"module": tensors, "ds_config": {"zero": 1}},
    "distilled": lambda tensors: {"teacher": {n: t + 1 for n, t in tensors.items()}, "student": tensors},
    "in one dictionary": lambda tensors: (
        prefixed("teacher.")({n: t + 1 for n, t in tensors.items()}) | prefixed("student.")(tensors)
    ),
}


@pytest.mark.parametrize("kind", WRAPPED)
@pytest.mark.parametrize("file", ["pytorch_model.bin", "epoch=3.ckpt"])
def test_what_training_puts_around_weights_is_taken_off(folder, kind, file):
    tensors = taken(folder)
    torch.save(WRAPPED[kind](tensors), folder / file)
    vlm = mf.load(folder)
    assert same(vlm, tensors) and vlm.held.startswith(f"{file}") and "float32" in vlm.held
    assert same(mf.load(folder / file), tensors)  # the file by its own name, its config beside it


def test_a_file_of_an_older_torch(folder):
    tensors = taken(folder)
    torch.save({"model": prefixed("module.")(tensors)}, folder / "last.pth", _use_new_zipfile_serialization=False)
    assert same(mf.load(folder), tensors)


def test_prefixes_in_safetensors(folder):
    tensors = taken(folder)
    save_file(prefixed("model.")(tensors), folder / "model.safetensors", {"format": "pt"})
    vlm = mf.load(folder)
    assert same(vlm, tensors)
    assert vlm.held == f"model.safetensors: {len(tensors)} tensors, float32; prefix model. removed"


def test_names_that_are_the_models_own_stay_as_they_are(folder):
    tensors = load_file(folder / "model.safetensors")
    assert mf.load(folder).held == f"model.safetensors: {len(tensors)} tensors, float32"


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_pickles_in_several_files(folder, index, prefix):
    tensors = taken(folder)
    names = list(tensors)
    parts = {f"pytorch_model-0000{i + 1}-of-00002.bin": names[i::2] for i in range(2)}
    for file, part in parts.items():
        torch.save({prefix + name: tensors[name] for name in part}, folder / file)
    if index:
        held = {"metadata": {}, "weight_map": {prefix + name: file for file, part in parts.items() for name in part}}
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps(held))
    vlm = mf.load(folder)
    assert same(vlm, tensors) and vlm.held.startswith("2 files from pytorch_model-00001-of-00002.bin on: ")
    (folder / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks pytorch_model-00002-of-00002\.bin, one of the 2 files"):
        mf.load(folder)


def test_several_files_of_weights_are_not_chosen_between(folder):
    tensors = taken(folder)
    for name in ("a.pth", "b.pth"):
        torch.save(tensors, folder / name)
    torch.save({"state": {}}, folder / "optimizer.pt")
    with pytest.raises(FileNotFoundError, match=r"several files of weights \(a\.pth, b\.pth\): give one of them"):
        mf.load(folder)
    assert same(mf.load(folder / "b.pth"), tensors)


# --- masks among the weights ----------------------------------------------------------------------------------------


def test_masks_beside_weights_are_applied(folder):
    """The paper's authors keep a mask for every weight and bias beside it; the weight below may be anything."""
    tensors = taken(folder)
    masks = {
        name: torch.rand(t.shape) > 0.5 for name, t in tensors.items() if name.endswith(("fc1.weight", "fc1.bias"))
    }
    torch.save(
        {"model": tensors | {f"{name}_pruning_mask": m for name, m in masks.items()}}, folder / "pytorch_model.bin"
    )
    vlm = mf.load(folder)
    assert same(vlm, tensors | {name: tensors[name] * mask for name, mask in masks.items()})
    assert vlm.held.endswith(f"; {len(masks)} masks of pruning applied")
    assert mf.Masks.load(folder / "pytorch_model.bin").only([LAYER])[LAYER].equal(masks[LAYER])


def test_what_torch_itself_pruned(folder):
    tensors, vlm = load_file(folder / "model.safetensors"), mf.load(folder)
    prune.random_unstructured(vlm.model.get_submodule(LAYER.removesuffix(".weight")), "weight", 0.5)
    held = vlm.model.state_dict()
    assert LAYER not in held and f"{LAYER}_orig" in held
    (folder / "model.safetensors").unlink()
    torch.save(held, folder / "pytorch_model.bin")
    mask = held[f"{LAYER}_mask"]
    assert same(mf.load(folder), tensors | {LAYER: tensors[LAYER] * mask}) and mask.mean() == 0.5


# --- numbers that are none ------------------------------------------------------------------------------------------


def quantised(tensors):
    for name in [name for name in tensors if name.endswith("q_proj.weight")]:
        weight = tensors.pop(name)
        scale = weight.abs().amax(1)
        tensors[name] = (weight / scale[:, None] * 127).round().to(torch.int8)
        tensors[name.replace(".weight", ".SCB")] = scale


CHANGES = {
    "eight bits": quantised,
    "eight bits without scales": lambda tensors: tensors.update({LAYER: tensors[LAYER].to(torch.int8)}),
    "whole numbers": lambda tensors: tensors.update({LAYER: tensors[LAYER].to(torch.int32)}),
    "packed by four": lambda tensors: tensors.update(
        {LAYER.replace("weight", "qweight"): torch.ones(2, dtype=torch.int32)}
    ),
    "absolute largest": lambda tensors: tensors.update({f"{LAYER}.absmax": torch.ones(2)}),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("pickled", [False, True])
def test_quantised_weights_are_refused_whatever_the_config_says(folder, change, pickled):
    tensors = taken(folder)
    CHANGES[change](tensors)
    if pickled:
        torch.save({"model": tensors}, folder / "pytorch_model.bin")
    else:
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"holds quantised weights \(.*\): give the original ones\.$"):
        mf.load(folder)


def test_bytes_that_are_no_weights_are_no_reason_to_refuse(folder):
    """GPT-2 once kept its causal masks in the file."""
    tensors = load_file(folder / "model.safetensors")
    tensors |= {"decoder.h.0.attn.bias": torch.ones(1, 1, 4, 4, dtype=torch.uint8), "h.0.ids": torch.arange(4)[None]}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    assert mf.load(folder)


@pytest.mark.parametrize("name", ["text_projection.weight", "vision_model.post_layernorm.bias", LAYER])
def test_weights_that_are_not_finite_are_named_under_any_wrapper(folder, name):
    tensors = taken(folder)
    tensors[name].view(-1)[0] = float("nan")
    torch.save({"state_dict": prefixed("module.")(tensors)}, folder / "last.ckpt")
    with pytest.raises(ValueError, match=f"holds {name} with values that are not finite"):
        mf.load(folder)


def test_the_memory_of_a_file_inside_a_file(folder):
    tensors = taken(folder)
    numbers = sum(tensor.numel() for tensor in tensors.values())
    torch.save({"model": {n: t.half() for n, t in tensors.items()}, "epoch": 1}, folder / "pytorch_model.bin")
    assert folders.memory_needed(folder, torch.float32) == (2 + 4) * numbers


# --- a config that does not say it all ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in MODELS if not name.startswith("own")])
@pytest.mark.parametrize("left", ["absent", None, []])
def test_a_config_without_architectures_opens_as_the_class_that_fits(name, left, tmp_path):
    folder = save(name, tmp_path / name, small=True)
    file = folder / "config.json"
    config = json.loads(file.read_text())
    said = config.pop("architectures")
    file.write_text(json.dumps(config | ({} if left == "absent" else {"architectures": left})))
    assert type(mf.load(folder).model).__name__ == said[0]


@pytest.mark.parametrize("change", [{"hidden_size": "wide"}, {"num_attention_heads": 5}])
def test_a_config_without_architectures_that_makes_no_model(tmp_path, change):
    folder = save("blip-base-vqa", tmp_path / "blip", small=True)
    config = json.loads((folder / "config.json").read_text())
    del config["architectures"]
    (folder / "config.json").write_text(json.dumps(config | {"text_config": config["text_config"] | change}))
    with pytest.raises(ValueError, match=str(folder)):
        mf.load(folder)


# --- without a processor --------------------------------------------------------------------------------------------


@pytest.fixture
def bare(folder):
    for file in ("processor_config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / file).unlink()
    return folder


def test_without_a_processor_weights_are_ranked_and_pruned(bare, tmp_path, capsys):
    vlm = mf.load(bare)
    assert "holds no processor" in vlm.unreadable and vlm.unreadable.endswith(".") and "OMP" in vlm.unreadable
    assert mf.rank(vlm.model, "lamp").masks(0.5).sparsity == pytest.approx(0.5, abs=1e-4)
    with pytest.raises(ValueError, match="holds no processor"):
        vlm.embed_texts(["a red boat"])
    main(["layers", str(bare)])
    main(["prune", str(bare), "--method", "omp", "--sparsity", "0.5", "--out", str(tmp_path / "out")])
    assert "weights pruned (0.5" in capsys.readouterr().out
    assert mf.load(tmp_path / "out").unreadable
    with pytest.raises(SystemExit):
        main(["prune", str(bare), "--method", "multiflow", "--sparsity", "0.5", "--out", str(tmp_path / "two")])
    assert "holds no processor" in capsys.readouterr().err


# --- adapters -------------------------------------------------------------------------------------------------------


@pytest.fixture
def adapter(folder, tmp_path):
    """As peft writes one: what was added to the weights, and the name of the model that they were added to."""
    place = tmp_path / "lora"
    place.mkdir()
    said = {"peft_type": "LORA", "base_model_name_or_path": str(folder), "r": 2, "target_modules": ["q_proj"]}
    (place / "adapter_config.json").write_text(json.dumps(said))
    save_file({"base_model.model.x.lora_A.weight": torch.ones(2, 2)}, place / "adapter_model.safetensors")
    return place


def test_an_adapter_alone_is_refused_with_the_command_that_merges(adapter, folder, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="holds an adapter of") as caught:
        mf.load(adapter)
    said = str(caught.value)
    assert "pip install peft" in said and "merge_and_unload().save_pretrained" in said and "\n" not in said
    compile(said[said.index("python -c ") + 11 : said.rindex('"')], "command", "exec")
    assert repr(str(folder)) in said and repr(str(adapter)) in said and "import CLIPModel as M" in said


def test_an_adapter_is_merged_into_its_model(adapter, folder, monkeypatch):
    """With a peft that adds one to every weight of queries."""

    class Merged:
        def __init__(self, model, place):
            self.model = model
            assert place == str(adapter)

        @classmethod
        def from_pretrained(cls, model, place, **options):
            return cls(model, place)

        def merge_and_unload(self):
            with torch.no_grad():
                for name, parameter in self.model.named_parameters():
                    parameter.add_(name.endswith("q_proj.weight"))
            return self.model

    made = ModuleType("peft")
    made.PeftModel = Merged
    monkeypatch.setitem(sys.modules, "peft", made)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: made)
    vlm, before = mf.load(adapter), load_file(folder / "model.safetensors")
    assert vlm.held.endswith("; the adapter of lora merged into it") and vlm.tasks == ("retrieval",)
    for name, tensor in vlm.model.state_dict().items():
        assert torch.equal(tensor, before[name] + name.endswith("q_proj.weight")), name


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"base_model_name_or_path": null}', "[" * 100_000])
def test_an_adapter_of_nothing(adapter, text):
    (adapter / "adapter_config.json").write_text(text)
    with pytest.raises(ValueError, match=r"adapter_config\.json does not say which model it adapts"):
        mf.load(adapter)
