"""Smaller dense models: least squares against a slow reference, exact where nothing goes, and better than without."""

import pytest
import torch

import multiflow_core as mf
from multiflow_core.calibration.samples import Samples
from multiflow_core.data import dataset
from multiflow_core.pruning.neurons import kept_units, unit_masks
from multiflow_core.pruning.slim import fitted, slim
from tests.core.models.test_units import llama


def tokens(count=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [{"input_ids": torch.randint(50, (4, 12), generator=generator)} for _ in range(count)]


def test_where_nothing_goes_nothing_changes(parts):
    vlm = mf.load("flatland-blip")
    batches = list(vlm.batches(dataset.open().pairs(4, 0, vlm.side)))
    samples = Samples.of(parts, batches)
    found = mf.units_of(parts)
    same = fitted(parts, found, kept_units(mf.rank(parts, "omp"), found, 1.0), samples).model
    for (name, ours), theirs in zip(same.named_parameters(), parts.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=2e-4), name


@pytest.mark.parametrize("kinds", [["neurons"], ["heads"], ["neurons", "heads"]])
def test_solved_anew_it_is_nearer_to_the_dense_model(kinds):
    model, batches, unseen = llama(), tokens(6), tokens(1, seed=1)[0]
    order = mf.rank(model, "multiflow", statistics=mf.calibrate(model, batches))
    before = {name: p.clone() for name, p in model.named_parameters()}
    with torch.no_grad():
        dense = model(**unseen).logits
        cut, solved = (
            (slim(model, 0.5, order=order, batches=batches, fit=fit, kinds=kinds)(**unseen).logits - dense)
            .square()
            .mean()
            for fit in (False, True)
        )
    assert solved < cut
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_it_is_what_the_masked_model_would_be():
    model, batches = llama(), tokens()
    parts, samples = mf.units_of(model), Samples.of(model, batches)
    order = mf.rank(model, "multiflow", statistics=mf.calibrate(model, batches))
    kept = kept_units(order, parts, 0.5)
    wide = fitted(model, parts, kept, samples).model
    masks = unit_masks(parts, kept)
    assert all(not bool(wide.get_parameter(name)[~mask].any()) for name, mask in masks.items())
    small = slim(model, 0.5, batches=batches)
    with torch.no_grad():
        assert torch.allclose(small(**batches[0]).logits, wide(**batches[0]).logits, atol=1e-5)


@pytest.mark.parametrize("kinds", [["neurons"], ["heads"], ["neurons", "heads"]])
def test_units_chosen_by_their_error_leave_less_of_it(kinds):
    model, batches, unseen = llama(), tokens(12), tokens(4, seed=1)
    order = mf.rank(model, "multiflow", statistics=mf.calibrate(model, batches))
    how = {"order": order, "batches": batches, "kinds": kinds}
    with torch.no_grad():
        errors = [
            sum(
                (slim(model, 0.25, choose=by, **how)(**one).logits - model(**one).logits).square().mean()
                for one in unseen
            )
            for by in ("score", "error")
        ]
    assert errors[1] < errors[0]


def test_as_many_units_stay_whoever_chooses_them():
    model, batches = llama(), tokens()
    parts, samples = mf.units_of(model), Samples.of(model, batches)
    order = mf.rank(model, "multiflow", statistics=mf.calibrate(model, batches))
    kept = kept_units(order, parts, 0.5)
    wide, other = fitted(model, parts, kept, samples, by_error=True)
    assert {name: int(units.sum()) for name, units in other.items()} == {
        name: int(units.sum()) for name, units in kept.items()
    }
    assert any(not torch.equal(units, kept[name]) for name, units in other.items())
    small = slim(model, 0.5, order=order, batches=batches, choose="error")
    with torch.no_grad():
        assert torch.allclose(small(**batches[0]).logits, wide(**batches[0]).logits, atol=1e-5)


def test_what_cannot_be_done_is_said(vlm):
    for how in ({"choose": "error", "fit": False}, {"choose": "taste"}):
        with pytest.raises(ValueError, match="chosen by score or error"):
            slim(vlm, 0.5, "omp", **how)
    with pytest.raises(ValueError, match=r"pass batches=..., or fit=False"):
        slim(vlm, 0.5)
    with pytest.raises(ValueError, match="no scores|no score that holds"):
        slim(vlm, 0.5, "reflow", batches=list(vlm.batches(dataset.open().pairs(2, 0, vlm.side))), fit=False)


def test_with_few_pairs_half_of_the_units_are_enough(vlm):
    data = dataset.open()
    pairs = list(vlm.batches(data.pairs(6, 0, vlm.side)))
    asked = list(vlm.question_batches(*data.asked(6, 0, vlm.side)))
    small = slim(vlm, 0.5, batches=pairs, questions=asked)
    assert small.model.config.vision_config.intermediate_size < 450
    exam = data.exam("val", 40, 0, 0)
    from multiflow_core.experiments.benchmark import measure

    assert measure(small, exam, ["retrieval"])["retrieval"]["IR@1"] > 0.9
    assert vlm.model.config.vision_config.intermediate_size == 768
