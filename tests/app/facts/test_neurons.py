"""What the lens is fed with."""

import numpy as np
import pytest
import torch

import multiflow_core as mf
from app.charts.lens import VIEWS
from app.engine import runs
from app.facts import neurons
from app.facts.window import Window
from multiflow_core.experiments.run import Run
from multiflow_core.pruning.criteria import saliencies
from multiflow_core.weights.dense import weight_of

MODEL = "flatland-blip"


@pytest.fixture(scope="module")
def layer():
    return next(x for x in runs.order(Run(MODEL, "multiflow")).layers if (x.block, x.role) == ("vision 3", "fc1"))


def weights(layer) -> torch.Tensor:
    return weight_of(runs.vlm(MODEL).model, layer.name)


def test_matrices_are_the_orders_and_the_statistics(layer):
    data, order = neurons.matrices(Run(MODEL, "multiflow"), layer), runs.order(Run(MODEL, "multiflow"))
    norms = runs.statistics(MODEL, "").norm(layer.name)
    s_in, s_out = saliencies(weights(layer), norms)
    assert data.calibrated and np.array_equal(data.norms, norms)
    assert np.array_equal(data.inputs, s_in) and np.array_equal(data.outputs, s_out)
    assert np.array_equal(data.score, order.score(layer.name))
    critical = order.critical_sparsity(layer.name).numpy()
    survived = neurons.survived(Run(MODEL, "multiflow"), layer)
    assert ((survived - 1) / 100 < critical).all() and (critical <= survived / 100).all()


def test_a_method_without_statistics_has_saliencies_too(layer):
    flow, omp = (neurons.matrices(Run(MODEL, method), layer) for method in ("multiflow", "omp"))
    assert np.array_equal(omp.inputs, flow.inputs) and np.array_equal(omp.score, weights(layer).abs())


def test_a_layer_that_never_ran_is_measured_by_its_weights(layer, monkeypatch, empty_store):
    known = runs.statistics(MODEL, "")
    others = {name: sums for name, sums in known.square_sums.items() if name != layer.name}
    monkeypatch.setattr(runs, "statistics", lambda model, data: mf.Statistics(others, known.samples, known.layers))
    data = neurons.matrices(Run(MODEL, "omp"), layer)
    assert not data.calibrated
    np.testing.assert_allclose(data.inputs, weights(layer).abs().mean(0), rtol=1e-6)


@pytest.mark.parametrize("sparsity", [0.0, 0.37, 0.63, 1.0])
def test_kept_is_the_orders_mask(layer, sparsity):
    key = Run(MODEL, "multiflow", sparsity)
    mask = runs.order(key.order).masks(sparsity)[layer.name]
    assert np.array_equal(neurons.kept(key, layer), mask)


def lens(layer, view, window=None, sparsity=0.9, other=None):
    look = neurons.look(Run(MODEL, "multiflow", sparsity), layer)
    return look, look.lens(view, window or Window.whole(layer.shape), None, ("MULTIFLOW", "OMP"), other)


def test_single_weights_show_themselves(layer):
    window = Window(range(96, 192), range(32, 64))
    inside = np.s_[96:192, 32:64]
    w, norms = weights(layer).abs().numpy(), runs.statistics(MODEL, "").norm(layer.name).numpy()
    other = neurons.kept(Run(MODEL, "omp", 0.9), layer)
    look, _ = lens(layer, "mask")
    data, survived = (of(Run(MODEL, "multiflow"), layer) for of in (neurons.matrices, neurons.survived))
    expected = {
        "magnitude": w, "signal": w * norms, "score": data.score, "critical": survived / 100, "mask": ~look.mask,
        "disagreement": look.mask.astype(float) - other.astype(float),
    }  # fmt: skip
    assert expected.keys() == VIEWS.keys()
    for view, values in expected.items():
        shown = lens(layer, view, window, other=other)[1]
        assert shown.single
        np.testing.assert_allclose(shown.cells, values[inside].astype(np.float64), rtol=1e-6)


def test_the_saliencies_are_the_averages_of_the_signal(layer):
    _, whole = lens(layer, "signal")
    data = neurons.matrices(Run(MODEL, "multiflow"), layer)
    assert (whole.outputs.width, whole.inputs.width) == (8, 2)  # cells of equal size: their mean is the mean of all
    np.testing.assert_allclose(whole.cells.mean(0), data.inputs.reshape(-1, 2).mean(1), rtol=1e-4)
    np.testing.assert_allclose(whole.cells.mean(1), data.outputs.reshape(-1, 8).mean(1), rtol=1e-4)
    np.testing.assert_array_equal(whole.inputs.saliency, data.inputs.reshape(-1, 2).max(1))
    np.testing.assert_array_equal(whole.outputs.saliency, data.outputs.reshape(-1, 8).max(1))


def test_dead_neurons_are_counted_in_the_whole_layer(layer):
    look, whole = lens(layer, "mask", sparsity=0.99)
    _, part = lens(layer, "mask", Window(range(96, 192), range(32, 64)), sparsity=0.99)
    dead = int((~look.mask.any(1)).sum())
    assert dead > 0 and whole.outputs.all_dead == part.outputs.all_dead == dead == whole.outputs.dead.sum()
    assert part.outputs.dead.sum() == (~look.mask.any(1))[96:192].sum()
    assert part.sparsity == pytest.approx(1 - look.mask.mean())


def test_carriers_by_hand():
    assert neurons.carriers(np.array([4.0, 3.0, 2.0, 1.0])) == 2  # 4 < 5 <= 4 + 3
    assert neurons.carriers(np.array([5.0, 3.0, 2.0])) == 1  # exactly half is half


def test_top_neurons_fall_in_saliency_and_count_what_is_left(layer):
    look, _ = lens(layer, "mask")
    top = look.top("output")
    assert [s for _, s, _ in top.neurons] == sorted(look.data.outputs.tolist(), reverse=True)[: len(top.neurons)]
    index, saliency, kept = top.neurons[0]
    assert saliency == look.data.outputs[index] and kept == pytest.approx(look.mask[index].mean())
    assert top.total == pytest.approx(look.data.outputs.sum(), rel=1e-5)


def test_one_weight(layer):
    look, _ = lens(layer, "mask")
    size, into, out, score = (place for _, place, _ in look.places(100, 40))
    w = weights(layer).abs()
    assert size.value == float(w[100, 40]) and score.value == look.data.score[100, 40]
    assert size.share == pytest.approx(float((w < w[100, 40]).double().mean()), abs=1e-4)
    assert into.value == look.data.inputs[40] and out.value == look.data.outputs[100]
