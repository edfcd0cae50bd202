"""Claims that every registered method must keep, also one added tomorrow."""

import pytest
import torch

import multiflow_core as mf
from multiflow_core.calibration.second_moments import second_moments
from tests.core.reference import Toy, count, toy_batch

FEW = {"itersnip": {"steps": 4}, "chita++": {"stages": 2}, "tamt": {"steps": 6, "rate": 5e-3, "refresh": 3}}
SPARSITIES = (0.3, 0.63, 0.9)


@pytest.fixture(scope="module")
def given():
    model = Toy()
    batches = [toy_batch(seed=seed) for seed in (1, 2)]
    return model, batches, second_moments(model, batches)


def ranked(given, method, **more):
    model, batches, statistics = given
    return mf.rank(
        model,
        method,
        statistics=statistics,
        batches=batches,
        objective=lambda m, b: m(**b).square().mean() * 30,
        **FEW.get(method.name, {}),
        **more,
    )


@pytest.mark.parametrize("method", mf.methods(), ids=lambda method: method.name)
def test_claims(given, method):
    model = given[0]
    order = ranked(given, method)
    assert (order.nested, order.updates_weights) == (method.nested, method.updates_weights)
    assert order.method is method
    masks = {s: order.masks(s) for s in SPARSITIES}
    for s in SPARSITIES:
        assert masks[s].pruned == order.layer_counts(s).sum() == count(s, order.total)
        assert set(order.layer_sparsity(s)) == {layer.name for layer in order.layers}
        assert set(order.modality_sparsity(s)) == {layer.modality for layer in order.layers}
    if method.nested:
        assert masks[0.3] & masks[0.63] == masks[0.63]
        assert masks[0.63] & masks[0.9] == masks[0.9]
        assert order.curve(11).shape == (len(order.layers), 11)
    weights = order.weights(0.63)
    assert (weights is not None) == method.updates_weights
    pruned = dict(masks[0.63].apply(model, weights).named_parameters())
    dense = dict(model.named_parameters())
    moved = 0
    for name, mask in masks[0.63].items():
        assert not bool(pruned[name][~mask].any())
        moved += int((pruned[name] != dense[name])[mask].sum())
    assert (moved > 0) == method.updates_weights


@pytest.mark.parametrize("method", mf.methods(), ids=lambda method: method.name)
def test_the_same_again_and_only_chance_depends_on_the_seed(given, method):
    first, again, other = (ranked(given, method, seed=seed) for seed in (0, 0, 1))
    assert first.masks(0.63) == again.masks(0.63)
    assert (first.masks(0.63) != other.masks(0.63)) == method.chance
    if method.updates_weights:
        assert all(torch.equal(w, again.weights(0.63)[name]) for name, w in first.weights(0.63).items())


def test_all_methods_of_the_paper_are_there():
    names = "random omp localmp l2 lamp snip itersnip chita chita++ tamt multiflow wanda sparsegpt"
    assert set(names.split()) <= {method.name for method in mf.methods()}
