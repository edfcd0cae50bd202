"""Whole blocks: which ones go is a matter of how much they change, and the block before them writes what they wrote."""

import pytest
import torch

import multiflow_core as mf
from multiflow_core.calibration.samples import Samples
from multiflow_core.data import dataset
from multiflow_core.models.smaller import smaller
from multiflow_core.models.units import Stack, stacks_of
from multiflow_core.pruning.blocks import changes, chosen
from multiflow_core.weights.masks import rebuilt
from tests.core.models.test_units import llama


@pytest.fixture(scope="module")
def batches(vlm):
    return list(vlm.batches(dataset.open().pairs(6, 0, vlm.side)))


def quieted(model, number, by):
    """The model whose block of vision writes so much of what it wrote."""
    new = {}
    for name, parameter in model.named_parameters():
        if name.startswith(f"vision_model.encoder.layers.{number}.") and ("projection" in name or "fc2" in name):
            new[id(parameter)] = torch.nn.Parameter(parameter * by)
    return rebuilt(model, new)


def test_the_config_says_how_long_a_stack_is(vlm):
    assert stacks_of(vlm.model) == (Stack("vision_model.encoder.layers", 6, "vision_config.num_hidden_layers"),)
    assert [stack.path for stack in stacks_of(llama())] == ["model.layers"]


def test_the_block_that_changes_least_goes(vlm, batches):
    model = quieted(vlm.model, 2, 0.01)
    samples = Samples.of(model, batches)
    stack = stacks_of(model)[0]
    change = changes(model, stack, samples)
    assert change.index(min(change)) == 2 and change[2] < 0.01 * change[0]
    assert chosen(model, vlm.layers, {"vision": 1}, samples) == {stack: frozenset({2})}


def test_the_last_block_goes_last_however_little_it_changes(vlm, batches):
    model, stack = quieted(vlm.model, 5, 0.01), stacks_of(vlm.model)[0]
    samples = Samples.of(model, batches)
    change = changes(model, stack, samples)
    assert change.index(min(change)) == 5
    ((gone,), (all_of_them,)) = (chosen(model, vlm.layers, {"vision": n}, samples).values() for n in (1, 5))
    assert gone == {min(range(1, 5), key=lambda n: change[n])} and all_of_them == {1, 2, 3, 4, 5}


def test_a_block_that_writes_nothing_is_missed_by_nobody(vlm, batches):
    model, stack = quieted(vlm.model, 3, 0.0), stacks_of(vlm.model)[0]
    small = smaller(model, (), {}, {stack: {3}})
    pixels = batches[0]["pixel_values"]
    with torch.no_grad():
        ours, theirs = (one.vision_model(pixel_values=pixels).last_hidden_state for one in (small, model))
    assert small.config.vision_config.num_hidden_layers == 5 and torch.allclose(ours, theirs, atol=1e-5)
    assert small.vision_model.encoder.layers[3].mlp.fc1.weight is model.vision_model.encoder.layers[4].mlp.fc1.weight


def test_the_block_before_takes_over(parts, batches):
    def far(model):
        with torch.no_grad():
            pixels = batches[0]["pixel_values"]
            ours, theirs = (one.vision_model(pixel_values=pixels).last_hidden_state for one in (model, parts))
        return float((ours - theirs).square().mean())

    how = {"order": mf.rank(parts, "omp"), "batches": batches, "drop": {"vision": 1}}
    cut, solved = (mf.slim(parts, 1.0, fit=fit, **how) for fit in (False, True))
    assert far(solved) < 0.8 * far(cut)
    assert solved.config.vision_config.num_hidden_layers == 1


@pytest.mark.parametrize(
    ("drop", "said"), [({"text": 1}, "no block of text can go"), ({"vision": 6}, "from 1 to 5 can go")]
)
def test_what_cannot_go_is_said(vlm, batches, drop, said):
    with pytest.raises(ValueError, match=said):
        mf.slim(vlm, 0.5, "omp", batches=batches, fit=False, drop=drop)
