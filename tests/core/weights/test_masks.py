"""Masks: algebra, files, and applying them without touching the dense model."""

import copy

import pytest
import torch
from torch import nn

import multiflow_core as mf
from multiflow_core import Masks
from tests.core.reference import Toy, toy_batch


def random_masks(model, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Masks(
        {layer.name: torch.rand(layer.shape, generator=generator) > 0.6 for layer in mf.prunable_layers(model)}
    )


def test_algebra():
    a, b = random_masks(Toy(), 1), random_masks(Toy(), 2)
    assert ~~a == a
    assert ~(a & b) == (~a | ~b)
    assert a.sparsity == sum(int((~m).sum()) for m in a.values()) / sum(m.numel() for m in a.values())
    assert (a & b).sparsity >= max(a.sparsity, b.sparsity)
    assert a.iou(a) == 1.0
    assert a.iou(~a) == 0.0
    assert a.layer_iou(b).keys() == a.keys()
    assert a.iou(b) == b.iou(a)
    nothing = a & ~a
    assert nothing.iou(nothing) == 1.0
    with pytest.raises(TypeError):
        a["patch.weight"] = 1
    with pytest.raises(ValueError, match="different layers"):
        a & Masks({"w": torch.ones(2, dtype=torch.bool)})
    with pytest.raises(ValueError, match="different shapes"):
        Masks({"w": torch.ones(2, dtype=torch.bool)}).iou(Masks({"w": torch.ones(3, dtype=torch.bool)}))
    with pytest.raises(ValueError, match="bool tensor"):
        Masks({"w": torch.ones(2)})


def test_round_trip_at_one_bit_per_weight(tmp_path):
    masks = Masks({f"layer.{i}.weight": torch.rand(257, 129) > 0.7 for i in range(4)})
    path = masks.save(tmp_path / "masks.safetensors")
    assert Masks.load(path) == masks
    assert list(Masks.load(path)) == list(masks)
    assert path.stat().st_size * 8 <= 1.05 * masks.total
    assert [p.name for p in tmp_path.iterdir()] == ["masks.safetensors"]
    masks = random_masks(Toy())
    assert Masks.load(masks.save(path)) == masks  # replaces the old file


def test_files_that_are_something_else(tmp_path):
    stats = mf.Statistics({"w": torch.ones(2, dtype=torch.float64)}, 1)
    with pytest.raises(ValueError, match="holds no masks"):
        Masks.load(stats.save(tmp_path / "stats"))
    path = Masks({"w": torch.ones(99, dtype=torch.bool)}).save(tmp_path / "masks")
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        Masks.load(path)
    with pytest.raises(FileNotFoundError):
        Masks.load(tmp_path / "nothing")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    masks = Masks({"w": torch.ones(99, dtype=torch.bool)})
    path = masks.save(tmp_path / "masks")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("multiflow_core.support.files.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        (~masks).save(path)
    assert Masks.load(path) == masks
    assert [p.name for p in tmp_path.iterdir()] == ["masks"]


def test_apply_shares_what_is_not_pruned_and_leaves_the_dense_model_alone():
    dense = Toy().train()
    dense.register_buffer("buffer", torch.ones(3))
    dense(**toy_batch()).sum().backward()
    dense.patch.register_forward_hook(lambda *_: pytest.fail("a hook was carried over"))
    before = copy.deepcopy(dense.state_dict())
    grads = {name: p.grad for name, p in dense.named_parameters()}
    parameters, masks = dict(dense.named_parameters()), random_masks(dense)

    pruned = masks.apply(dense)

    for name, p in pruned.named_parameters():
        if name in masks:
            assert torch.equal(p, before[name] * masks[name])
            assert p.data_ptr() != parameters[name].data_ptr()
            assert (p.requires_grad, p.dtype) == (True, torch.float32)
        else:
            assert p is parameters[name]
    assert pruned.buffer is dense.buffer
    assert [name for name, _ in pruned.named_parameters()] == list(parameters)
    assert all(torch.equal(before[name], value) for name, value in dense.state_dict().items())
    assert all(dense.get_parameter(name) is p and p.grad is grads[name] for name, p in parameters.items())
    assert len(dense.patch._forward_hooks) == 1
    assert not any(a is b for a, b in zip(dense.modules(), pruned.modules(), strict=True))
    pruned.eval()(**toy_batch())
    assert dense.training


def test_a_shared_weight_stays_shared():
    dense = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)}).half()
    dense["b"].weight = dense["a"].weight
    dense["a"].weight.requires_grad_(False)
    mask = torch.tensor([[True, False], [False, True]])
    pruned = Masks({"a.weight": mask}).apply(dense)
    assert pruned["a"].weight is pruned["b"].weight
    assert pruned["a"].weight is not dense["a"].weight
    assert pruned["a"].weight.dtype == torch.float16
    assert not pruned["a"].weight.requires_grad
    assert (pruned["a"].weight == 0).sum() == 2
    with pytest.raises(ValueError, match="different mask"):
        Masks({"a.weight": mask, "b.weight": ~mask}).apply(dense)


def test_masks_that_do_not_fit():
    with pytest.raises(ValueError, match=r"did you mean 'patch\.weight'"):
        Masks({"patches.weight": torch.ones(2, 2, dtype=torch.bool)}).apply(Toy())
    with pytest.raises(ValueError, match=r"mask of patch\.weight is \(2, 2\), the weight \(8, 6\)"):
        Masks({"patch.weight": torch.ones(2, 2, dtype=torch.bool)}).apply(Toy())


def test_applying_twice_is_applying_both():
    dense, a, b = Toy(), random_masks(Toy(), 1), random_masks(Toy(), 2)
    twice, both = b.apply(a.apply(dense)), (a & b).apply(dense)
    assert all(torch.equal(p, q) for p, q in zip(twice.parameters(), both.parameters(), strict=True))


def test_what_is_pruned_is_plus_zero_whatever_it_was():
    dense = nn.Linear(4, 1, bias=False)
    dense.weight = nn.Parameter(torch.tensor([[-1.0, float("inf"), float("nan"), -2.0]]))
    pruned = Masks({"weight": torch.tensor([[False, False, False, True]])}).apply(dense).weight.detach()
    assert pruned.tolist() == [[0.0, 0.0, 0.0, -2.0]] and not torch.signbit(pruned[0, :3]).any()
