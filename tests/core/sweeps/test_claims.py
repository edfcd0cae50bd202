"""Verdicts on the paper's claims, on small tables whose answers are plain."""

import pytest

from multiflow_core.sweeps import claims
from multiflow_core.sweeps.cell import DENSE
from multiflow_core.sweeps.claims import FAILS, HOLDS, PARTLY, UNKNOWN, UNTESTABLE, VERDICTS, judged
from multiflow_core.sweeps.table import Entry, Part

AT = (0.63, 0.75, 0.9)
FIGURES = {"retrieval": "IR@1", "vqa": "all"}


def part(transfer="fine-tuned", dense=1.0, tasks=("retrieval", "vqa"), **figures: tuple[float, ...]) -> Part:
    """The same figures for each task; the dense model has 1."""
    found = [Entry("m", DENSE, 0.0, task, transfer, {FIGURES[task]: dense}) for task in tasks]
    for method, values in figures.items():
        for sparsity, value in zip(AT, values, strict=False):
            found += [Entry("m", method.replace("_", "+"), sparsity, t, transfer, {FIGURES[t]: value}) for t in tasks]
    return Part("m", transfer, tuple(found))


def word(claim, **more) -> str:
    return claim(part(**more)).word


OMP, SNIP, RANDOM = (0.5, 0.4, 0.1), (0.4, 0.3, 0.1), (0.0, 0.0, 0.0)


def test_first_in_three_quarters_of_the_cells():
    assert word(claims.first, multiflow=(0.9, 0.8, 0.7), omp=OMP, snip=SNIP) == HOLDS
    assert word(claims.first, multiflow=(0.9, 0.8, 0.05), omp=OMP, snip=SNIP) == PARTLY  # two thirds
    assert word(claims.first, multiflow=(0.9, 0.3, 0.05), omp=OMP, snip=SNIP) == FAILS
    assert word(claims.first, multiflow=(0.5, 0.4, 0.1), omp=OMP, snip=SNIP) == HOLDS  # level with the first
    assert word(claims.first, multiflow=(0.9,), omp=OMP) == UNKNOWN
    found = claims.first(part(multiflow=(0.9, 0.8, 0.7), omp=OMP, snip=SNIP, reflow=(1.0, 1.0, 1.0)))
    assert found.word == HOLDS and "Among all 4 of the lab it is first in 0" in found.sentence
    assert len(found.behind) == 6 and found.behind[0].said == "multiflow 90.0, best 90.0 (multiflow)"


def test_the_lead_grows_or_does_not():
    assert word(claims.gap_grows, multiflow=(0.6, 0.6, 0.6), omp=OMP) == HOLDS  # +10, +20, +50
    assert word(claims.gap_grows, multiflow=(0.9, 0.5, 0.3), omp=OMP) == PARTLY  # +40, +10, +20
    assert word(claims.gap_grows, multiflow=(0.3, 0.3, 0.05), omp=OMP) == FAILS  # nearer is not ahead
    assert word(claims.gap_grows, multiflow=(0.3,), omp=OMP) == UNKNOWN


def test_gradients_against_magnitude():
    assert word(claims.gradients_do_not_pay, omp=OMP, snip=SNIP) == HOLDS
    assert word(claims.gradients_do_not_pay, omp=OMP, snip=(0.9, 0.9, 0.9)) == FAILS
    assert word(claims.gradients_do_not_pay, omp=OMP, snip=SNIP, chita__=(0.9, 0.3, 0.0)) == PARTLY
    assert word(claims.gradients_do_not_pay, omp=OMP) == UNKNOWN


def test_magnitude_collapses_where_it_keeps_less_than_half():
    assert word(claims.magnitude_collapses, multiflow=(0.9, 0.8, 0.7), omp=(0.9, 0.9, 0.4)) == HOLDS
    assert word(claims.magnitude_collapses, multiflow=(0.9, 0.8, 0.7), omp=(0.1, 0.1, 0.6)) == FAILS
    assert word(claims.magnitude_collapses, multiflow=(0.9, 0.8, 0.2), omp=(0.1, 0.1, 0.3)) == FAILS  # both do
    assert word(claims.magnitude_collapses, omp=OMP) == UNKNOWN


def test_one_mask_for_all_tasks():
    assert word(claims.one_mask_serves_all, multiflow=(0.9, 0.1, 0.1)) == HOLDS
    assert word(claims.one_mask_serves_all, multiflow=(0.89, 0.9, 0.9)) == FAILS
    assert word(claims.one_mask_serves_all, multiflow=(0.9,), tasks=("vqa",)) == UNKNOWN  # one task says nothing


def test_tuning_recovers_says_nothing_of_zero_shot():
    assert word(claims.tuning_recovers, multiflow=(0.95, 0.92, 0.1)) == HOLDS
    assert word(claims.tuning_recovers, multiflow=(0.95, 0.5, 0.9)) == PARTLY
    assert word(claims.tuning_recovers, multiflow=(0.95, 0.92, 0.9), transfer="zero-shot") == UNKNOWN


def test_the_best_method_of_all_tasks_at_once():
    assert word(claims.ranking_carries_over, multiflow=(0.9, 0.9, 0.9), omp=OMP, snip=SNIP) == HOLDS
    split = part(multiflow=(0.9,), omp=(0.5,), snip=(0.4,)).entries
    turned = tuple(
        Entry(e.model, e.method, e.sparsity, e.task, e.transfer, {"all": 0.99})
        if (e.method, e.task) == ("omp", "vqa")
        else e
        for e in split
    )
    assert claims.ranking_carries_over(Part("m", "fine-tuned", turned)).word == FAILS


@pytest.mark.parametrize("empty", [part(), Part("m", "zero-shot", ())])
def test_every_claim_has_a_verdict_of_nothing(empty):
    found = judged(empty)
    assert {verdict.word for _, verdict in found} == {UNKNOWN, UNTESTABLE}
    assert all(verdict.sentence.endswith(".") and verdict.word in VERDICTS for _, verdict in found)
    assert len({claim.name for claim, _ in found}) == len(found)


def test_a_dense_model_that_can_nothing_divides_nothing():
    assert judged(part(dense=0.0, multiflow=(0.1, 0.1, 0.1), omp=OMP, snip=SNIP))
