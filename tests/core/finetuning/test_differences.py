"""What was learnt comes back from its differences: zeros as zeros, the rest but for half a step."""

import copy
import math
from dataclasses import replace

import pytest
import torch

from multiflow_core import rank
from multiflow_core.finetuning import differences
from multiflow_core.models.vlm import VLM
from multiflow_core.support.files import read_safetensors, write_safetensors
from multiflow_core.weights.masks import Masks


def taught(vlm: VLM, masks: Masks) -> VLM:
    """The model with every weight moved that is left."""
    chance = torch.Generator().manual_seed(0)
    model = copy.deepcopy(vlm.model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter += 0.01 * torch.randn(parameter.shape, generator=chance)
            if name in masks:
                parameter *= masks[name]
    return replace(vlm, model=model)


@pytest.fixture
def tuned(blip, masks) -> VLM:
    return taught(blip, masks)


def test_a_model_comes_back_but_for_half_a_step(tmp_path, blip, masks, tuned):
    differences.write(tmp_path, "captioning", blip, tuned, masks)
    again = dict(differences.read(tmp_path, "captioning", blip).model.named_parameters())
    before, after = dict(blip.model.named_parameters()), dict(tuned.model.named_parameters())
    assert again.keys() == after.keys()
    for name, parameter in again.items():
        change = (after[name] - before[name]).detach().double()
        if parameter.ndim < 2:
            torch.testing.assert_close(parameter, after[name])
            continue
        kept = masks[name] if name in masks else torch.ones_like(change, dtype=torch.bool)
        step = differences.STEP * math.sqrt(change[kept].square().mean()) if kept.any() else 0.0
        assert float((parameter - after[name]).detach().abs().max()) <= step / 2 + 1e-6
        assert not parameter.detach()[~kept].view(torch.int32).any()


def test_a_dense_one_needs_no_masks(tmp_path, blip):
    tuned = taught(blip, Masks({}))
    file = differences.write(tmp_path, "captioning", blip, tuned, None, {"seed": 3})
    assert [held.name for held in tmp_path.iterdir()] == [file.name] and differences.about(file) == {"seed": 3}
    again = differences.read(tmp_path, "captioning", blip)
    assert not any(torch.equal(a, b) for a, b in zip(again.model.parameters(), blip.model.parameters(), strict=True))


def test_the_same_is_written_as_the_same_bytes(tmp_path, blip, masks, tuned):
    files = [differences.write(tmp_path / name, "captioning", blip, tuned, masks) for name in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_does_not_belong_is_refused(tmp_path, blip, masks, tuned):
    file = differences.write(tmp_path, "captioning", blip, tuned, masks)
    with pytest.raises(FileNotFoundError):
        differences.read(tmp_path, "vqa", blip)
    rank(blip.model, "localmp").masks(0.75).save(tmp_path / differences.MASKS)
    with pytest.raises(ValueError, match="other masks"):
        differences.read(tmp_path, "captioning", blip)
    masks.save(tmp_path / differences.MASKS)
    entries, metadata = read_safetensors(file)
    name = next(name for name, entry in entries.items() if entry.dtype == torch.uint8)
    write_safetensors(file, entries | {name: entries[name][:-9].clone()}, metadata)
    with pytest.raises(ValueError, match=f"damaged: {name}"):
        differences.read(tmp_path, "captioning", blip)
    masks.save(file)
    with pytest.raises(ValueError, match="holds no differences"):
        differences.read(tmp_path, "captioning", blip)
