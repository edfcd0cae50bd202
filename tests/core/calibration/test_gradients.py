"""Gradients of objectives that draw random numbers: other ones at every pass, the same at every call."""

import torch
from torch import nn

import multiflow_core as mf
from multiflow_core.calibration.gradients import Replica


def noisy(model: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    return (model(batch) * torch.rand(())).sum()


def test_every_pass_draws_anew_and_every_call_alike():
    model, batch = nn.Linear(2, 1, bias=False), torch.ones(1, 2)
    layers = mf.prunable_layers(model)

    def drawn(seed: int) -> list[float]:
        replica = Replica(model, layers, noisy, seed=seed)
        return [float(replica.gradients(batch)["weight"][0, 0]) for _ in range(3)]

    state = torch.get_rng_state()
    assert drawn(0) == drawn(0) and len({*drawn(0)}) == 3
    assert drawn(1)[0] != drawn(0)[0]
    assert torch.equal(torch.get_rng_state(), state)


def test_each_batch_counts_alike_whatever_its_size():
    model = nn.Linear(1, 1, bias=False)
    batches = [torch.full((n, 1), float(n)) for n in (1, 2, 6)]
    found = mf.mean_gradients(model, batches, lambda model, batch: model(batch).mean())
    assert found.mean["weight"].tolist() == [[3.0]] and found.batches == 3
