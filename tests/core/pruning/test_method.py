"""The registry: what is in it is complete, and what is added from outside works like the rest."""

import pytest
import torch
from torch import nn

import multiflow_core as mf
from multiflow_core.calibration.evidence import EVIDENCE
from multiflow_core.pruning import allocations, criteria
from multiflow_core.pruning.allocations import ALLOCATIONS
from multiflow_core.pruning.criteria import CRITERIA
from multiflow_core.pruning.method import METHODS, Method, Option, get, register

mf.methods()
REGISTRY = METHODS._entries


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.ModuleDict({"vision": nn.Linear(4, 3), "text": nn.Linear(3, 5)})


@pytest.mark.parametrize("method", mf.methods(), ids=lambda method: method.name)
def test_every_method_says_what_it_is(method):
    assert get(method.name) is method
    assert method.title
    assert method.paper
    assert method.formula
    assert method.idea.count(".") >= 2
    assert all(need in EVIDENCE for need in method.needs)
    assert all(isinstance(option, Option) and option.doc for option in method.options.values())
    if method.build is None:
        needs = CRITERIA.get(method.criterion).needs
        assert ALLOCATIONS.get(method.allocation)
        assert needs <= method.needs


def test_the_first_four_are_there():
    assert {"multiflow", "omp", "localmp", "random"} <= {method.name for method in mf.methods()}


def test_unknown_method():
    with pytest.raises(ValueError, match=r"did you mean 'omp'\? known: .*multiflow"):
        get("ommp")


def test_a_method_registered_elsewhere(model, monkeypatch):
    monkeypatch.setattr(METHODS, "_entries", dict(REGISTRY))
    monkeypatch.setattr(CRITERIA, "_entries", dict(CRITERIA._entries))

    def largest_first(weight, context):
        return -weight.abs() * context.options["sign"]

    criteria.register(criteria.Criterion("anti", "Anti-magnitude", "-|w|", largest_first))
    toy = register(
        Method(
            "toy",
            "Toy",
            "nowhere",
            "-|w|",
            "Large ones go. For fun.",
            "anti",
            "global",
            options={"sign": Option(1, "-1 for plain magnitude")},
        )
    )
    assert toy in mf.methods()
    assert mf.rank(model, "toy", sign=-1).masks(0.4) == mf.rank(model, "omp").masks(0.4)
    flipped = mf.rank(model, "toy").masks(13 / 27)
    assert (~flipped) == mf.rank(model, "omp").masks(14 / 27)
    with pytest.raises(ValueError, match="did you mean 'sign'"):
        mf.rank(model, "toy", sing=2)


def test_a_method_that_is_not_nested_fits_behind_the_same_call(model):
    class OneMaskPerRequest:
        nested = False

        def __init__(self, request):
            self.request = request

        def masks(self, sparsity):
            return mf.rank(self.request.model, "random", seed=int(sparsity * 100)).masks(sparsity)

    again = Method(
        "again",
        "Again",
        "nowhere",
        "?",
        "Anew. Each time.",
        nested=False,
        build=OneMaskPerRequest,
        options={"steps": Option(3, "how many")},
    )
    order = mf.rank(model, again, seed=5)
    assert (order.request.options, order.request.data.seed, order.nested) == ({"steps": 3}, 5, False)
    assert order.masks(0.5).pruned == 13
    assert mf.rank(model, again, criterion="magnitude", allocation="global").criterion.name == "magnitude"
    with pytest.raises(ValueError, match="both or neither"):
        mf.rank(model, again, criterion="magnitude")


def test_a_method_must_be_complete():
    with pytest.raises(ValueError, match="needs a criterion and an allocation"):
        Method("half", "Half", "", "", "")
    with pytest.raises(ValueError, match="unknown needs: no evidence is called .luck."):
        Method("lucky", "Lucky", "", "", "", "magnitude", "global", needs=frozenset({"luck"}))


@pytest.mark.parametrize("allocation", [a.name for a in allocations.allocations() if a.needs <= {"statistics"}])
@pytest.mark.parametrize("criterion", [c.name for c in criteria.criteria() if c.needs <= {"statistics"}])
def test_any_criterion_with_any_allocation(model, criterion, allocation):
    sums = {n: torch.ones(p.shape[1], dtype=torch.float64) for n, p in model.named_parameters() if p.ndim == 2}
    stats = mf.Statistics(sums, 1, mf.prunable_layers(model))
    order = mf.rank(model, statistics=stats, criterion=criterion, allocation=allocation)
    assert order.masks(0.63).pruned == 17  # floor(0.63 * 27)
