"""Where a model runs: what is not there, and what does not fit, is one sentence."""

import sys
from types import ModuleType

import pytest
import torch
from torch import nn

from multiflow_core.support import devices


@pytest.fixture
def accelerate(monkeypatch):
    """A stand-in that shares every model out as it is told."""
    made = ModuleType("accelerate")
    made.where = {"": "cpu"}
    made.infer_auto_device_map = lambda model, no_split_module_classes: made.where
    made.dispatch_model = lambda model, where: (model, where)
    monkeypatch.setitem(sys.modules, "accelerate", made)
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: made)
    return made


def test_a_model_is_shared_out_among_gpus(accelerate):
    model = nn.Linear(2, 2)
    accelerate.where = {"a": 0, "b": 1}
    assert devices.present("auto") == "auto"
    assert devices.placed(model, "auto") == (model, {"a": 0, "b": 1})


def test_without_a_gpu_it_stays_where_it_is(accelerate):
    model = nn.Linear(2, 2)
    assert devices.placed(model, "auto") is model


def test_what_would_be_taken_out_of_the_model_is_refused(accelerate):
    accelerate.where = {"a": 0, "b": "disk"}
    with pytest.raises(ValueError, match="does not fit into the memory of all devices together"):
        devices.placed(nn.Linear(2, 2), "auto")


def test_without_accelerate_a_sentence_names_it(monkeypatch):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install accelerate"):
        devices.present("auto")


def test_apples_gpu_is_offered_where_torch_has_it(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.present("mps") == torch.device("mps")
    with pytest.raises(ValueError, match="choose cpu or mps"):
        devices.present("tpu")


def test_a_model_that_is_too_large_for_a_device_says_so(monkeypatch):
    model = nn.Linear(2, 2)
    monkeypatch.setattr(model, "to", lambda device: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA out of memory")))
    with pytest.raises(ValueError, match="does not fit into the memory of cuda"):
        devices.placed(model, torch.device("cuda"))
