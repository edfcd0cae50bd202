"""What holds for every kind of evidence: it is collected, recognised, given to a layer, and checked."""

import pytest
import torch
from torch import nn

import multiflow_core as mf
from multiflow_core.calibration.evidence import EVIDENCE, Data, named
from multiflow_core.pruning.criteria import CRITERIA
from multiflow_core.pruning.method import METHODS

each = pytest.mark.parametrize("evidence", EVIDENCE.all(), ids=lambda evidence: evidence.name)


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def collected(evidence, model, progress=None):
    batches = [{"input": torch.rand(5, 3)}, {"input": torch.rand(3, 3)}]
    data = Data(batches, objective=lambda model, batch: model(**batch).square().mean(), progress=progress)
    return evidence.collect(model, mf.prunable_layers(model), data)


@each
def test_it_is_collected_told_of_and_leaves_the_model_as_it_was(evidence, model):
    before, told = {name: tensor.clone() for name, tensor in model.state_dict().items()}, []
    value = collected(evidence, model, lambda *said: told.append(said))
    assert type(value) is evidence.kind
    assert [fraction for fraction, _ in told][-1] == 1.0 and len(told) >= 2
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(parameter.grad is not None for parameter in model.parameters())


@each
def test_a_layer_that_it_does_not_know_or_that_is_of_another_size_is_refused(evidence, model):
    value = collected(evidence, model)
    other = nn.Sequential(nn.Linear(7, 4), nn.ReLU(), nn.Linear(4, 2), nn.Linear(2, 2))
    (larger, _, unknown) = mf.prunable_layers(other)
    for layer in (larger, unknown):
        with pytest.raises(ValueError, match=r"\.weight|unknown|no layer"):
            evidence.of_layer(value, layer)


def test_no_two_kinds_are_of_one_type():
    """`rank` recognises evidence by its type."""
    assert len({evidence.kind for evidence in EVIDENCE.all()}) == len(EVIDENCE.all()) >= 3


def test_what_methods_and_criteria_need_is_registered():
    assert all(need in EVIDENCE for owner in (*METHODS.all(), *CRITERIA.all()) for need in owner.needs)


def test_statistics_without_a_layer_are_not_enough():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    layers = mf.prunable_layers(model)
    partial = mf.Statistics({"0.weight": torch.ones(2, dtype=torch.float64)}, 1, layers)
    with pytest.raises(ValueError, match=r"never ran during calibration: 1\.weight"):
        EVIDENCE.get("statistics").check("MULTIFLOW", partial, layers)


@pytest.mark.parametrize(
    ("names", "text"), [("a", "a"), ("abcde", "a, b, c, d, e"), ("abcdefg", "a, b, c, d, e and 2 more"), ("", "")]
)
def test_a_few_names(names, text):
    assert named(list(names)) == text
