"""Claims that every registered format of checkpoints must keep, also one added tomorrow; and who else opens a plain one."""

import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import CLIPModel, CLIPProcessor

import multiflow_core as mf
from benchmarks.models import build
from multiflow_core.families import family_of
from multiflow_core.models.format import FORMATS
from multiflow_core.models.formats.plain import save_plain
from multiflow_core.models.vlm import VLM


@pytest.mark.parametrize("kind", FORMATS.all(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("dtype", [None, torch.float16], ids=str)
def test_claims(kind, dtype, tmp_path):
    model, processor = build("clip-b32", small=True)
    vlm = VLM("clip", model, processor, family_of(model))
    masks = mf.rank(model, "omp").masks(0.75)
    pruned = vlm.prune(masks)
    before = {name: tensor.clone() for name, tensor in pruned.model.state_dict().items()}
    assert "\n" not in kind.about and len(kind.about) > 10
    written = kind.write(pruned, masks, tmp_path / "pruned", dtype)
    assert written.exists() and tmp_path in written.parents
    assert all(torch.equal(tensor, before[name]) for name, tensor in pruned.model.state_dict().items())
    if kind.opens:
        for name, tensor in mf.load(written, dtype=None).model.state_dict().items():
            assert torch.equal(tensor, before[name].to(tensor.dtype) if dtype is None else before[name].to(dtype)), name


def test_a_plain_checkpoint_is_opened_by_transformers_itself(tmp_path):
    model, processor = build("clip-b32", small=True)
    vlm = VLM("clip", model, processor, family_of(model))
    masks = mf.rank(model, "omp").masks(0.75)
    FORMATS.get("plain").write(vlm, masks, tmp_path, None)  # of a dense model it writes what the masks keep
    again = CLIPModel.from_pretrained(tmp_path)
    assert all(torch.equal(t, again.state_dict()[name]) for name, t in vlm.prune(masks).model.state_dict().items())
    assert (
        CLIPProcessor.from_pretrained(tmp_path).tokenizer("a red boat").input_ids
        == processor.tokenizer("a red boat").input_ids
    )


def test_what_is_large_is_written_in_several_files_that_transformers_opens(tmp_path):
    model, processor = build("clip-b32", small=True)
    vlm = VLM("clip", model, processor, family_of(model))
    masks = mf.rank(model, "omp").masks(0.75)
    whole = save_plain(vlm, masks, tmp_path / "whole") / "model.safetensors"
    largest = whole.stat().st_size // 3
    folder = save_plain(vlm, masks, tmp_path / "parts", largest=largest)
    files, index = (
        sorted(folder.glob("*.safetensors")),
        json.loads((folder / "model.safetensors.index.json").read_text()),
    )
    assert len(files) > 2 and files[0].name == f"model-00001-of-{len(files):05}.safetensors"
    assert set(index["weight_map"].values()) == {file.name for file in files}
    held = {file.name: {name: tensor.nbytes for name, tensor in load_file(file).items()} for file in files}
    assert all(sum(sizes.values()) <= largest or len(sizes) == 1 for sizes in held.values())
    assert index["weight_map"] == {name: file for file, sizes in held.items() for name in sizes}
    assert index["metadata"]["total_size"] == sum(sum(sizes.values()) for sizes in held.values())
    again = CLIPModel.from_pretrained(folder).state_dict()
    assert all(torch.equal(t, again[name]) for name, t in vlm.prune(masks).model.state_dict().items())
    assert all(torch.equal(t, again[name]) for name, t in mf.load(folder).model.state_dict().items())
