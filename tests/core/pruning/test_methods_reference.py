"""Against the slow reference, weight for weight."""

import pytest
import torch

import multiflow_core as mf
from tests.core import reference as slow


@pytest.fixture(scope="module")
def toy():
    model = slow.Toy().eval()
    batches = [slow.toy_batch(3, seed=1), slow.toy_batch(2, tokens=7, seed=2)]
    layers = mf.prunable_layers(model, batch=batches[0])
    stats = mf.calibrate(model, batches)
    weights = {layer.name: model.get_parameter(layer.name).tolist() for layer in layers}
    sums = slow.square_sums(model, batches)
    return model, layers, stats, weights, sums


def test_layout_is_traced(toy):
    _, layers, stats, *_ = toy
    assert {layer.name: layer.modality for layer in layers} == slow.MODALITIES
    assert {layer.name for layer in layers if layer.reads == "image"} == slow.READS_IMAGE
    assert stats.layers == layers


def test_statistics(toy):
    _, _, stats, _, sums = toy
    assert stats.samples == 5
    assert stats.square_sums.keys() == sums.keys()
    for name, expected in sums.items():
        assert stats.square_sums[name].tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("sparsity", [0.0, 0.29, 0.63, 0.75, 0.9, 1.0])
def test_masks(toy, sparsity):
    model, _, stats, weights, sums = toy
    norms = {name: [(value / stats.samples) ** 0.5 for value in sums[name]] for name in sums}
    expected = slow.multiflow_masks(weights, norms, slow.MODALITIES, sparsity)
    masks = mf.rank(model, "multiflow", statistics=stats).masks(sparsity)
    assert {name: mask.flatten().tolist() for name, mask in masks.items()} == expected
    masks = mf.rank(model, "omp").masks(sparsity)
    assert {name: mask.flatten().tolist() for name, mask in masks.items()} == slow.omp_masks(weights, sparsity)


@pytest.mark.parametrize("sparsity", [0.63, 0.75, 0.9])
def test_uniform_masks(toy, sparsity):
    model, layers, _, weights, _ = toy
    per_layer = {layer.name: layer.name for layer in layers}
    counts = slow.prior_counts(weights, per_layer, sparsity)
    masks = mf.rank(model, "localmp", layers=layers).masks(sparsity)
    for name, weight in weights.items():
        pruned = slow.lowest([abs(w) for w in slow.flat(weight)], counts[name])
        assert masks[name].flatten().tolist() == [i not in pruned for i in range(masks[name].numel())]


def test_saliency_of_tiny_weights_is_not_lost_in_float32():
    """Every product of three such factors is below float32's smallest number."""
    torch.manual_seed(0)
    model = torch.nn.Linear(7, 6, bias=False)
    with torch.no_grad():
        model.weight[:3] *= 1e-20
    stats = mf.Statistics({"weight": torch.rand(7, dtype=torch.float64)}, 1)
    norms = stats.norm("weight").tolist()
    scores = slow.flat(slow.flow_score(model.weight.tolist(), norms))
    for allocation in ("global", "uniform", "multimodal"):
        order = mf.rank(model, statistics=stats, allocation=allocation)
        for k in range(43):
            pruned = slow.lowest(scores, k)
            assert (~order.masks(k / 42)["weight"]).flatten().nonzero().flatten().tolist() == sorted(pruned)
