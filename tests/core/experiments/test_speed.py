"""Speed: medians by hand, turns that are fair, memory that is counted, and a file that reads back; nothing here is a race."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

import multiflow_core as mf
from multiflow_core.experiments import speed
from multiflow_core.experiments.candidates import SMALLS, Small, candidates, small_of, widths_of
from multiflow_core.experiments.prepare import sample_of
from multiflow_core.experiments.run import Run
from multiflow_core.experiments.speed import Candidate, Measured, Speeds, Timing, allocated, file_size, lines, speeds


def test_medians_and_quartiles_by_hand():
    assert Timing.of([4.0, 1.0, 3.0, 2.0, 5.0]) == Timing(3.0, 2.0, 4.0)
    assert Timing.of([2.0]) == Timing(2.0, 2.0, 2.0)


@pytest.fixture
def clocked(monkeypatch):
    """A machine that becomes slower with every call: each model takes its own time, times how busy the machine is."""
    calls = []

    def timed(call, vlm):
        calls.append(vlm)
        return (1 + len(calls) // 2) * (2.0 if vlm.name == "slow" else 1.0)

    monkeypatch.setattr(speed, "timed", timed)
    return calls


def test_models_take_turns_so_that_a_busy_machine_changes_no_ratio(vlm, clocked):
    slow, fast = replace(vlm, name="slow"), replace(vlm, name="fast")
    monkeyed = speeds([Candidate("dense", slow), Candidate("small", fast)], [1], 5)
    by = monkeyed[1].faster["retrieval"][1]
    assert 1.5 < by.low <= by.seconds <= by.high <= 2.0
    assert monkeyed[0].faster["retrieval"][1] == Timing(1.0, 1.0, 1.0)
    # the first model once for itself and once before the other; nothing is counted of the first round, which warms up
    assert [one.name for one in clocked[:6]] == ["slow", "slow", "fast", "slow", "slow", "fast"]
    assert len(clocked) == 2 * 6 * 3


def test_memory_is_what_is_alive_at_once():
    def call():
        a = torch.ones(1000, dtype=torch.float32)
        b = a + 1
        del a
        return b + 1

    assert 8000 <= allocated(call, torch.device("cpu")) < 9000
    assert allocated(lambda: None, torch.device("meta")) is None


def test_masks_are_packed_and_smaller_models_are_plain(vlm):
    order = mf.rank(vlm.model, "omp")
    masks = order.masks(0.75)
    small = mf.slim(vlm, 0.5, order=order, fit=False)
    dense = file_size(Candidate("dense", vlm))
    assert file_size(Candidate("", vlm.prune(masks), "weights", 0.25, masks)) < 0.4 * dense
    assert 0.6 * dense < file_size(Candidate("", small, "neurons", 0.5)) < 0.8 * dense


@pytest.fixture
def tiny(vlm, parts):
    """The shipped model's processor around a BLIP with two blocks a part."""
    return replace(vlm, model=parts, folder=None)


def test_what_is_set_side_by_side_is_what_it_says(tiny):
    found = {one.name: one for one in candidates(tiny, Run("", "omp"), [Small(0.5), Small(0.5, 1)])}
    assert list(found) == ["dense", "weights, 50 %", "2:4", "4:8", "neurons, 50 %", "neurons, 50 %, 1 block less"]
    for name in ("weights, 50 %", "2:4", "4:8"):
        assert found[name].masks.sparsity == pytest.approx(0.5, abs=1e-4)
    small = found["neurons, 50 %, 1 block less"]
    assert small.vlm.model.config.vision_config.num_hidden_layers == 1 and dict(small.widths) == widths_of(small.vlm)


def test_what_a_config_cannot_say_is_left_out(tiny):
    names = [one.name for one in candidates(tiny, Run("", "omp"), [Small(0.5, 99), Small(0.5)])]
    assert names[-1] == "neurons, 50 %" and len(names) == 5


@pytest.mark.parametrize("text", ["", "half", "0", "1.5", "0.5-x", "0.5--1"])
def test_a_smaller_model_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="is no smaller model"):
        Small.read(text)


def test_a_smaller_model_is_read_as_it_is_written():
    assert Small.read("0.5") == SMALLS[0] and Small.read("0.5-2") == Small(0.5, 2)


def test_chosen_by_their_error_where_they_are_solved(tiny):
    by = {
        fit: small_of(tiny, Run("", "omp"), Small(0.25, choose="error"), fit=fit, sample=sample_of(8))
        for fit in (True, False)
    }
    other = small_of(tiny, Run("", "omp"), Small(0.25), sample=sample_of(8))
    assert by[True].widths == by[False].widths == other.widths and by[True].name == "neurons, 25 %, by error"
    one, two = (found.vlm.model.vision_model.encoder.layers[0].mlp.fc2.weight for found in (by[True], other))
    assert not torch.allclose(one, two)


ONE = Measured(
    "neurons, 50 %",
    "neurons",
    0.5,
    {"vision_config.intermediate_size": 384},
    {"retrieval": {8: Timing(0.02, 0.01, 0.03)}},
    {"retrieval": {8: Timing(1.5, 1.25, 1.75)}},
    1000,
    400,
    None,
    10**9,
    {"retrieval": {"IR@1": 0.5}},
    {"retrieval": {"IR@1": (0.25, 0.75)}},
)


def test_a_file_reads_back(tmp_path):
    told = Speeds("blip", {"device": "cpu", "processor": "X", "threads": 1, "torch": "2"}, (ONE,), {"pairs": 3})
    again = Speeds.load(told.save(tmp_path / "speed.json"))
    assert again.models[0].timings == ONE.timings and again.models[0].faster == ONE.faster
    assert (again.model, again.head, again.models[0].memory) == ("blip", {"pairs": 3}, None)
    said = "\n".join(lines(again))
    assert "20.0 (10.0-30.0) 1.50x" in said and "(arithmetic)" in said and "1 threads" in said


@pytest.mark.parametrize("text", ["", "[]", '{"model": "x"}', '{"model": "x", "machine": {}, "models": [{"no": 1}]}'])
def test_a_file_that_holds_no_speeds_is_a_sentence(tmp_path, text):
    (tmp_path / "speed.json").write_text(text)
    with pytest.raises(ValueError, match="holds no speeds"):
        Speeds.load(tmp_path / "speed.json")


def test_semi_structured_tensors_need_a_gpu(vlm, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="GPUs with sparse tensor cores alone"):
        speed.semi_structured(vlm)


def test_pace_leaves_the_first_turn_out_and_takes_ratios_of_pairs(monkeypatch):
    took = iter([9.0, 9.0, 2.0, 1.0, 4.0, 1.0, 6.0, 3.0])
    monkeypatch.setattr(speed, "timed", lambda call, vlm: next(took))
    monkeypatch.setattr(speed, "works", lambda vlm: {"retrieval": None})
    model = SimpleNamespace(image_inputs=list)
    first, other, faster = speed.pace(model, model, "retrieval", ["a picture"], repeats=3)
    assert (first.seconds, other.seconds, faster.seconds) == (4.0, 1.0, 2.0)
    assert (faster.low, faster.high) == (2.0, 3.0)
