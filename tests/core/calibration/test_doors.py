"""A block run again by itself does what it does in the whole model; where it would not, it is not run by itself."""

from collections import Counter

import pytest
import torch
from torch import nn

import multiflow_core as mf
from multiflow_core.calibration.doors import Door, with_calls
from multiflow_core.calibration.samples import uses_left, uses_of
from multiflow_core.weights.layers import EXPERTS_OUT_IN, PrunableLayer

GO = lambda model, batch: model(batch)  # noqa: E731


class Block(nn.Module):
    """Two layers, and writes into what it is given."""

    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(3, 5), nn.Linear(5, 3)

    def forward(self, x, *, scale=1.0):
        x += self.down(torch.tanh(self.up(x))) * scale
        return x


class Tower(nn.Module):
    """Blocks in a row, one of them maybe again."""

    def __init__(self, again=(0, 1)):
        super().__init__()
        torch.manual_seed(0)
        self.layers, self.again = nn.ModuleList(Block() for _ in range(2)), again

    def forward(self, x):
        for i in self.again:
            x = self.layers[i](x.clone(), scale=0.5)
        return x


def layers(i):
    return [layer for layer in mf.prunable_layers(Tower()) if layer.name.startswith(f"layers.{i}.")]


BATCHES = [torch.full((2, 3), float(i)) for i in range(3)]


def test_the_block_gives_what_it_gives_in_the_whole_model():
    model, door = Tower(), Door.of(layers(1))
    entered = door.entered(model, BATCHES, GO)
    assert [len(calls) for calls in entered] == [1, 1, 1]
    for batch, calls in zip(BATCHES, entered):
        for _ in range(2):  # what it writes into is not what is kept
            assert torch.equal(door.again(model, calls), model(batch))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_pass_ends_with_the_last_use():
    model, reached = Tower(), []
    model.layers[1].register_forward_pre_hook(lambda *_: reached.append(1))
    uses = [uses_of(model, layers(0), batch, GO) for batch in BATCHES]
    reached.clear()
    entered = Door.of(layers(0)).entered(model, BATCHES, GO, uses)
    assert len(entered) == 3 and not reached


@pytest.mark.parametrize(
    ("again", "block", "alone"),
    [((0, 1), 0, True), ((0, 0, 1), 1, True), ((0, 0, 1), 0, False), ((1, 0, 1), 1, False), ((0,), 1, False)],
)
def test_a_block_that_feeds_itself_or_never_runs_is_not_run_alone(again, block, alone):
    assert (Door.of(layers(block)).entered(Tower(again), BATCHES, GO) is not None) == alone


def test_uses_outside_and_a_whole_model_are_not_run_alone():
    class Shared(Tower):
        def forward(self, x):
            return super().forward(nn.functional.linear(x, self.layers[1].up.weight)[:, :3])

    assert Door.of(layers(1)).entered(Shared(), BATCHES, GO) is None
    assert Door.of(layers(0)).entered(Shared(), BATCHES, GO) is not None
    assert Door.of(mf.prunable_layers(nn.Linear(3, 3))).entered(nn.Linear(3, 3), BATCHES, GO) is None


def test_where_experts_are_a_pass_goes_on_to_its_end():
    """How many of them another model uses is not known beforehand."""
    experts = PrunableLayer("gate_up_proj", (2, 3, 3), stored=EXPERTS_OUT_IN)
    assert uses_left([experts, *layers(0)], Counter({"gate_up_proj": 2, "layers.0.up.weight": 1})) == 0
    assert uses_left(layers(0), Counter({"gate_up_proj": 2, "layers.0.up.weight": 1})) == 1


def test_what_does_not_fit_into_memory_is_not_kept(monkeypatch):
    monkeypatch.setattr("multiflow_core.calibration.doors.available_memory", lambda: 4 * 24 * 2)  # two of three batches
    assert Door.of(layers(1)).entered(Tower(), BATCHES[:2], GO) is not None
    assert Door.of(layers(1)).entered(Tower(), BATCHES, GO) is None


def test_a_batch_says_its_calls_beside_what_it_says_itself():
    assert with_calls({"x": 1}, [((), {})]) == {"x": 1, "entered": [((), {})]}
    assert with_calls(torch.ones(1), []) == {"entered": []}
