"""Explanations are exact: their verdict is the mask's, their ranks and thresholds are what a slow count finds."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import multiflow_core as mf
from multiflow_core.analysis import explain as core
from multiflow_core.analysis.explain import Place, Spot, explain
from multiflow_core.weights.masks import Masks
from tests.core.pruning.test_nested_order import ALLOCATIONS, METHODS, model_of, sparsities, stats_of


@st.composite
def cases(draw):
    """A small model with ties, an order of any method and allocation, and one of its weights."""
    seed = draw(st.integers(0, 10_000))
    generator = np.random.default_rng(seed)
    shapes = [tuple(generator.integers(1, 6, 2)) for _ in range(int(generator.integers(1, 5)))]
    values = [generator.integers(-3, 4, s) if draw(st.booleans()) else generator.standard_normal(s) for s in shapes]
    model = model_of([torch.tensor(v, dtype=torch.float32) for v in values])
    order = mf.rank(
        model,
        draw(st.sampled_from(METHODS)),
        statistics=stats_of(model),
        allocation=draw(st.sampled_from([None, *ALLOCATIONS])),
    )
    layer = draw(st.sampled_from(order.layers))
    return model, order, layer.name, *(draw(st.integers(0, size - 1)) for size in layer.shape)


@settings(max_examples=150, deadline=None)
@given(cases(), sparsities)
def test_the_verdict_is_the_masks(case, sparsity):
    model, order, name, row, column = case
    why = explain(order, model, name, row, column, sparsity)
    check(why, order, dict(model.named_parameters())[name].detach(), name, row, column, sparsity)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_verdict_at_the_critical_sparsity_itself(case):
    """The tightest place there is: pruned at it, kept one weight before."""
    model, order, name, row, column = case
    critical = float(order.critical_sparsity(name)[row, column])
    assert not explain(order, model, name, row, column, critical).kept
    before = (round(critical * order.total) - 1) / order.total
    assert explain(order, model, name, row, column, before).kept


def check(why, order, weight, name, row, column, sparsity):
    """Everything in an explanation, found again the slow way."""
    mask = order.masks(sparsity)[name]
    assert why.kept == bool(mask[row, column])
    assert why.critical == float(order.critical_sparsity(name)[row, column])
    assert why.kept == (why.critical > sparsity)
    assert why.layer_pruned == int((~mask).sum()) and why.layer_sparsity == float((~mask).float().mean(dtype=float))
    rows = [row] if order.allocation.among == "row" else range(weight.shape[0])
    rivals = [(i, j) for i in rows for j in range(weight.shape[1])]
    score = order.score(name)
    assert why.score.of == why.magnitude.of == len(rivals)
    assert why.cut == sum(not mask[i, j] for i, j in rivals)
    gone = [float(score[i, j]) for i, j in rivals if not mask[i, j]]
    assert why.threshold == max(gone, default=-math.inf)
    assert why.margin >= 0 if why.kept else why.margin <= 0
    for place, of in ((why.score, score), (why.magnitude, weight.abs())):
        ordered = sorted(rivals, key=lambda at: (float(of[at]), at))
        assert place.before == ordered.index((row, column)) and place.value == float(of[row, column])
    if why.s_in is not None:
        norms = order.statistics.norm(name)
        inputs = [float((weight[:, j].abs() * norms[j]).double().mean()) for j in range(weight.shape[1])]
        outputs = [float((weight[i].abs() * norms).double().mean()) for i in range(weight.shape[0])]
        for place, values, at in ((why.s_in, inputs, column), (why.s_out, outputs, row)):
            assert place.value == pytest.approx(values[at], rel=1e-5)
            below = sum(v < values[at] * (1 - 1e-5) - 1e-12 for v in values)
            ties = sum(v <= values[at] * (1 + 1e-5) + 1e-12 for v in values)
            assert below <= place.before < ties


@settings(max_examples=40, deadline=None)
@given(cases(), sparsities, st.integers(1, 3))
def test_the_neighbourhood_is_a_piece_of_the_masks(case, sparsity, reach):
    model, order, name, row, column = case
    near = core.around(order, model, name, row, column, sparsity, reach)
    piece = np.ix_(near.rows, near.columns)
    weight = dict(model.named_parameters())[name].detach()
    assert row in near.rows and column in near.columns
    assert [len(near.rows), len(near.columns)] == [min(2 * reach + 1, size) for size in weight.shape]
    assert np.array_equal(near.weights, weight.numpy()[piece])
    assert np.array_equal(near.kept, order.masks(sparsity)[name].numpy()[piece])
    for i in near.rows:
        for j in near.columns:
            why = explain(order, model, name, i, j, sparsity)
            assert near.kept_by_size[i - near.rows.start, j - near.columns.start] == why.kept_by_size


def test_explained_by_hand():
    """|w| a = 1 8 | 6 2 with a = (1, 4): s_in (3.5, 5), s_out (4.5, 4); S = 15.75 45 | 84 10. In order: (1, 1), (0, 0),
    (0, 1), (1, 0). The largest weight, 6, stays longest; the 2 at (0, 1) outlives the 1 at (0, 0).
    """
    model = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, -2.0], [6.0, 0.5]]))
    statistics = mf.Statistics({"weight": torch.tensor([2.0, 32.0], dtype=torch.float64)}, 2, mf.prunable_layers(model))
    order = mf.rank(model, "multiflow", statistics=statistics)
    why = explain(order, model, "weight", 0, 1, 0.5)
    assert (why.weight, why.magnitude, why.norm) == (-2.0, Place(2.0, 2, 4), Place(4.0, 1, 2))
    assert (why.s_in, why.s_out) == (Place(5.0, 1, 2), Place(4.5, 1, 2))
    assert (why.score, why.threshold, why.margin) == (Place(45.0, 2, 4), 15.75, 29.25)
    assert (why.cut, why.layer_pruned, why.critical, why.kept) == (2, 2, 0.75, True)


def test_without_statistics_there_are_no_saliencies_until_they_are_given():
    model = model_of([torch.arange(6.0).reshape(2, 3)])
    order, name = mf.rank(model, "omp"), "vision_a.weight"
    assert explain(order, model, name, 0, 0, 0.5).s_in is None
    given_them = explain(order, model, name, 0, 0, 0.5, statistics=stats_of(model))
    assert given_them.s_in.of == 3 and given_them.s_out.of == 2


@pytest.mark.parametrize("place", [(2, 0), (0, 3), (-1, 0)])
def test_a_weight_that_there_is_not(place):
    model = model_of([torch.ones(2, 3)])
    with pytest.raises(ValueError, match="rows 0 to 1 and columns 0 to 2"):
        explain(mf.rank(model, "omp"), model, "vision_a.weight", *place, 0.5)


def test_a_method_without_an_order():
    model = model_of([torch.ones(2, 3)])
    order = mf.rank(
        model, "itersnip", objective=lambda m, b: m["vision_a"](b).square().sum(), batches=[torch.ones(1, 3)], steps=2
    )
    with pytest.raises(ValueError, match="IterSNIP solves every sparsity anew"):
        explain(order, model, "vision_a.weight", 0, 0, 0.5)


# --- weights worth a look -------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_finders_find_what_a_loop_finds(seed):
    generator = np.random.default_rng(seed)
    shapes = {f"layer {i}": tuple(generator.integers(1, 5, 2)) for i in range(3)}
    weights = {n: torch.tensor(generator.integers(-4, 5, s), dtype=torch.float32) for n, s in shapes.items()}
    several = [Masks({n: torch.tensor(generator.random(s) < 0.5) for n, s in shapes.items()}) for _ in range(4)]
    spots = [Spot(n, i, j) for n, s in shapes.items() for i in range(s[0]) for j in range(s[1])]

    def size(spot):
        return abs(float(weights[spot.name][spot.row, spot.column]))

    def kept(masks, spot):
        return bool(masks[spot.name][spot.row, spot.column])

    def split(spot):
        votes = sum(kept(masks, spot) for masks in several)
        return min(votes, len(several) - votes)

    one = several[0]
    assert core.smallest_kept(weights, one) == min((s for s in spots if kept(one, s)), key=size, default=None)
    assert core.largest_pruned(weights, one) == max((s for s in spots if not kept(one, s)), key=size, default=None)
    disputed = core.most_disputed(weights, iter(several))
    most = max(map(split, spots))
    assert disputed == (max((s for s in spots if split(s) == most), key=size) if most else None)


def test_nothing_to_find():
    weights = {"a": torch.ones(2, 2)}
    everything = Masks({"a": torch.ones(2, 2, dtype=torch.bool)})
    assert core.largest_pruned(weights, everything) is None
    assert core.smallest_kept(weights, ~everything) is None
    assert core.most_disputed(weights, [everything, everything]) is None
