"""Zeros stay zeros, bit by bit."""

import pytest
import torch
from torch import nn

from multiflow_core.finetuning.lock import Lock, zeros_kept
from multiflow_core.weights.masks import Masks


def bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().contiguous().view(torch.int32)


OPTIMIZERS = {
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.3, fused=True),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.3, nesterov=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.5, centered=True),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_is_locked_is_plus_zero_after_every_step_and_the_rest_learns(optimizer):
    torch.manual_seed(0)
    layer, mask = nn.Linear(6, 5), torch.rand(5, 6) > 0.6
    lock, before = Lock(layer, Masks({"weight": mask})), layer.weight.detach().clone()
    moves = OPTIMIZERS[optimizer](layer.parameters())
    for _ in range(5):
        moves.zero_grad()
        layer(torch.randn(8, 6)).pow(2).sum().backward()
        lock.still()
        assert not layer.weight.grad[~mask].any()
        moves.step()
        lock.close()
        assert not bits(layer.weight[~mask]).any()
    assert (layer.weight != before)[mask].all()
    moments = [value for value in moves.state[layer.weight].values() if isinstance(value, torch.Tensor) and value.ndim]
    assert moments and not any(value[~mask].any() for value in moments)


def test_moments_of_before_move_nothing_that_is_locked():
    layer, mask = nn.Linear(4, 4), torch.eye(4, dtype=torch.bool)
    moves = torch.optim.AdamW(layer.parameters(), lr=0.1)
    layer(torch.ones(1, 4)).sum().backward()
    moves.step()
    lock = Lock(layer, Masks({"weight": mask}))
    moves.step()
    assert layer.weight[~mask].any()
    lock.close()
    assert not bits(layer.weight[~mask]).any()


def test_a_gradient_that_is_no_number_does_not_open_the_lock():
    layer, mask = nn.Linear(2, 2), torch.tensor([[True, False], [True, True]])
    lock = Lock(layer, Masks({"weight": mask}))
    layer.weight.grad = torch.full((2, 2), torch.nan)
    lock.still()
    assert layer.weight.grad[0, 1] == 0
    layer.weight.data.fill_(-torch.inf)
    lock.close()
    assert not bits(layer.weight[0, 1])


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.head, self.own = nn.Embedding(3, 2), nn.Linear(2, 3, bias=False), nn.Linear(2, 2)
        self.head.weight = self.words.weight


@pytest.mark.parametrize("name", ["words.weight", "head.weight"])
def test_a_tied_weight_is_locked_by_either_of_its_names(name):
    model, mask = Tied(), torch.tensor([[True, True], [False, True], [True, False]])
    lock = Lock(model, Masks({name: mask}))
    moves = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5)
    for _ in range(3):
        moves.zero_grad()
        (model.head(model.own(model.words(torch.arange(3)))) - 1).pow(2).sum().backward()
        lock.still()
        moves.step()
        lock.close()
    assert model.head.weight is model.words.weight and lock.locked == 2
    assert not bits(model.words.weight[~mask]).any() and model.words.weight[mask].all()


def test_an_unknown_name_is_told():
    with pytest.raises(ValueError, match="no parameter of the model is called 'weigth', did you mean 'weight'"):
        Lock(nn.Linear(1, 1), Masks({"weigth": torch.ones(1, 1, dtype=torch.bool)}))


def test_the_zeros_of_a_model_that_was_pruned_before_are_its_masks(vlm):
    from multiflow_core import rank

    masks = rank(vlm.model, "omp").masks(0.5)
    found = zeros_kept(vlm.prune(masks))
    assert set(found) == set(masks) and all(not (found[name] & ~masks[name]).any() for name in masks)
    assert 0.5 <= found.sparsity < 0.501 and zeros_kept(vlm) is None
