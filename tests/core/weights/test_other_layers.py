"""Weights that are not nn.Linear's: GPT-2's Conv1D, packed attention, experts in one tensor. Each against the same as nn.Linear."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from transformers.pytorch_utils import Conv1D

import multiflow_core as mf
from multiflow_core.analysis.explain import around, explain, mask_of
from multiflow_core.calibration.samples import Samples
from multiflow_core.pruning.least_squares import LeastSquares
from multiflow_core.pruning.method import METHODS
from multiflow_core.weights import packed_file
from multiflow_core.weights.layers import PrunableLayer

SCORED = [m.name for m in METHODS.all() if m.build is None and m.needs <= {"statistics"}]


def pair():
    """The same numbers as Conv1D and as nn.Linear."""
    torch.manual_seed(0)
    turned, plain = Conv1D(5, 4), nn.Linear(4, 5)
    with torch.no_grad():
        turned.weight.copy_(torch.randn(4, 5))
        plain.weight.copy_(turned.weight.T)
        plain.bias.copy_(turned.bias)
    return nn.ModuleDict({"fc": turned}), nn.ModuleDict({"fc": plain})


def run(model, batch):
    return model["fc"](batch["x"])


def statistics_of(model, collect=mf.calibrate):
    x = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(1))
    return collect(model, [{"x": x}], forward=run)


def test_conv1d_is_nn_linear_the_other_way_round():
    turned, plain = pair()
    (layer,) = mf.prunable_layers(turned)
    assert (layer.shape, layer.stored, layer.inputs, layer.role) == ((4, 5), "in out", 4, "fc")
    a, b = statistics_of(turned), statistics_of(plain)
    assert torch.allclose(a.square_sums["fc.weight"], b.square_sums["fc.weight"], rtol=1e-6)


@pytest.mark.parametrize("method", [name for name in SCORED if name != "random"])
@pytest.mark.parametrize("allocation", [None, "row"])
def test_conv1d_is_pruned_like_nn_linear(method, allocation):
    turned, plain = pair()
    orders = [mf.rank(m, method, statistics=statistics_of(m), allocation=allocation) for m in (turned, plain)]
    for sparsity in (0.25, 0.63):
        a, b = (order.masks(sparsity) for order in orders)
        assert torch.equal(a["fc.weight"].T, b["fc.weight"]) and a.pruned == int(sparsity * 20)
    assert orders[0].dead_neurons(0.8).tolist() == orders[1].dead_neurons(0.8).tolist()
    assert torch.equal(orders[0].masks_nm(2, 4)["fc.weight"].T, orders[1].masks_nm(2, 4)["fc.weight"])


def test_sparsegpt_solves_conv1d_like_nn_linear():
    turned, plain = pair()
    orders = [mf.rank(m, "sparsegpt", statistics=statistics_of(m, mf.second_moments)) for m in (turned, plain)]
    a, b = (order.masks(0.5)["fc.weight"] for order in orders)
    assert torch.equal(a.T, b)
    a, b = (order.weights(0.5)["fc.weight"] for order in orders)
    assert torch.allclose(a.T, b, rtol=1e-4)


def test_packed_attention_is_fed_by_its_queries():
    torch.manual_seed(0)
    model, x = nn.MultiheadAttention(4, 2, batch_first=True).eval(), torch.randn(2, 3, 4)
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    layers = tuple(PrunableLayer(layer.name, layer.shape, reads="text") for layer in mf.prunable_layers(model))
    assert {layer.name: layer.shape for layer in layers} == {"in_proj_weight": (12, 4), "out_proj.weight": (4, 4)}
    batch = {"x": x, "attention_mask": mask}
    found = mf.calibrate(
        model, [batch], forward=lambda model, batch: model(batch["x"], batch["x"], batch["x"]), layers=layers
    )
    expected = x[mask.bool()].double().square().sum(0)
    assert torch.allclose(found.square_sums["in_proj_weight"], expected, rtol=1e-6)


class Experts(nn.Module):
    """Two experts in one tensor; the first token goes to the second expert, all others to the first."""

    def __init__(self, turned, how):
        super().__init__()
        torch.manual_seed(0)
        up, down = torch.randn(2, 8, 4), torch.randn(2, 4, 4)
        self.gate_up_proj = nn.Parameter(up.mT.contiguous() if turned else up)
        self.down_proj = nn.Parameter(down.mT.contiguous() if turned else down)
        self.turned, self.how = turned, how

    def _used(self, weight):
        return weight if self.turned else weight.mT

    def forward(self, x):
        routed = [x[1:], x[:1]]
        if self.how == "one by one":
            out = []
            for i, rows in enumerate(routed):
                up = self.gate_up_proj[i].mT if self.turned else self.gate_up_proj[i]
                down = self.down_proj[i].mT if self.turned else self.down_proj[i]
                out.append(F.linear(F.linear(rows, up)[:, :4], down))
            return torch.cat(out)
        if self.how == "grouped":
            ends = torch.tensor([len(x) - 1, len(x)], dtype=torch.int32)
            hidden = torch._grouped_mm(torch.cat(routed), self._used(self.gate_up_proj), offs=ends)[:, :4].contiguous()
            return torch._grouped_mm(hidden, self._used(self.down_proj), offs=ends)
        hidden = torch.bmm(torch.stack([x, x]), self._used(self.gate_up_proj))[..., :4]
        return torch.bmm(hidden, self._used(self.down_proj))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("how", ["one by one", "grouped", "at once"])
def test_experts_are_calibrated_by_their_own_tokens(turned, how):
    model, x = Experts(turned, how), torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    layers = {layer.name: layer for layer in mf.prunable_layers(model)}
    assert {layer.stored for layer in layers.values()} == {"expert in out" if turned else "expert out in"}
    assert [layer.inputs for layer in layers.values()] == [8, 8]
    found = mf.calibrate(model, [{"x": x}]).square_sums["gate_up_proj"].view(2, 4)
    expected = [x, x] if how == "at once" else [x[1:], x[:1]]
    for sums, rows in zip(found, expected, strict=True):
        assert torch.allclose(sums, rows.double().square().sum(0), rtol=1e-5)


@pytest.mark.parametrize("turned", [False, True])
def test_experts_are_scored_each_by_itself(turned, tmp_path):
    model, x = Experts(turned, "one by one"), torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    statistics = mf.calibrate(model, [{"x": x}])
    order = mf.rank(model, "multiflow", statistics=statistics)
    score = order.score("gate_up_proj")
    for i, rows in enumerate([x[1:], x[:1]]):
        weight = model.gate_up_proj[i].detach().double().abs()
        weight = weight.T if turned else weight
        norms = (rows.double().square().sum(0) / 5).sqrt()
        s_in, s_out = weight.mean(0) * norms, (weight * norms).mean(1)
        by_hand = s_out[:, None] * weight * s_in
        found = score[i].T if turned else score[i]
        assert torch.allclose(found.double(), by_hand, rtol=1e-4)
    masks = order.masks(0.63)
    assert masks.pruned == int(0.63 * 96) and masks["gate_up_proj"].shape == model.gate_up_proj.shape
    assert mf.Masks.load(masks.save(tmp_path / "masks.safetensors")) == masks
    pruned = masks.apply(model)
    assert torch.equal(pruned.gate_up_proj == 0, ~masks["gate_up_proj"])


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("how", ["one by one", "grouped", "at once"])
def test_experts_are_reconstructed_each_by_itself(turned, how):
    """As a layer with the same weights and tokens would be; one that is sent nothing keeps its largest weights."""
    model, x = Experts(turned, how), torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    order = mf.rank(model, "reflow", batches=[{"x": x}])
    layer = order.layers[0]
    masks, new = (layer.matrices(part[layer.name]) for part in (order.masks(0.5), order.weights(0.5)))
    sent = [x, x] if how == "at once" else [x[1:], x[:1]]
    settings = METHODS.get("reflow").settings({})
    for i, rows in enumerate(sent):
        weight = layer.matrices(model.gate_up_proj.detach())[i]
        gone = int((~masks[i]).sum())
        problem = LeastSquares.of(weight, rows.T @ rows)
        keep, values = problem.admm(gone, settings["steps"], settings["rising"])
        assert torch.equal(masks[i], keep)
        torch.testing.assert_close(new[i], problem.weights(values), rtol=1e-3, atol=1e-3)
    idle = mf.rank(model, "reflow", batches=[{"x": x[1:1]}] if how == "at once" else [{"x": x[:1]}])
    assert idle.masks(0.5).pruned == 48 and all(bool(torch.isfinite(w).all()) for w in idle.weights(0.5).values())


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("allocation", ["owl", "alpha"])
def test_budgets_see_every_expert(turned, allocation):
    """As layers of their own in one block would be seen, whichever way they are stored."""
    model, x = Experts(turned, "one by one"), torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    order = mf.rank(model, criterion="wanda", allocation=allocation, statistics=mf.calibrate(model, [{"x": x}]))
    plain = mf.rank(
        Experts(False, "one by one"),
        criterion="wanda",
        allocation=allocation,
        statistics=mf.calibrate(Experts(False, "one by one"), [{"x": x}]),
    )
    assert order.layer_counts(0.5).tolist() == plain.layer_counts(0.5).tolist() and order.masks(0.5).pruned == 48


def test_reflow_solves_conv1d_like_nn_linear():
    turned, plain = pair()
    x = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(1))
    samples = [Samples.of(model, [{"x": x}], forward=run) for model in (turned, plain)]
    a, b = (mf.rank(m, "reflow", evidence=[s]) for m, s in zip((turned, plain), samples, strict=True))
    assert torch.equal(a.masks(0.5)["fc.weight"].T, b.masks(0.5)["fc.weight"])
    assert torch.allclose(a.weights(0.5)["fc.weight"].T, b.weights(0.5)["fc.weight"], rtol=1e-4, atol=1e-6)


def test_statistics_of_experts_survive_a_file(tmp_path):
    model = Experts(True, "one by one")
    statistics = mf.calibrate(model, [{"x": torch.randn(5, 4)}])
    again = mf.Statistics.load(statistics.save(tmp_path / "s.safetensors"))
    assert again.layers == statistics.layers and again.layers[0].stored == "expert in out"
    assert mf.rank(model, "multiflow", statistics=again).masks(0.5) == mf.rank(
        model, "multiflow", statistics=statistics
    ).masks(0.5)


# --- looked at as matrices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("allocation", [None, "row"])
def test_a_weight_of_conv1d_is_explained_like_that_of_nn_linear(allocation):
    turned, plain = pair()
    orders = [mf.rank(m, "multiflow", statistics=statistics_of(m), allocation=allocation) for m in (turned, plain)]
    for row, column in [(0, 0), (4, 3), (2, 1)]:
        a, b = (explain(o, m, "fc.weight", row, column, 0.5) for o, m in zip(orders, (turned, plain), strict=True))
        assert (a.kept, a.score, a.norm, a.s_in, a.s_out) == (b.kept, b.score, b.norm, b.s_in, b.s_out)
        assert a.critical == b.critical == float(orders[0].critical_sparsity("fc.weight")[column, row])
        near = [around(o, m, "fc.weight", row, column, 0.5, 2) for o, m in zip(orders, (turned, plain), strict=True)]
        assert np.array_equal(near[0].weights, near[1].weights) and np.array_equal(near[0].kept, near[1].kept)
    assert torch.equal(mask_of(orders[0], "fc.weight", 0.5), orders[0].masks(0.5)["fc.weight"])


@pytest.mark.parametrize("turned", [False, True])
def test_a_weight_of_an_expert_is_explained_by_its_expert(turned):
    model = Experts(turned, "one by one")
    statistics = mf.calibrate(model, [{"x": torch.randn(5, 4, generator=torch.Generator().manual_seed(1))}])
    order = mf.rank(model, "multiflow", statistics=statistics)
    said = explain(order, model, "gate_up_proj", 8 + 3, 1, 0.5)  # of the second expert
    where = (1, 1, 3) if turned else (1, 3, 1)
    assert said.magnitude.value == pytest.approx(float(model.gate_up_proj.detach()[where].abs()))
    assert said.norm.value == pytest.approx(float(statistics.norm("gate_up_proj").view(2, 4)[1, 1]))
    assert said.score.value == pytest.approx(said.magnitude.value * said.s_in.value * said.s_out.value, rel=1e-4)
    assert said.kept == bool(order.masks(0.5)["gate_up_proj"][where])
    assert said.critical == float(order.critical_sparsity("gate_up_proj")[where])


def test_experts_are_written_and_read_packed(tmp_path):
    model = Experts(False, "one by one")
    masks = mf.rank(model, "omp").masks(0.5)
    tensors = dict(masks.apply(model).named_parameters())
    read = packed_file.read(packed_file.write(tmp_path / packed_file.FILE, tensors, masks))
    assert read[1] == masks and all(torch.equal(read[0][name], tensor) for name, tensor in tensors.items())
