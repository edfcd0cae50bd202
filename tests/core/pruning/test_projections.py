"""Projections of smaller models: a regression on what the towers write, for every family that has one, never the dense model's."""

import copy

import pytest
import torch

from benchmarks.models import build
from multiflow_core.calibration.projections import projections
from multiflow_core.calibration.samples import Samples
from multiflow_core.data import dataset
from multiflow_core.families import family_of
from multiflow_core.models.smaller import smaller
from multiflow_core.models.vlm import VLM
from multiflow_core.pruning.projections import DAMPING, reread
from tests.core.models.test_units import llama


@pytest.fixture(scope="module")
def batches(vlm):
    return list(vlm.batches(dataset.open().pairs(40, 0, vlm.side)))


def moved(model, by=0.02):
    """The model with the weights of its towers a little off."""
    new = copy.deepcopy(model)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in new.named_parameters():
            if parameter.ndim > 1 and not any(name.startswith(own) for own in projections(model)):
                parameter += by * parameter.std() * torch.randn_like(parameter)
    return new


def test_it_is_a_regression_with_the_damping_that_is_said(vlm, batches):
    small = moved(vlm.model, 0.2)
    with torch.no_grad():
        x, t = (
            torch.cat([one.vision_model(pixel_values=b["pixel_values"]).last_hidden_state[:, 0] for b in batches])
            for one in (small, vlm.model)
        )
        said = vlm.model.vision_proj(t).double()
    was = torch.cat([vlm.model.vision_proj.weight, vlm.model.vision_proj.bias[:, None]], 1).detach().double()
    x = torch.cat([x, torch.ones(len(x), 1)], 1).double()
    heavy = (DAMPING * x.square().sum(0)[:-1].mean()).sqrt()
    extra = torch.diag(torch.tensor([float(heavy)] * (x.shape[1] - 1) + [0.0])).double()  # as rows that ask for W0
    slow = torch.linalg.lstsq(torch.cat([x, extra]), torch.cat([said, extra @ was.T])).solution.T
    reread(vlm.model, small, Samples.of(vlm.model, batches))
    assert torch.allclose(small.vision_proj.weight.double(), slow[:, :-1], atol=1e-3)
    assert torch.allclose(small.vision_proj.bias.double(), slow[:, -1], atol=1e-2)


def test_the_dense_models_own_is_untouched_and_of_the_same_towers_found_again(vlm, batches):
    before = {name: parameter.clone() for name, parameter in vlm.model.named_parameters()}
    same = smaller(vlm.model, (), {})  # around the very same tensors
    assert same.vision_proj.weight is vlm.model.vision_proj.weight
    reread(vlm.model, same, Samples.of(vlm.model, batches))
    assert all(torch.equal(parameter, before[name]) for name, parameter in vlm.model.named_parameters())
    assert same.vision_proj.weight is not vlm.model.vision_proj.weight
    for name in ("vision_proj", "text_proj"):
        assert torch.allclose(getattr(same, name).weight, getattr(vlm.model, name).weight, atol=1e-4)


def test_pictures_and_texts_are_nearer_to_where_they_were(vlm, batches):
    small, unseen = moved(vlm.model, 0.3), dataset.open().pairs(24, 7, vlm.side)
    images, texts = zip(*unseen)

    def far(model):
        ours, dense = (VLM("", one, vlm.processor, vlm.family) for one in (model, vlm.model))
        return [
            float((getattr(ours, embed)(given) - getattr(dense, embed)(given)).square().sum())
            for embed, given in (("embed_images", images), ("embed_texts", texts))
        ]

    before = far(small)
    reread(vlm.model, small, Samples.of(vlm.model, batches))
    assert all(after < was for after, was in zip(far(small), before))


@pytest.mark.parametrize(
    ("name", "own"),
    [("clip-b32", 2), ("siglip-base", 1), ("blip-base-retrieval", 2), ("siglip2-base", 1), ("xvlm-base", 2)],
)
def test_every_family_that_has_projections_solves_them(name, own):
    model, processor = build(name, small=True)
    vlm = VLM(name, model.eval(), processor, family_of(model))
    batches = list(vlm.batches(dataset.open().pairs(4, 0, vlm.side)))
    small = moved(model)
    old = {path: small.get_submodule(path).weight.clone() for path in projections(model)}
    reread(model, small, Samples.of(model, batches))
    assert len(old) == own
    assert all(not torch.equal(small.get_submodule(path).weight, weight) for path, weight in old.items())


def test_a_model_without_any_is_left_alone():
    model = build("blip-base-captioning", small=True)[0]
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    assert projections(model) == ()
    reread(model, model, Samples.of(llama(), [{"input_ids": torch.tensor([[1, 2]])}]))
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())
