"""The benchmark of smaller models: peers have the same widths, ratios come from pairs, and the bars are told."""

from dataclasses import replace

import pytest
import torch

import multiflow_core as mf
from benchmarks import structured
from multiflow_core.experiments.candidates import widths_of
from multiflow_core.experiments.speed import Measured, Timing
from tests.core.conftest import parts as tiny_parts  # noqa: F401


@pytest.fixture
def tiny(tiny_parts):  # noqa: F811
    return replace(mf.load("flatland-blip"), model=tiny_parts, folder=None)


@pytest.mark.parametrize("kind", list(structured.IMPORTANCES))
def test_a_peer_keeps_the_units_of_the_highest_importance(tiny, kind):
    worth = structured.importances(tiny, 4, kind)
    beside = mf.slim(tiny, 0.5, "localmp", fit=False)
    small = structured.peer(tiny, beside, worth)
    assert widths_of(small) == widths_of(beside)
    part = mf.units_of(tiny.model)[0]
    own = worth[part.reader.layer.name]
    best = own.argsort(descending=True)[: widths_of(beside)[part.tower]].sort().values
    assert torch.equal(
        small.model.get_parameter(part.reader.layer.name), tiny.model.get_parameter(part.reader.layer.name)[:, best]
    )


def test_magnitude_by_hand(tiny):
    """Torch-Pruning's magnitude of a unit: the mean over its matrices of sums of squares, each divided by its mean."""
    part = mf.units_of(tiny.model)[0]
    up, down = (tiny.model.get_parameter(layer.name).detach().double() for layer in part.layers)
    own = structured.importances(tiny, 4, "magnitude")[part.reader.layer.name].double()
    ranks = (up.square().sum(1) + down.square().sum(0)).argsort()
    assert torch.corrcoef(torch.stack([own[ranks], torch.arange(len(own)).double()]))[0, 1] > 0.8


def test_bars_are_told():
    one = Measured(structured.HALF.name, "neurons", scores={"retrieval": {"IR@1": 0.99}, "captioning": {"true": 0.9}})
    (said,) = structured.verdicts([one], {one.name: Timing(1.5, 1.4, 1.6)})
    assert said.startswith("MISSED") and "captioning 0.900 (bar 0.93)" in said
    good = replace(one, scores={"retrieval": {"IR@1": 0.99}, "captioning": {"true": 0.95}})
    assert next(structured.verdicts([good], {one.name: Timing(1.4, 1.4, 1.6)})).startswith("reached")
    assert next(structured.verdicts([good], {one.name: Timing(1.3, 1.2, 1.6)})).startswith("MISSED")


def test_ratios_come_from_pairs(tiny, monkeypatch):
    clock = iter([9.0, 9.0, 2.0, 1.0, 8.0, 4.0, 3.0, 1.0])
    monkeypatch.setattr(structured, "timed", lambda call, vlm: next(clock))
    assert structured.ratio(tiny, tiny, 8, 3) == Timing.of([2.0, 2.0, 3.0])
