"""Criteria, allocations and patterns: against slow references, and by the properties their papers claim."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import multiflow_core as mf
from multiflow_core.pruning import criteria
from multiflow_core.pruning.criteria import Context, lamp
from multiflow_core.pruning.exact_cut import pruned_count
from multiflow_core.pruning.method import get
from tests.core import reference_methods as slow
from tests.core.reference import Toy, count, toy_batch

NAMES = ("l2", "lamp", "wanda", "snip", "magnitude", "flow")


@pytest.fixture(scope="module")
def model():
    return Toy()


@pytest.fixture(scope="module")
def stats(model):
    return mf.calibrate(model, [toy_batch(seed=1), toy_batch(seed=2)])


def context(weight, seed=0):
    generator = torch.Generator().manual_seed(seed)
    layer = mf.PrunableLayer("w", tuple(weight.shape))
    norms = torch.rand(weight.shape[1], generator=generator) + 0.1
    return Context(layer, {"statistics": norms, "gradients": torch.randn(weight.shape, generator=generator)})


@pytest.mark.parametrize(("method", "scores"), [("l2", slow.l2_scores), ("lamp", slow.lamp_scores)])
@pytest.mark.parametrize("sparsity", [0.3, 0.63, 0.9])
def test_global_scores_against_the_reference(model, method, scores, sparsity):
    order = mf.rank(model, method)
    expected = {name: scores(weight) for name, weight in slow.weights_of(model, order.layers).items()}
    for name, values in expected.items():
        torch.testing.assert_close(order.score(name), torch.tensor(values), rtol=1e-6, atol=0)
    masks = slow.global_masks(expected, count(sparsity, order.total))
    assert order.masks(sparsity) == {n: torch.tensor(m).view(order.masks(0)[n].shape) for n, m in masks.items()}


@pytest.mark.parametrize("name", NAMES)
def test_permuted_neurons_have_permuted_scores(name):
    torch.manual_seed(0)
    weight = torch.randn(6, 7)
    known = context(weight)
    rows, columns = torch.randperm(6), torch.randperm(7)
    moved = Context(known.layer, {"statistics": known.norms[columns], "gradients": known.gradient[rows][:, columns]})
    score = criteria.get(name).function
    torch.testing.assert_close(score(weight[rows][:, columns], moved), score(weight, known)[rows][:, columns])


@pytest.mark.parametrize(("name", "power"), [("l2", 0), ("lamp", 0), ("wanda", 1), ("snip", 1), ("flow", 3)])
@pytest.mark.parametrize("scale", [0.25, 1e-12, 1e-30, 1e9])
def test_scale(name, power, scale):
    """Layer-relative scores do not see the scale of a layer, also where float32 squares would underflow."""
    weight = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    score = criteria.get(name).function
    expected = score(weight, context(weight)).double() * float(torch.tensor(scale)) ** power
    torch.testing.assert_close(score(weight * scale, context(weight)).double(), expected, rtol=1e-5, atol=0)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 400), st.integers(1, 3), st.integers(0, 99))
def test_lamp_never_exceeds_1_and_the_largest_has_it(n, digits, seed):
    weight = torch.from_numpy(np.random.default_rng(seed).standard_normal((1, n)).round(digits)).float()
    score = lamp(weight)
    assert 0 <= float(score.min()) <= float(score.max()) <= 1
    largest = int((weight.abs() == weight.abs().max()).sum())
    if float(weight.abs().max()):
        assert float(score.max()) == pytest.approx(1 / largest)


def test_lamp_in_a_large_layer_of_almost_equal_weights():
    """Where `sum - cumsum` in float32 went above 1."""
    weight = 1 + torch.rand(512, 512, generator=torch.Generator().manual_seed(0)) * 1e-3
    twins = int((weight == weight.max()).sum())
    assert float(lamp(weight).max()) == pytest.approx(1 / twins)
    assert not bool(lamp(torch.zeros(3, 3)).any())


def test_lamp_empties_no_layer_before_the_others():
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    with torch.no_grad():
        model[0].weight.mul_(1e-3)
    assert mf.rank(model, "omp").layer_counts(0.5).tolist() == [64, 0]
    assert mf.rank(model, "lamp").layer_counts(126 / 128).tolist() == [63, 63]
    assert abs(np.diff(mf.rank(model, "l2").layer_counts(0.5))[0]) < 16


def test_wanda_compares_inside_each_row(model, stats):
    order = mf.rank(model, "wanda", statistics=stats)
    masks = order.masks(0.5)
    for layer in order.layers:
        gone = (~masks[layer.name]).sum(1)
        assert int(gone.max() - gone.min()) <= 1
        weight = slow.weights_of(model, [layer])[layer.name]
        norms = stats.norm(layer.name).tolist()
        for row, lost in enumerate(gone.tolist()):
            assert masks[layer.name][row].tolist() == slow.wanda_rows([weight[row]], norms, lost)[0]


def test_a_row_of_large_weights_is_not_spared():
    layer = nn.Linear(4, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0, 3.0, 4.0], [100.0, 400.0, 300.0, 200.0]]))
    stats = mf.calibrate(layer, [{"input": torch.ones(1, 4)}])
    order = mf.rank(layer, "wanda", statistics=stats)
    assert order.masks(0.5)["weight"].int().tolist() == [[0, 0, 1, 1], [0, 1, 1, 0]]
    assert order.masks(0.375)["weight"].int().tolist() == [[0, 0, 1, 1], [0, 1, 1, 1]]  # the first row goes first
    assert order.threshold("weight", 0.5) == 200
    weighted = mf.calibrate(layer, [{"input": torch.tensor([[9.0, 1.0, 1.0, 1.0]])}])
    assert mf.rank(layer, "wanda", statistics=weighted).masks(0.5)["weight"].int().tolist() == [
        [1, 0, 0, 1],
        [1, 1, 0, 0],
    ]


def test_given_sparsities_hold_exactly_where_they_all_do(model):
    given_ones = {"patch.weight": 0.37, "key.weight": 0.9, "fusion_fc.weight": 1.0}
    order = mf.rank(model, criterion="lamp", allocation=given_ones)
    masks = order.masks()
    for layer in order.layers:
        assert int((~masks[layer.name]).sum()) == count(given_ones.get(layer.name, 0.0), layer.size)
    assert masks == order.masks(order.implied_sparsity)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=2), st.floats(0, 1), st.floats(0, 1))
def test_given_sparsities_stay_nested_and_exact(shares, a, b):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 4), nn.Linear(4, 2))
    order = mf.rank(model, "omp", allocation=dict(zip(("0.weight", "2.weight"), shares, strict=True)))
    a, b = sorted((a, b))
    low, high = order.masks(a), order.masks(b)
    assert (low & high) == high
    assert low.pruned == pruned_count(a, order.total)
    critical = {layer.name: order.critical_sparsity(layer.name) for layer in order.layers}
    for s in (a, b, order.implied_sparsity):
        assert order.masks(s) == {name: c > s for name, c in critical.items()}


@pytest.mark.parametrize(
    ("allocation", "sentence"),
    [
        ({"patch.wait": 0.5}, r"no layer is called 'patch.wait', did you mean 'patch.weight'"),
        ({"patch.weight": 1.5}, r"allocation of patch.weight: sparsity must be a number from 0 to 1, not 1.5"),
        ({"patch.weight": "half"}, r"from 0 to 1, not 'half'"),
    ],
)
def test_a_wrong_allocation_is_one_sentence(model, allocation, sentence):
    with pytest.raises(ValueError, match=sentence):
        mf.rank(model, "omp", allocation=allocation)


def test_without_given_sparsities_none_is_implied(model):
    with pytest.raises(ValueError, match="sparsity must be a number"):
        mf.rank(model, "omp").masks()


@pytest.mark.parametrize(("n", "m"), [(2, 4), (4, 8), (1, 2)])
@pytest.mark.parametrize("criterion", ["magnitude", "flow", "wanda"])
def test_nm_patterns(n, m, criterion):
    model = nn.Sequential(nn.Linear(16, 6), nn.Linear(8, 3))
    layers = mf.prunable_layers(model)
    sums = {layer.name: torch.linspace(1, 2, layer.shape[1], dtype=torch.float64) for layer in layers}
    order = mf.rank(model, criterion=criterion, allocation="uniform", statistics=mf.Statistics(sums, 1, layers))
    masks = order.masks_nm(n, m)
    for name, mask in masks.items():
        groups, scores = mask.reshape(-1, m), order.score(name).reshape(-1, m)
        assert (groups.sum(1) == n).all()
        for keep, score in zip(groups, scores, strict=True):
            assert float(score[keep].min()) >= float(score[~keep].max())
    assert masks.sparsity == 1 - n / m


def test_a_pattern_that_does_not_fit_names_the_layer(model):
    with pytest.raises(ValueError, match="2:4 pattern needs inputs in groups of 4, but patch.weight has 6"):
        mf.rank(model, "omp").masks_nm(2, 4)
    for n, m in ((0, 4), (5, 4), (2.0, 4), (True, 4)):
        with pytest.raises(ValueError, match="keeps N of M"):
            mf.rank(model, "omp").masks_nm(n, m)


@pytest.mark.parametrize(
    ("method", "option", "value", "sentence"),
    [
        ("itersnip", "steps", 0, "steps of IterSNIP must be a whole number from 1 on, not 0"),
        ("itersnip", "steps", 2.5, "whole number"),
        ("itersnip", "batches_per_step", True, "whole number"),
        ("chita", "lam", 0, "lam of CHITA must be a number above 0, not 0"),
        ("chita", "alpha", -1, "alpha of CHITA must be"),
        ("chita", "block", "all", "whole number"),
        ("chita++", "start", 1.5, "from 0 to 1"),
        ("tamt", "rate", float("nan"), "above 0"),
        ("tamt", "scope", "local", "layer or global"),
        ("sparsegpt", "damping", -0.1, "above 0"),
    ],
)
def test_options_are_checked_in_one_sentence(method, option, value, sentence):
    with pytest.raises(ValueError, match=sentence):
        get(method).settings({option: value})


def test_defaults_are_allowed_and_documented():
    for method in mf.methods():
        for name, option in method.options.items():
            assert option.allows(option.default), (method.name, name)
            assert option.doc
            assert option.must_be
