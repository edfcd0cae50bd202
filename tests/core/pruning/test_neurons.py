"""The pattern of neurons: units by what flows through them, summed by hand; as many in every block; for every criterion."""

import pytest
import torch

import multiflow_core as mf
from multiflow_core.models.units import NEURONS, Part, Side
from multiflow_core.pruning.criteria import criteria
from multiflow_core.pruning.neurons import kept_units, unit_masks, unit_scores, widths
from multiflow_core.weights.layers import PrunableLayer

UP, DOWN = PrunableLayer("up.weight", (3, 2)), PrunableLayer("down.weight", (2, 3))
PART = Part(NEURONS, 3, (Side(UP),), Side(DOWN), (("width", 1),))


class Told:
    """An order with given scores, that keeps a share of every layer alike, or by a factor of its own."""

    layers = (UP, DOWN)

    def __init__(self, scores, faster=None):
        self.scores, self.faster = scores, faster or {}

    def score(self, name):
        return torch.tensor(self.scores[name])

    def layer_sparsity(self, sparsity):
        return {name: min(1.0, sparsity * self.faster.get(name, 1.0)) for name in self.scores}


SCORES = {"up.weight": [[1.0, 1.0], [0.0, 4.0], [2.0, 2.0]], "down.weight": [[3.0, 0.0, 1.0], [3.0, 1.0, 2.0]]}


def test_the_flow_through_a_unit_by_hand():
    # rows 2, 4, 4 of 10; columns 6, 1, 3 of 10
    assert unit_scores(Told(SCORES), PART).tolist() == pytest.approx([0.2 + 0.6, 0.4 + 0.1, 0.4 + 0.3])
    assert kept_units(Told(SCORES), [PART], 2 / 3)["down.weight"].tolist() == [True, False, True]
    assert kept_units(Told(SCORES), [PART], 1 / 3)["down.weight"].tolist() == [True, False, False]


def test_units_of_several_rows_are_summed():
    rows = PrunableLayer("up.weight", (6, 1)), PrunableLayer("down.weight", (1, 3))
    part = Part("heads", 3, (Side(rows[0], 2),), Side(rows[1], 1), (("heads", 1),))
    told = Told({"up.weight": [[1.0], [2.0], [3.0], [0.0], [1.0], [3.0]], "down.weight": [[0.0, 0.0, 0.0]]})
    assert unit_scores(told, part).tolist() == pytest.approx([0.3, 0.3, 0.4])  # nothing reads them: that says nothing


def test_masks_take_rows_and_columns():
    masks = unit_masks([PART], {"down.weight": torch.tensor([True, False, True])})
    assert masks["up.weight"].int().tolist() == [[1, 1], [0, 0], [1, 1]]
    assert masks["down.weight"].int().tolist() == [[1, 0, 1], [1, 0, 1]]


def test_each_tower_keeps_what_the_allocation_keeps_of_it():
    other = Part(
        NEURONS,
        100,
        (Side(PrunableLayer("a.weight", (100, 2))),),
        Side(PrunableLayer("b.weight", (2, 100))),
        (("other", 1),),
    )
    first = Part(
        NEURONS,
        100,
        (Side(PrunableLayer("c.weight", (100, 2))),),
        Side(PrunableLayer("d.weight", (2, 100))),
        (("first", 1),),
    )
    told = Told(dict.fromkeys(["a.weight", "b.weight", "c.weight", "d.weight"], 0), {"a.weight": 2, "b.weight": 2})
    # at a sparsity of 1/3 one tower keeps a third and the other two: a half of both together
    assert widths(told, [first, other], 0.5, multiple=1) == {"first": 67, "other": 33}
    assert widths(told, [first, other], 0.5, multiple=8) == {"first": 64, "other": 32}
    assert widths(told, [first, other], 1.0) == {"first": 100, "other": 100}


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        kept_units(Told(SCORES), [PART], share)


@pytest.fixture(scope="module")
def known(vlm):
    from multiflow_core.data import dataset

    batches = list(vlm.batches(dataset.open().pairs(8, 0, vlm.side)))
    return {"statistics": mf.calibrate(vlm.model, batches), "batches": batches}


@pytest.mark.parametrize("criterion", [one.name for one in criteria()])
def test_every_criterion_can_be_summed(vlm, known, criterion):
    order = mf.rank(vlm.model, criterion=criterion, allocation="multimodal", **known)
    parts = mf.units_of(vlm.model)
    masks = order.masks_neurons(parts, 0.25)
    assert list(masks) == [layer.name for layer in vlm.layers]
    for part in parts:
        rows, columns = masks[part.writers[0].layer.name].all(1), masks[part.reader.layer.name].all(0)
        assert torch.equal(rows, columns) and int(rows.sum()) % 8 == 0 and 140 < int(rows.sum()) < 244
        assert torch.equal(masks[part.reader.layer.name], columns.expand(part.reader.layer.shape))
    dense = [layer.name for layer in vlm.layers if not layer.role.startswith("fc")]
    assert all(bool(masks[name].all()) for name in dense)
    assert len({int(masks[part.reader.layer.name].any(0).sum()) for part in parts}) <= 2


def test_fewer_units_are_among_the_more(vlm):
    order, parts = mf.rank(vlm.model, "omp"), mf.units_of(vlm.model)
    few, more = (kept_units(order, parts, share) for share in (0.3, 0.6))
    assert all(bool((~few[name] | more[name]).all()) for name in few)


def test_towers_with_a_fixed_layer_stay_out_of_it(vlm):
    order, parts = mf.rank(vlm.model, "omp", fixed={"text": 0}), mf.units_of(vlm.model)
    found = order.masks_neurons(parts, 0.5).layer_sparsity()
    assert {found[layer.name] for layer in vlm.layers if layer.modality == "text"} == {0.0}
    assert {
        round(found[layer.name], 2) for layer in vlm.layers if layer.role == "fc1" and layer.modality == "vision"
    } == {0.5}
