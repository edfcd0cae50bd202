"""What the Layers page shows is what the orders, weights and statistics say."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import multiflow_core as mf
from app.engine import runs, slider
from app.facts import layer_sparsity, layers
from multiflow_core.experiments.run import Run

MODEL = "flatland-blip"


def of(method: str, sparsity: float = 0.63, allocation: str = "own"):
    key = Run(MODEL, method, sparsity, allocation)
    return key, layer_sparsity.of(key), slider.curve(key.order)


def test_reached_is_where_the_curve_crosses():
    curve = np.array([[0, 0.2, 0.6, 1.0], [0, 0.0, 0.9, 1.0], [0, 0.5, 0.5, 1.0]])
    np.testing.assert_allclose(layers.reached(curve, 0.9), [2.75 / 3, 2 / 3, 2.8 / 3])
    np.testing.assert_allclose(layers.reached(curve, 1.0), [1, 1, 1])


@pytest.mark.parametrize(("method", "allocation"), [("omp", "own"), ("multiflow", "own"), ("multiflow", "global")])
def test_the_layer_that_goes_first_is_the_first_to_lose_90_percent(method, allocation):
    """Found again the slow way: by bisection over the masks' counts."""
    key, now, curve = of(method, allocation=allocation)
    order = runs.order(key.order)
    targets = layers.reached(curve, 0.9)
    i = int(targets.argmin())
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        gone = [count / layer.size for count, layer in zip(order.layer_counts(middle), order.layers, strict=True)]
        low, high = (low, middle) if max(gone) >= 0.9 else (middle, high)
    assert targets[i] == pytest.approx(high, abs=0.001)
    name, target = layers.bars(now, curve, "").first
    assert name == now.layers[i].name and target == targets[i]
    assert layers.ranking(now, curve)[0] == i


def test_no_layer_goes_first_where_all_go_together():
    _, now, curve = of("localmp")
    assert layers.bars(now, curve, "").first is None
    assert "takes the same share of every layer: 63 %" in layers.bars(now, curve, "").title()


def test_profiles_are_what_weights_and_statistics_say():
    key, _, _ = of("multiflow")
    order, statistics = runs.order(key.order), runs.statistics(MODEL, "")
    weights = dict(runs.vlm(MODEL).model.named_parameters())
    for i in (0, 5, 40, 103):
        layer, profile = order.layers[i], layers.profiles(key.order)[i]
        size = weights[layer.name].detach().abs().double()
        assert profile.magnitude == pytest.approx(float(size.mean()))
        assert profile.norm == pytest.approx(float(statistics.norm(layer.name).double().pow(2).mean().sqrt()))
        assert profile.scores[63] == order.threshold(layer.name, 0.63)
        pruned = int(order.layer_counts(0.63)[i])
        assert int((size <= profile.magnitudes[63]).sum()) == pruned  # no two of these weights are alike
        assert profile.magnitudes[0] == profile.scores[0] == -np.inf


def test_with_magnitude_both_cuts_are_one():
    key, _, _ = of("omp")
    for profile in layers.profiles(key.order)[:5]:
        np.testing.assert_array_equal(profile.scores, profile.magnitudes)


def test_an_abandoned_job_goes_on_where_it_stopped(monkeypatch, empty_store):
    key, _, _ = of("omp")
    made, original = [], layers.weight_of
    monkeypatch.setattr(layers, "weight_of", lambda model, name: made.append(name) or original(model, name))

    class Interrupted(BaseException):
        pass

    def interrupt(fraction, message):
        if len(made) > 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        layers.profiles(key.order, interrupt)
    layers.profiles(key.order)
    assert sorted(made) == sorted(layer.name for layer in runs.order(key.order).layers)  # each once


def test_the_table_follows_the_ranking():
    key, now, curve = of("omp", 0.9)
    dead = slider.dead_neurons(key)
    table = layers.table(now, curve, layers.profiles(key.order), dead)
    assert table["90 % gone at"] == sorted(table["90 % gone at"])
    first = layers.ranking(now, curve)[0]
    assert table["layer"][0] == now.layers[first].name and table["dead neurons"][0] == dead[first].sum()
    assert {len(column) for column in table.values()} == {104}
    assert list(table)[:4] == ["layer", "modality", "weights", "pruned now"]
    assert layers.table(of("omp", 0.0)[1], curve, layers.profiles(key.order), dead)["score cut"] == [None] * 104


def test_a_method_that_solves_every_sparsity_anew_has_a_smaller_table(monkeypatch):
    """Without an order of single weights there are sparsities and sizes, but no curves and cuts."""
    from multiflow_core.pruning.solved_order import Request, Solution, Solved

    key = Run("solved model", "sparsegpt", 0.5)
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    found = mf.prunable_layers(model)
    request = Request(model, found, runs.method("sparsegpt"))
    keeps = [np.array([True, True, True, False]), np.array([False, True, False, False])]
    solved = Solved(request, lambda count, progress: Solution(keeps))
    monkeypatch.setattr(runs, "vlm", lambda name: SimpleNamespace(model=model))
    monkeypatch.setattr(runs, "ready_statistics", lambda name, data: None)
    monkeypatch.setattr(runs, "order", lambda key, progress=None: solved)
    now, curve = layer_sparsity.of(key), slider.curve(key.order)
    assert curve is None
    dead = slider.dead_neurons(key)
    assert dead.tolist() == [[0, 0], [1, 1]]
    table = layers.table(now, curve, layers.profiles(key.order), dead)
    assert list(table) == ["layer", "modality", "weights", "pruned now", "dead neurons", "mean |w|"]
    assert table["pruned now"] == [0.75, 0.25] and table["dead neurons"] == [2, 0]
    assert "takes most of 1 1: 75 %" in layers.bars(now, None, "").title()


@pytest.mark.parametrize("sparsity", [0.0, 0.63, 0.95])
def test_dead_neurons_of_a_run_are_those_of_its_masks(sparsity):
    key, _, _ = of("multiflow", sparsity)
    counted = layer_sparsity.dead_neurons(key)
    by_layer = runs.masks(key).dead_neurons().values()
    assert (counted.outputs, counted.inputs) == tuple(map(sum, zip(*by_layer)))
    assert counted.neurons == sum(sum(layer.shape) for layer in runs.order(key.order).layers)
