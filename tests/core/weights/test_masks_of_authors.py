"""Masks of the paper's authors: saved by torch.save under the names of their models, and read as those of ours."""

from collections import OrderedDict

import pytest
import torch

import multiflow_core as mf
from multiflow_core import Masks
from tests.core.families import authors

MODELS = {
    "X-VLM": (authors.xvlm, authors.as_xvlm),
    "X-VLM fine-tuned": (authors.xvlm, lambda name: authors.as_xvlm(name, "")),
    "BLIP": (lambda: authors.blip("vqa"), authors.as_salesforce),
    "ours": (lambda: mf.load("flatland-xvlm").model, lambda name: name),
}


@pytest.fixture(params=MODELS)
def case(request):
    made, named = MODELS[request.param]
    model = made()
    return model, mf.rank(model, "omp").masks(0.63), named


def saved(place, masks):
    torch.save(masks, place / "xvlm_omp_63_pruning_masks.pth")
    return place / "xvlm_omp_63_pruning_masks.pth"


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module."])
def test_they_are_read_compared_and_applied(case, tmp_path, prefix):
    model, ours, named = case
    held = OrderedDict((f"{prefix}{named(name)}_pruning_mask", mask) for name, mask in ours.items())
    bias = next(name for name, _ in model.named_parameters() if name.endswith("fc1.bias"))
    held[f"{prefix}{named(bias)}_pruning_mask"] = torch.ones_like(model.get_parameter(bias), dtype=torch.bool)
    theirs = Masks.load(saved(tmp_path, held))
    assert theirs == ours and theirs.iou(ours) == 1.0
    other = mf.rank(model, "lamp").masks(0.63)
    assert 0 < theirs.iou(other) < 1
    pruned = theirs.apply(model)
    assert all(int((pruned.get_parameter(n) != 0).sum()) <= int(mask.sum()) for n, mask in ours.items())


@pytest.mark.parametrize("wrapped", [lambda held: {"model": held, "epoch": 3}, lambda held: {"model_state": held}])
def test_those_beside_the_weights_of_a_checkpoint_are_found(wrapped, tmp_path):
    model = authors.xvlm()
    ours = mf.rank(model, "omp").masks(0.5)
    held = authors.xvlm_of_authors(model)
    held |= {f"{authors.as_xvlm(name)}_pruning_mask": mask.float() for name, mask in ours.items()}
    assert Masks.load(saved(tmp_path, wrapped(held))) == ours


def test_a_file_of_an_older_torch_is_read(tmp_path):
    held = {"fc.weight_pruning_mask": torch.tensor([[True, False]])}
    torch.save(held, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert Masks.load(tmp_path / "old.pth") == Masks({"fc.weight": held["fc.weight_pruning_mask"]})


def test_those_of_packed_projections_are_taken_apart(tmp_path):
    model = authors.clip()
    ours = mf.rank(model, "omp").masks(0.5)
    with torch.no_grad():
        for name, mask in ours.items():
            model.get_parameter(name).copy_(mask)
    held = {f"{n}_pruning_mask": t != 0 for n, t in authors.open_clip(model).items() if "resblocks" in n and t.ndim > 1}
    theirs = Masks.load(saved(tmp_path, held))
    assert theirs == ours


def test_masks_of_other_layers_are_compared_where_both_have_one():
    ours = Masks({"a": torch.tensor([True, False]), "b": torch.tensor([True, True])})
    theirs = Masks({"a": torch.tensor([True, True]), "head": torch.tensor([True])})
    with pytest.raises(ValueError, match=r"only one side has (b|head): take `only` those that both have"):
        ours.iou(theirs)
    assert ours.only(theirs).iou(theirs.only(ours)) == 0.5


class Attack:
    def __reduce__(self):
        return print, ("ran",)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"fc.weight": torch.ones(2)}, "holds no masks"),
        ({"fc.weight_mask": torch.tensor([0.5, 1.0])}, "holds no masks"),
        ({}, "holds no masks"),
        ([1, 2], "holds no masks"),
        ({"fc.weight_pruning_mask": Attack()}, "could run code"),
    ],
)
def test_what_holds_none(held, said, tmp_path, capsys):
    with pytest.raises(ValueError, match=said):
        Masks.load(saved(tmp_path, held))
    assert not capsys.readouterr().out
