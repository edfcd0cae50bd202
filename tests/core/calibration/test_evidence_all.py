"""Claims that every registered kind of evidence must keep, also one added tomorrow."""

import pytest
import torch

from multiflow_core.calibration.evidence import EVIDENCE, Data
from multiflow_core.models.layout import prunable_layers
from tests.core.reference import Toy, toy_batch


@pytest.mark.parametrize("kind", EVIDENCE.all(), ids=lambda kind: kind.name)
def test_claims(kind):
    model, layers = Toy(), prunable_layers(Toy())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    batches = [toy_batch(seed=seed) for seed in (1, 2)]
    data = Data(batches, objective=lambda model, batch: model(**batch).square().mean())
    value = kind.collect(model, None, data)
    assert isinstance(value, kind.kind)
    kind.check("a test", value, layers)
    assert all(kind.of_layer(value, layer) is not None for layer in layers)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert bool(kind.file) == (kind.load is not None) and kind.title and kind.about and kind.ask and kind.passes >= 1
