"""Properties that hold for every method, allocation and sparsity."""

import itertools
import math
from fractions import Fraction
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import multiflow_core as mf
from multiflow_core.pruning import allocations, criteria, nested_order
from multiflow_core.pruning.exact_cut import interleaved, pruned_count, shares

NAMES = ("vision_a", "text_b", "vision_c", "other", "fusion")
ALLOCATIONS = [way.name for way in allocations.allocations() if way.needs <= {"statistics"}]
METHODS = [m.name for m in mf.methods() if m.build is None and m.needs <= {"statistics"}]
sparsities = st.floats(0, 1, allow_nan=False) | st.sampled_from([0.0, 0.29, 0.57, 0.63, 0.75, 0.9, 1.0])


def matrices():
    """Ties, zeros, constants, scales that underflow, ordinary numbers."""
    shapes = st.tuples(st.integers(1, 5), st.integers(1, 5))
    scales = st.sampled_from([1.0, 1e-20, 1e-38, 1e18])
    kinds = st.sampled_from(["normal", "ties", "zero", "constant"])
    return st.builds(_matrix, shapes, scales, kinds, st.integers(0, 99))


def _matrix(shape, scale, kind, seed):
    generator = np.random.default_rng(seed)
    base = {
        "normal": generator.standard_normal(shape),
        "ties": generator.integers(-2, 3, shape),
        "zero": np.zeros(shape),
        "constant": np.ones(shape),
    }[kind]
    return torch.tensor(base * scale, dtype=torch.float32)


def model_of(weights):
    model = nn.ModuleDict()
    for name, weight in zip(NAMES, weights, strict=False):
        model[name] = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        model[name].weight = nn.Parameter(weight)
    return model


def stats_of(model):
    sums = {name: torch.linspace(0, 3, p.shape[1], dtype=torch.float64) for name, p in model.named_parameters()}
    return mf.Statistics(sums, 2, mf.prunable_layers(model))


@st.composite
def orders(draw):
    """Of small models, and of small ones that are taken for large: those keep no scores and group weights late."""
    model = model_of(draw(st.lists(matrices(), min_size=1, max_size=5)))
    method, allocation = draw(st.sampled_from(METHODS)), draw(st.sampled_from([None, *ALLOCATIONS]))
    with patch.object(nested_order, "SNAPSHOT_LIMIT", draw(st.sampled_from([0, 1000]))):
        return mf.rank(model, method, statistics=stats_of(model), allocation=allocation)


@settings(max_examples=40, deadline=None)
@given(orders(), sparsities, sparsities)
def test_counts_are_exact_and_masks_nest(order, a, b):
    a, b = sorted((a, b))
    low, high = order.masks(a), order.masks(b)
    for s, masks in ((a, low), (b, high)):
        counts = order.layer_counts(s)
        assert counts.sum() == masks.pruned == pruned_count(s, order.total)
        assert counts.tolist() == [int((~masks[layer.name]).sum()) for layer in order.layers]
    assert (order.layer_counts(a) <= order.layer_counts(b)).all()
    assert (low & high) == high


@settings(max_examples=25, deadline=None)
@given(orders(), st.lists(sparsities, min_size=1, max_size=4))
def test_masks_at_several_sparsities_are_the_masks_at_each(order, several):
    assert order.masks_at(several) == [order.masks(s) for s in several]


@settings(max_examples=25, deadline=None)
@given(orders(), st.lists(sparsities, min_size=1, max_size=4))
def test_critical_sparsity_is_what_the_masks_do(order, several):
    critical = {layer.name: order.critical_sparsity(layer.name) for layer in order.layers}
    everything = torch.cat([c.flatten() for c in critical.values()])
    expected = (torch.arange(order.total, dtype=torch.float64) + 1) / order.total
    assert torch.equal(everything.sort().values, expected)
    for s in [*several, *everything[:5].tolist()]:  # also exactly at a critical sparsity
        assert order.masks(s) == {name: c > s for name, c in critical.items()}


@settings(max_examples=40, deadline=None)
@given(orders(), st.lists(sparsities, min_size=1, max_size=4))
def test_dead_neurons_are_the_empty_rows_and_columns_of_the_masks(order, several):
    for s in several:
        masks, dead = order.masks(s), order.dead_neurons(s)
        assert dead.dtype == np.int64 and dead.shape == (len(order.layers), 2)
        for layer, counted in zip(order.layers, dead.tolist(), strict=True):
            kept = masks[layer.name].numpy()
            assert counted == [int((kept.sum(1) == 0).sum()), int((kept.sum(0) == 0).sum())]
            assert masks.dead_neurons()[layer.name] == tuple(counted)


def test_an_interrupted_search_for_dead_neurons_goes_on_where_it_stopped():
    class Interrupted(BaseException):
        pass

    def interrupt(fraction, message):
        raise Interrupted

    order = mf.rank(model_of([torch.rand(3, 2), torch.rand(2, 3)]), "omp")
    with pytest.raises(Interrupted):
        order.dead_neurons(0.5, progress=interrupt)
    assert list(order._last) == [0]
    assert order.dead_neurons(1.0).tolist() == [[3, 2], [2, 3]]


@settings(max_examples=40, deadline=None)
@given(orders(), st.sampled_from([2, 5, 11]))
def test_thresholds_are_the_threshold_at_every_sparsity(order, n):
    for layer in order.layers:
        expected = [order.threshold(layer.name, s) for s in (k / (n - 1) for k in range(n))]
        assert order.thresholds(layer.name, n).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 10**9), st.floats(0, 1))
def test_pruned_count(k, total, s):
    k = min(k, total)
    assert pruned_count(k / total, total) == k
    count = pruned_count(s, total)
    assert count / total <= s < math.inf
    assert count == total or (count + 1) / total > s
    assert abs(count - Fraction(s) * total) < 1 + 1e-6


@pytest.mark.parametrize(("s", "total", "count"), [(0.63, 100, 63), (0.29, 100, 29), (0.57, 100, 57), (1, 7, 7)])
def test_a_sparsity_means_what_is_written(s, total, count):
    assert pruned_count(s, total) == count


def test_merging_groups_agrees_with_sorting():
    for sizes in itertools.product((1, 2, 3, 7, 12), repeat=3):
        keys = sorted((Fraction(2 * r + 1, 2 * n), g, r) for g, n in enumerate(sizes) for r in range(n))
        for k in range(sum(sizes) + 1):
            assert shares(k, sizes) == [sum(g == key[1] for key in keys[:k]) for g in range(3)]
        for g, n in enumerate(sizes):
            places = [i for i, key in enumerate(keys) if key[1] == g]
            assert interleaved(np.arange(n), g, sizes).tolist() == places


@pytest.mark.parametrize("s", [-0.1, 1.1, float("nan"), "0.5", None, True])
def test_sparsity_outside_0_to_1(s):
    with pytest.raises(ValueError, match="sparsity must be a number from 0 to 1"):
        mf.rank(model_of([torch.ones(2, 2)]), "omp").masks(s)


def test_missing_statistics_say_what_to_do():
    with pytest.raises(ValueError, match=r"mf\.calibrate"):
        mf.rank(model_of([torch.ones(2, 2)]), "multiflow")
    model = model_of([torch.ones(2, 2), torch.ones(2, 2)])
    stats = mf.Statistics({"vision_a.weight": torch.ones(2, dtype=torch.float64)}, 1, mf.prunable_layers(model))
    assert stats.missing == ("text_b.weight",)
    with pytest.raises(ValueError, match=r"never ran.*text_b"):
        mf.rank(model, "multiflow", statistics=stats)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named(method, value):
    model = model_of([torch.ones(2, 2), torch.tensor([[1.0, value]])])
    with pytest.raises(ValueError, match=r"text_b\.weight"):
        mf.rank(model, method, statistics=stats_of(model))


def test_unknown_names_are_suggested():
    model = model_of([torch.ones(2, 2)])
    for arguments, hint in [
        ({"method": "multiflw"}, "multiflow"),
        ({"criterion": "magnitud"}, "magnitude"),
        ({"allocation": "globl"}, "global"),
    ]:
        with pytest.raises(ValueError, match=f"did you mean '{hint}'"):
            mf.rank(model, **arguments)
    with pytest.raises(ValueError, match="option"):
        mf.rank(model, "omp", steps=3)
    with pytest.raises(ValueError, match="no layer"):
        mf.rank(model, "omp").critical_sparsity("nothing")


def test_the_order_outlives_the_weights():
    model = model_of([torch.randn(4, 4), torch.randn(3, 4)])
    order = mf.rank(model, "omp")
    before = order.masks(0.5)
    with torch.no_grad():
        model["vision_a"].weight.mul_(before["vision_a.weight"])
    assert order.masks(0.5) == before


def test_a_large_order_keeps_no_scores_and_notices_changed_weights(monkeypatch):
    model = model_of([torch.randn(4, 4), torch.randn(3, 4)])
    for method in METHODS:
        small = mf.rank(model, method, statistics=stats_of(model))
        with monkeypatch.context() as patch:
            patch.setattr(nested_order, "SNAPSHOT_LIMIT", 0)
            large = mf.rank(model, method, statistics=stats_of(model))
        assert large.masks(0.6) == small.masks(0.6)
    model["vision_a"].weight.data *= 0.5
    with pytest.raises(RuntimeError, match=r"vision_a\.weight was changed"):
        large.masks(0.6)


def test_a_method_whose_order_does_not_fit_says_so_before_it_begins(monkeypatch):
    model = model_of([torch.randn(4, 4), torch.randn(3, 4)])
    monkeypatch.setattr(nested_order, "SNAPSHOT_LIMIT", 0)
    monkeypatch.setattr("multiflow_core.support.memory.available_memory", lambda: 100)
    with pytest.raises(ValueError, match=r"LAMP holds the order of .* but only .* GB are free: choose MULTIFLOW"):
        mf.rank(model, "lamp")
    assert mf.rank(model, "omp").masks(0.5).sparsity == 0.5


def test_many_values_in_many_bins():
    """Large enough for every branch of the merge, small enough to sort outright."""
    torch.manual_seed(0)
    weights = [torch.randn(64, 32), torch.randn(48, 32) * 2, (torch.randn(64, 16) * 4).round() / 4]
    model = model_of(weights)
    flat = torch.cat([w.abs().flatten() for w in weights]).numpy()
    ranks = np.empty(len(flat), dtype=np.int64)
    ranks[np.argsort(flat, kind="stable")] = np.arange(len(flat))
    order = mf.rank(model, "omp")
    for s in (0.01, 0.3, 0.63, 0.9):
        kept = torch.cat([mask.flatten() for mask in order.masks(s).values()]).numpy()
        assert (kept == (ranks >= pruned_count(s, len(flat)))).all()
    critical = torch.cat([order.critical_sparsity(layer.name).flatten() for layer in order.layers]).numpy()
    assert (critical == (ranks + 1) / len(flat)).all()


def test_curve_is_a_read_only_table():
    order = mf.rank(model_of([torch.randn(5, 5), torch.randn(5, 2)]), "omp")
    table = order.curve()
    assert table.shape == (2, 101)
    assert table[:, 0].tolist() == [0, 0]
    assert table[:, -1].tolist() == [1, 1]
    assert table[:, 63].tolist() == list(order.layer_sparsity(0.63).values())
    assert order.curve() is table
    with pytest.raises(ValueError, match="read-only"):
        table[0, 0] = 1


def test_half_precision_is_scored_in_float32():
    model = model_of([torch.randn(6, 5), torch.randn(4, 6)]).half()
    stats = stats_of(model)
    order = mf.rank(model, statistics=stats)
    assert order.score("vision_a.weight").dtype == torch.float32
    assert order.masks(0.5) == mf.rank(model.float(), statistics=stats).masks(0.5)


def test_the_model_is_only_read():
    model = model_of([torch.randn(6, 5), torch.randn(4, 6)])
    before = {name: p.clone() for name, p in model.named_parameters()}
    state = torch.get_rng_state()
    for method in METHODS:
        mf.rank(model, method, statistics=stats_of(model)).masks(0.7)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_random_depends_on_seed_and_name_not_on_the_order_of_layers():
    model = model_of([torch.randn(6, 5), torch.randn(4, 6)])
    layers = mf.prunable_layers(model)
    one = mf.rank(model, "random", seed=3)
    other = mf.rank(model, "random", seed=3, layers=layers[::-1])
    assert one.masks(0.5) == other.masks(0.5)
    assert one.masks(0.5) != mf.rank(model, "random", seed=4).masks(0.5)


def test_progress_may_stop_the_work():
    class Stop(BaseException):
        pass

    def stop(fraction, message):
        raise Stop

    with pytest.raises(Stop):
        mf.rank(model_of([torch.ones(2, 2)]), "omp", progress=stop)
    seen = []
    mf.rank(model_of([torch.ones(2, 2)] * 3), "omp", progress=lambda f, m: seen.append(f))
    assert seen == [1 / 3, 2 / 3, 1.0]


def test_a_criterion_that_returns_its_input_does_not_tie_the_order_to_the_weight():
    raw = criteria.Criterion("raw", "Raw", "w", lambda weight, context: weight)
    model = model_of([torch.tensor([[-1.0, 2.0], [0.5, -3.0]])])
    order = mf.rank(model, criterion=raw, allocation="global")
    before = order.masks(0.5)
    with torch.no_grad():
        model["vision_a"].weight.zero_()
    assert order.masks(0.5) == before == {"vision_a.weight": torch.tensor([[False, True], [True, False]])}
