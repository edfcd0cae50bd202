"""One process of several: gradients are averaged, and all say what the main one says."""

import sys
from types import ModuleType

import pytest
import torch
from torch import nn

from multiflow_core.finetuning.hands import Alone, Together, hands


@pytest.fixture
def accelerate(monkeypatch):
    """A library of that name, for process 1 of 2, of which the other one's gradient is always 3 and whose word is "main"."""

    class Accelerator:
        process_index, num_processes, is_main_process = 1, 2, False
        device = torch.device("cpu")

        def __init__(self, cpu: bool = False):
            self.cpu = cpu

        def reduce(self, tensor, reduction):
            assert reduction == "mean"
            return (tensor + 3) / 2

    made, tools = ModuleType("accelerate"), ModuleType("accelerate.utils")
    made.Accelerator, made.utils = Accelerator, tools
    tools.broadcast_object_list = lambda values: ["main"]
    monkeypatch.setitem(sys.modules, "accelerate", made)
    monkeypatch.setitem(sys.modules, "accelerate.utils", tools)
    return made


def test_alone_nothing_is_imported_or_changed(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setitem(sys.modules, "accelerate", None)
    alone, weight = hands(), nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([1.0, 2.0])
    alone.average([weight])
    assert isinstance(alone, Alone) and (alone.number, alone.count, alone.main) == (0, 1, True)
    assert weight.grad.tolist() == [1.0, 2.0] and alone.agree("mine") == "mine"


def test_together_gradients_are_averaged_also_those_that_one_lacks(monkeypatch, accelerate):
    monkeypatch.setenv("WORLD_SIZE", "2")
    together = hands()
    one, two = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(1))
    one.grad = torch.tensor([1.0, 5.0])
    together.average([one, two])
    assert isinstance(together, Together) and (together.number, together.count, together.main) == (1, 2, False)
    assert one.grad.tolist() == [2.0, 4.0] and two.grad.tolist() == [1.5] and together.agree("mine") == "main"
