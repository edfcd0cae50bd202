"""Activation statistics: what is counted, what is left out, and what is left behind (nothing)."""

import copy
import threading

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import multiflow_core as mf
from multiflow_core.calibration import activations
from multiflow_core.calibration.passes import multiply_adds
from tests.core.reference import Toy, toy_batch


def sums(model, batches, **options):
    return {n: v.tolist() for n, v in mf.calibrate(model, batches, **options).square_sums.items()}


def split(batch, *sizes):
    parts = {key: value.split(sizes) for key, value in batch.items()}
    return [{key: parts[key][i] for key in batch} for i in range(len(sizes))]


def test_batches_may_be_split_anyhow():
    model, batch = Toy(), toy_batch(7)
    whole = mf.calibrate(model, [batch])
    parts = mf.calibrate(model, iter(split(batch, 1, 2, 4)))
    a, b = (mf.calibrate(model, [part]) for part in split(batch, 3, 4))
    for other in (parts, a + b, a.merge(b)):
        assert other.samples == whole.samples == 7
        for name, expected in whole.square_sums.items():
            assert other.square_sums[name].tolist() == pytest.approx(expected.tolist(), rel=1e-6)


def test_long_inputs_keep_precision():
    x = torch.rand(20_000, 3)
    stats = mf.calibrate(nn.Linear(3, 1), [{"input": x}])
    assert stats.square_sums["weight"].tolist() == pytest.approx(x.double().square().sum(0).tolist(), rel=1e-6)


@pytest.mark.parametrize("tokens", [5, 4])
def test_padding_does_not_count(tokens):
    """Whatever stands in the padded places; also with as many patches as tokens, and flattened inputs."""
    model, batch = Toy(), toy_batch(3, patches=5, tokens=tokens)
    other = dict(batch, input_ids=torch.where(batch["attention_mask"] == 1, batch["input_ids"], 19))
    for name, expected in sums(model, [other]).items():
        assert sums(model, [batch])[name] == pytest.approx(expected, rel=1e-5)
    patches = batch["pixel_values"].double().square().sum((0, 1))
    assert sums(model, [batch])["patch.weight"] == pytest.approx(patches.tolist(), rel=1e-6)
    text = model.embedding.weight[batch["input_ids"]][batch["attention_mask"] == 1]
    expected = text.detach().double().square().sum(0).tolist()
    assert sums(model, [batch])["query.weight"] == pytest.approx(expected, rel=1e-6)
    assert sums(model, [batch])["query.weight"] == sums(model, [batch])["value.weight"]


def test_a_given_layout_is_completed_by_tracing():
    model, batch = Toy(), toy_batch()
    layers = mf.prunable_layers(model)
    assert {layer.reads for layer in layers if layer.name == "query.weight"} == {"any"}
    assert sums(model, [batch], layers=layers)["query.weight"] == sums(model, [batch])["query.weight"]


class Shared(nn.Module):
    """One module called twice, one weight in two modules, one weight used without its module."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False), nn.Linear(2, 2)
        self.b.weight = self.a.weight
        self.alias = self.c

    def forward(self, x):
        return F.linear(self.c(self.a(x)) * 0 + 3, self.c.weight) + self.b(x + 1) + self.a(x + 2)


def test_a_shared_weight_is_one_weight_with_all_its_uses():
    model = Shared()
    assert [layer.name for layer in mf.prunable_layers(model)] == ["a.weight", "c.weight"]
    got = sums(model, [{"x": torch.tensor([[1.0, 2.0]])}])
    assert got["a.weight"] == [1 + 4 + 9, 4 + 9 + 16]
    with torch.no_grad():
        first = model.a(torch.tensor([[1.0, 2.0]]))
    assert got["c.weight"] == pytest.approx((first.square().squeeze(0) + 9).tolist(), rel=1e-6)


class Siblings(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.q, self.k = nn.Linear(2, 2), nn.Linear(2, 2)
        self.change = change

    def forward(self, x):
        x = x + 0
        y = self.q(x)
        if self.change:
            x.mul_(2)
        return y + self.k(x)


def test_siblings_are_reduced_once_unless_changed_in_between(monkeypatch):
    module, calls = activations, []
    original = module.square_sum
    monkeypatch.setattr(module, "square_sum", lambda x: calls.append(1) or original(x))
    x = {"x": torch.ones(3, 2)}
    assert sums(Siblings(False), [x]) == {"q.weight": [3, 3], "k.weight": [3, 3]}
    assert len(calls) == 1
    assert sums(Siblings(True), [x]) == {"q.weight": [3, 3], "k.weight": [12, 12]}
    assert len(calls) == 3


def test_temporary_inputs_are_never_confused():
    """Inputs die at once, so that a later one may sit at the same address."""

    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.ModuleList(nn.Linear(2, 2) for _ in range(20))

        def forward(self, x):
            for i, fc in enumerate(self.fc):
                fc(x * i)

    got = sums(Chain(), [{"x": torch.ones(1, 2)}])
    assert got == {f"fc.{i}.weight": [i * i, i * i] for i in range(20)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 4), (2, 3, 5, 4), (4,)])
def test_dtypes_and_dimensions(dtype, shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    got = mf.calibrate(nn.Linear(4, 2).to(dtype), [{"input": x}]).square_sums["weight"]
    assert got.dtype == torch.float64
    assert got.tolist() == pytest.approx(x.double().square().reshape(-1, 4).sum(0).tolist(), rel=1e-6)


def test_multihead_attention_output_projection_is_seen():
    torch.manual_seed(0)
    model, x, seen = nn.MultiheadAttention(4, 2, batch_first=True).eval(), torch.randn(2, 3, 4), []
    expected = model(x, x, x)[0]
    stats = mf.calibrate(model, [x], forward=lambda model, x: seen.append(model(x, x, x)[0]))
    assert torch.allclose(seen[0], expected, atol=1e-6)
    inner = (expected - model.out_proj.bias) @ torch.linalg.inv(model.out_proj.weight.T)
    got = stats.square_sums["out_proj.weight"].tolist()
    assert got == pytest.approx(inner.square().sum((0, 1)).tolist(), rel=1e-3)


def test_nothing_is_left_behind():
    model, batch = Toy(), toy_batch()
    model.train()
    model.drop.eval()
    model(**batch).sum().backward()
    before = copy.deepcopy(model.state_dict())
    grads = {name: p.grad.clone() for name, p in model.named_parameters()}
    modes = [m.training for m in model.modules()]
    state = torch.get_rng_state()
    mf.calibrate(model, [batch])
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(torch.equal(grads[name], p.grad) for name, p in model.named_parameters())
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in model.modules())


def test_whatever_is_raised_comes_out_and_the_mode_comes_back():
    class Stop(BaseException):
        pass

    def stop(*_):
        raise Stop

    model = Toy().train()
    with pytest.raises(Stop):
        mf.calibrate(model, [toy_batch()], progress=stop)
    with pytest.raises(Stop):
        mf.calibrate(model, [toy_batch()], forward=stop)
    assert model.training
    assert model(**toy_batch()).shape == (3, 5, 8)


def test_other_threads_using_the_model_do_not_disturb():
    """The dense model is shared between sessions: hooks would also count their forwards."""
    model, batch = Toy().eval(), toy_batch()
    expected = sums(model, [batch])

    def forward(model, batch):
        thread = threading.Thread(target=lambda: model(**toy_batch(seed=9)))
        thread.start()
        thread.join()
        return model(**batch)

    assert sums(model, [batch], forward=forward) == expected


def test_progress_and_samples_are_counted_in_pairs():
    seen = []
    stats = mf.calibrate(Toy(), split(toy_batch(6), 2, 4), progress=lambda f, m: seen.append((f, m)))
    assert stats.samples == 6
    assert [f for f, _ in seen] == [0.5, 1.0]


def test_errors_are_one_clear_sentence():
    with pytest.raises(ValueError, match="at least one batch"):
        mf.calibrate(Toy(), [])
    with pytest.raises(ValueError, match="no prunable layers"):
        mf.calibrate(nn.ReLU(), [toy_batch()])
    batch = toy_batch()
    batch["pixel_values"][0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"patch\.weight are not finite"):
        mf.calibrate(Toy(), [batch])
    with pytest.raises(ValueError, match="no layer with statistics"):
        mf.calibrate(nn.Linear(2, 2), [{"input": torch.ones(1, 2)}]).norm("nothing")


def test_round_trip_is_exact(tmp_path):
    stats = mf.calibrate(Toy(), [toy_batch()])
    again = mf.Statistics.load(stats.save(tmp_path / "folder" / "stats.safetensors"))
    assert (again.samples, again.layers) == (stats.samples, stats.layers)
    assert all(torch.equal(again.square_sums[name], value) for name, value in stats.square_sums.items())
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["stats.safetensors"]
    masks = mf.Masks({"w": torch.ones(2, dtype=torch.bool)})
    with pytest.raises(ValueError, match="holds no calibration statistics"):
        mf.Statistics.load(masks.save(tmp_path / "masks.safetensors"))
    (tmp_path / "text").write_text("no tensors here")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        mf.Statistics.load(tmp_path / "text")


# --- what a pass costs ----------------------------------------------------------------------------------------------


def test_every_product_of_a_weight_and_an_input_is_counted():
    """By hand: 2 pairs with 5 patches of 6 numbers each, and 7 tokens; the toy is 8 wide."""
    model, batch = Toy(), {"pixel_values": torch.rand(2, 5, 6), "input_ids": torch.ones(2, 7, dtype=torch.long)}
    patches = 5 * (6 * 8 + 8 * 11 + 11 * 8 + 2 * 8 * 8)  # patch, vision_fc, vision_out, cross key and value
    tokens = 7 * (5 * 8 * 8 + 2 * 8 * 16)  # query, key, value, text_fc, cross query; both fusion layers
    assert multiply_adds(model, batch) == 2 * (patches + tokens)
    layers = tuple(layer for layer in mf.prunable_layers(model) if layer.name == "patch.weight")
    assert multiply_adds(model, batch, layers=layers) == 2 * 5 * 6 * 8


def test_a_weight_that_is_used_twice_is_counted_twice():
    linear = nn.Linear(3, 3)
    assert multiply_adds(nn.Sequential(linear, linear), {"input": torch.ones(4, 3)}) == 2 * 4 * 9
