"""Histograms under a slider against numpy and against counting one weight at a time."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import multiflow_core as mf
from multiflow_core.analysis import histograms
from multiflow_core.analysis.histograms import (
    cut_histogram,
    lifetimes,
    log_bins,
    log_edges,
    magnitude_quantiles,
    magnitudes,
)
from multiflow_core.pruning import exact_cut
from multiflow_core.pruning.exact_cut import pruned_count
from tests.core.pruning.test_nested_order import METHODS, matrices, model_of, orders, stats_of

positive = st.floats(1e-30, 1e30) | st.floats(0.5, 2.0) | st.just(0.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(positive, min_size=1, max_size=60), st.sampled_from([np.float32, np.float64]))
def test_bins_agree_with_numpys_histogram(values, dtype):
    values = np.array(values, dtype=dtype)
    found = cut_histogram(lambda i: values, [np.zeros(len(values), dtype=np.uint8)], ["all"], steps=1)
    assert found.zeros.tolist() == [[(values == 0).sum()] * 2]
    if found.total.size:
        expected, _ = np.histogram(values[values > 0].astype(np.float64), found.edges)
        assert found.total[0].tolist() == expected.tolist()
        assert found.total[0, 0] and found.total[0, -1]  # no empty bins at the ends


def test_edges_are_eighths_of_powers_of_two():
    edges = log_edges(int(log_bins(np.array(0.25))), 17)
    assert edges.tolist() == [
        0.25 + k / 32 for k in range(8)] + [0.5 + k / 16 for k in range(8)] + [1.0, 1.125]  # fmt: skip
    assert (log_bins(edges) - log_bins(edges[:1])).tolist() == list(range(18))
    below = np.nextafter(edges, 0)
    assert (log_bins(below) - log_bins(edges[:1])).tolist() == list(range(-1, 17))


def test_values_below_zero_are_refused():
    assert log_bins(np.array([-0.0, 0.0])).tolist() == [0, 0]
    with pytest.raises(ValueError, match="below zero"):
        log_bins(np.array([1.0, -1e-9]))


@settings(max_examples=25, deadline=None)
@given(orders(), st.integers(2, 12))
def test_lifetimes_are_what_the_masks_do(order, steps):
    lives = lifetimes(order, order.layers, steps)
    for k in range(steps):
        masks = order.masks(k / (steps - 1))
        for layer, life in zip(order.layers, lives, strict=True):
            assert ((life > k) == masks[layer.name].flatten().numpy()).all()


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.sampled_from([0.0, -0.0, 1.0, 1.0001, 1.5, -2.0, 3.0]) | st.floats(-9, 9, width=32), min_size=1, max_size=50
    ),
    st.lists(st.integers(0, 50), min_size=1, max_size=9),
    st.integers(13, 24),
)
def test_steps_survived_by_ranking(values, counts, bits):
    values, counts = np.array(values, dtype=np.float32), np.sort(np.minimum(counts, len(values)))
    ranks = np.empty(len(values), dtype=int)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    expected = [sum(rank >= count for count in counts) for rank in ranks]
    with pytest.MonkeyPatch.context() as patch:  # as large layers do it, with few and with many values in a cell
        patch.setattr(exact_cut, "_RANKED", 0)
        patch.setattr(exact_cut, "_CELL", bits)
        assert exact_cut.steps_survived(values, counts).tolist() == expected
    assert exact_cut.steps_survived(values.astype(np.float64), counts).tolist() == expected


def test_many_steps_need_a_wider_number():
    order = mf.rank(model_of([torch.arange(30.0).reshape(5, 6)]), "omp")
    life = order.survived("vision_a.weight", 301)
    assert life.dtype == np.uint16 and life.max() == 300 and life.min() == 10


@settings(max_examples=25, deadline=None)
@given(orders())
def test_kept_and_cut_add_up_at_every_step(order):
    steps = 5
    lives = lifetimes(order, order.layers, steps)
    groups = [layer.modality for layer in order.layers]
    scores = [order.score(layer.name).flatten().numpy() for layer in order.layers]
    found = cut_histogram(lambda i: scores[i], lives, groups, steps)
    assert found.groups == tuple(dict.fromkeys(groups))
    for k in range(steps):
        cut, kept = found.cut(k), found.kept(k)
        assert (cut >= 0).all() and (kept >= 0).all() and (cut + kept == found.total).all()
        assert cut.sum() + found.zeros[:, k].sum() == pruned_count(k / (steps - 1), order.total)
        for g, group in enumerate(found.groups):
            own = np.concatenate([s for s, name in zip(scores, groups, strict=True) if name == group])
            gone = np.concatenate([life <= k for life, name in zip(lives, groups, strict=True) if name == group])
            bins = np.searchsorted(found.edges, own, side="right") - 1  # none for zeros
            assert found.total[g].tolist() == [int((bins == b).sum()) for b in range(len(found.edges) - 1)]
            assert cut[g].tolist() == [int(((bins == b) & gone).sum()) for b in range(len(found.edges) - 1)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=30))
def test_spared_is_kept_by_one_and_pruned_by_the_other(pairs):
    ours, theirs = (np.array([pair[i] for pair in pairs], dtype=np.uint8) for i in (0, 1))
    expected = [sum(a > k >= b for a, b in pairs) for k in range(6)]
    assert histograms.spared(ours, theirs, 6).tolist() == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(matrices(), min_size=2, max_size=4), st.sampled_from(METHODS), st.floats(0, 1))
def test_cuts_of_a_global_order_are_its_highest_threshold(weights, method, sparsity):
    """Also where scores are beyond float32's range, and are merged on a scale of their own."""
    model = model_of(weights)
    order = mf.rank(model, method, allocation="global", statistics=stats_of(model))
    highest, largest = (max(order.threshold(layer.name, s) for layer in order.layers) for s in (sparsity, 1.0))
    assert order.cuts(sparsity).get("all", -math.inf) == pytest.approx(highest, rel=1e-6, abs=1e-37 * largest)


def test_a_cut_of_scores_beyond_float32_is_exact():
    """In units of the highest score, 1e30 times as large, the cut would be zero."""
    model = model_of([torch.tensor([[1e30, 1e12]]), torch.tensor([[1e-5, 1e-6]])])
    ones = {layer.name: torch.ones(2, dtype=torch.float64) for layer in mf.prunable_layers(model)}
    order = mf.rank(model, criterion="flow", allocation="global", statistics=mf.Statistics(ones, 1))
    assert order.score(order.layers[0].name).dtype == torch.float64
    highest = max(order.threshold(layer.name, 0.5) for layer in order.layers)
    assert order.cuts(0.5) == {"all": highest} and highest > 0


def test_cuts_of_the_prior_are_values_of_the_modality():
    generator = torch.Generator().manual_seed(3)
    model = model_of([torch.randn(6, 5, generator=generator) * scale for scale in (1, 4, 2, 3, 1)])
    layers = mf.prunable_layers(model)
    order = mf.rank(model, "multiflow", statistics=stats_of(model))
    values = magnitudes(model, layers)
    pooled = {m: [values(i) for i, x in enumerate(layers) if x.modality == m] for m in ("vision", "fusion")}
    for sparsity in (0.01, 0.3, 0.63, 1.0):
        counts = order.layer_counts(sparsity)
        gone = sum(int(n) for n, layer in zip(counts, layers, strict=True) if layer.modality == "vision")
        cuts = order.cuts(sparsity)
        assert cuts.get("vision") == (np.sort(np.concatenate(pooled["vision"]))[gone - 1] if gone else None)
        assert "fusion" not in cuts  # one layer alone


@settings(max_examples=25, deadline=None)
@given(orders(), st.integers(2, 9))
def test_quantiles_by_sorting(order, steps):
    generator = np.random.default_rng(order.total)
    model = model_of([torch.tensor(generator.normal(size=layer.shape), dtype=torch.float32) for layer in order.layers])
    layers = order.layers
    found = magnitude_quantiles(model, layers, lambda layer: layer.modality, steps)
    values = magnitudes(model, layers)
    pooled = {
        g: np.sort(np.concatenate([values(i) for i, x in enumerate(layers) if x.modality == g])) for g in found.groups
    }
    everything = np.sort(np.concatenate(list(pooled.values())))
    for k in range(steps):
        cut = pruned_count(k / (steps - 1), len(everything))
        assert found.common[k] == everything[max(cut, 1) - 1]
        for g, own in enumerate(pooled.values()):
            assert found.sizes[g] == len(own)
            assert found.own[g, k] == own[max(pruned_count(k / (steps - 1), len(own)), 1) - 1]
            assert found.under[g, k] * len(own) == pytest.approx(np.isin(own, everything[:cut]).sum())
