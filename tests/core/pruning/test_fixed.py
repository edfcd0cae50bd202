"""Layers that stay dense, or have a sparsity of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import multiflow_core as mf
from multiflow_core.pruning.exact_cut import pruned_count
from multiflow_core.pruning.patterns import fixed_sparsity, read_fixed, write_fixed


def model() -> nn.Module:
    torch.manual_seed(0)
    towers = {
        name: nn.Sequential(*(nn.ModuleDict({"fc1": nn.Linear(6, 5), "fc2": nn.Linear(5, 6)}) for _ in range(2)))
        for name in ("vision", "text")
    }
    return nn.ModuleDict(towers)


SIZES = {layer.name: layer.size for layer in mf.prunable_layers(model())}
BATCHES = [torch.randn(4, 6, generator=torch.Generator().manual_seed(i)) for i in range(3)]


def forward(model: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    for tower in model.values():
        for block in tower:
            batch = block["fc2"](block["fc1"](batch).relu())
    return batch


def order(method: str, fixed: dict[str, float]) -> mf.Order:
    net = model()
    stats = mf.calibrate(net, BATCHES, forward=forward) if method in ("multiflow", "wanda") else None
    return mf.rank(net, method, statistics=stats, fixed=fixed)


@pytest.mark.parametrize("method", ["omp", "multiflow", "wanda", "localmp", "lamp", "random", "l2"])
@given(st.floats(0, 1), st.sampled_from([{"text": 0}, {"vision": 0.5, "text.1*": 0}, {"fc1": 0.3}]))
@settings(max_examples=8, deadline=None)
def test_the_counts_are_exact_and_what_is_fixed_does_not_move(method, sparsity, fixed):
    known = order(method, fixed)
    masks = known.masks(sparsity)
    own = fixed_sparsity(known.layers, fixed)
    free = [name for name in masks if name not in own]
    pruned = {name: int((~mask).sum()) for name, mask in masks.items()}
    assert list(masks) == [layer.name for layer in known.layers]
    assert sum(pruned[n] for n in free) == pruned_count(sparsity, sum(SIZES[n] for n in free)) and known.fixed == own
    for share in set(own.values()):
        alike = [name for name in own if own[name] == share]
        assert sum(pruned[n] for n in alike) == pruned_count(share, sum(SIZES[n] for n in alike))
    assert known.layer_counts(sparsity).tolist() == [pruned[layer.name] for layer in known.layers]


@pytest.mark.parametrize("method", ["omp", "multiflow", "wanda"])
def test_all_that_an_order_answers_is_of_its_masks(method):
    known = order(method, {"text 0": 0.4, "vision 1": 0})
    steps = [k / 10 for k in range(11)]
    masks = known.masks_at(steps)
    for name in (layer.name for layer in known.layers):
        kept = torch.stack([mask[name] for mask in masks])
        critical, scores = known.critical_sparsity(name), known.score(name)
        assert torch.equal(kept, torch.stack([critical > s for s in steps]))
        assert known.survived(name, 11).tolist() == kept.sum(0).flatten().tolist()
        for s, mask in zip(steps, kept):
            gone = scores[~mask]
            assert known.threshold(name, s) == (float(gone.max()) if len(gone) else -math.inf)
        assert known.thresholds(name, 11).tolist() == [known.threshold(name, s) for s in steps]
    table = [[int((~mask[layer.name]).sum()) for mask in masks] for layer in known.layers]
    assert known.count_table(11).tolist() == table
    assert np.array_equal(known.curve(11), np.array(table) / [[layer.size] for layer in known.layers])
    for s, mask in zip(steps, masks):
        assert known.dead_neurons(s).tolist() == [list(dead) for dead in mask.dead_neurons().values()]


def test_what_is_free_is_ranked_as_if_it_were_alone():
    net = model()
    text = tuple(layer for layer in mf.prunable_layers(net) if layer.modality == "text")
    alone = mf.rank(net, "omp", layers=text).masks(0.7)
    beside = mf.rank(net, "omp", fixed={"vision": 0.2}).masks(0.7)
    assert all(torch.equal(mask, beside[name]) for name, mask in alone.items())


def test_layers_of_a_method_that_solves_anew_stay_as_they_are_where_they_are_dense():
    net = model()
    moments = mf.second_moments(net, BATCHES, forward=forward)
    known = mf.rank(net, "sparsegpt", statistics=moments, fixed={"vision": 0, "text 0": 0.5})
    masks, weights = known.masks(0.6), known.weights(0.6)
    text = [layer for layer in known.layers if layer.modality == "text"]
    assert set(weights) == {layer.name for layer in text} and known.updates_weights
    assert all(bool(masks[layer.name].all()) for layer in known.layers if layer.modality == "vision")
    assert all(torch.equal(weights[layer.name] == 0, ~masks[layer.name]) for layer in text)
    assert masks.apply(net, weights)["vision"][0]["fc1"].weight.equal(net["vision"][0]["fc1"].weight)
    with pytest.raises(ValueError, match="do not nest"):
        known.critical_sparsity(text[0].name)


def test_patterns_are_written_and_read():
    fixed = read_fixed("text=dense, vision 3=0.5,a=b=keep")
    assert fixed == {"text": 0.0, "vision 3": 0.5, "a=b": 0.0}
    assert read_fixed(write_fixed(fixed)) == fixed and read_fixed("") == {} == read_fixed(" , ")


@pytest.mark.parametrize("text", ["text", "text=", "text=2", "=0.5", "text=nan", "text=-0.1", "text=half"])
def test_what_fixes_nothing_is_refused(text):
    with pytest.raises(ValueError, match="fixes nothing"):
        read_fixed(text)


@pytest.mark.parametrize(
    ("fixed", "said"),
    [
        ({"txt": 0}, "no layer is meant by 'txt': there are the modalities vision, text"),
        ({"*": 0.5}, "every layer is fixed"),
        ({"text": 1.5}, "lies between 0 and 1"),
        ({"text": True}, "lies between 0 and 1"),
    ],
)
def test_what_cannot_be_fixed_is_said(fixed, said):
    with pytest.raises(ValueError, match=said):
        mf.rank(model(), "omp", fixed=fixed)


def test_an_allocation_that_says_every_layer_is_not_fixed_too():
    with pytest.raises(ValueError, match="leave one of the two out"):
        mf.rank(model(), criterion="magnitude", allocation={"vision.0.fc1.weight": 0.5}, fixed={"text": 0})
