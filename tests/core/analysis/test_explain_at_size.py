"""Explanations of random weights of the shipped checkpoint are what the masks do, for every method whose masks nest."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import multiflow_core as mf
from multiflow_core.analysis.explain import explain
from multiflow_core.calibration.gradients import Gradients
from multiflow_core.calibration.sensitivity import Sensitivity
from multiflow_core.models.vlm import ASSETS

NESTED = [method.name for method in mf.methods() if method.nested]


@pytest.fixture(scope="module", params=NESTED)
def order(request, vlm):
    """Gradients and sensitivity are drawn at random: what matters here is the order that comes of them."""
    generator = torch.Generator().manual_seed(0)
    random = {x.name: torch.randn(x.shape, generator=generator) for x in vlm.layers}
    shaken = {x.name: float(random[x.name].std()) for x in vlm.layers}
    known = Sensitivity(shaken, {x.name: x.shape for x in vlm.layers})
    statistics = mf.Statistics.load(ASSETS / "flatland-blip" / "statistics.safetensors")
    return mf.rank(vlm.model, request.param, statistics=statistics, gradients=Gradients(random, 1), evidence=[known])


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_the_verdict_is_the_masks(vlm, order, data):
    sparsity = data.draw(st.sampled_from([0.1, 0.5, 0.63, 0.75, 0.9]))
    layer = data.draw(st.sampled_from(order.layers))
    row, column = (data.draw(st.integers(0, size - 1)) for size in layer.shape)
    why = explain(order, vlm.model, layer.name, row, column, sparsity)
    counts = order.layer_counts(sparsity)
    assert why.critical == float(order.critical_sparsity(layer.name)[row, column])
    assert why.kept == (why.critical > sparsity) == (why.score.before >= why.cut)
    assert why.layer_pruned == counts[order.layers.index(layer)]


def test_it_is_what_the_mask_says(vlm, order):
    masks = order.masks(0.75)
    for layer in order.layers[:: len(order.layers) // 5]:
        row, column = layer.shape[0] // 3, layer.shape[1] // 2
        assert explain(order, vlm.model, layer.name, row, column, 0.75).kept == bool(masks[layer.name][row, column])
