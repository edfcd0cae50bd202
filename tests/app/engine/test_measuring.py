"""Measuring from a page is the command that it prints: the same figures; one at a time, stopped without loss."""

import shlex
import time
from dataclasses import replace

import pytest

from app.engine import checkpoints, data_sets, measuring
from multiflow_core import cli
from multiflow_core.experiments.results import Results
from multiflow_core.experiments.run import Run
from tests.core.data.made import put, write


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIFLOW_RESULTS", str(tmp_path / "results"))
    folder = tmp_path / "data"
    put(folder, *(f"{n}.png" for n in range(12)))
    rows = [f"{n}.png,a red cat number {n}" for n in range(12)]
    write(folder / "captions.csv", "\n".join(["image,caption", *rows]) + "\n")
    data = data_sets.data_of(str(folder))
    return measuring.Plan("flatland-xvlm", data, ("multiflow", "omp"), (0.5, 0.75), ("retrieval",), 4, 4)


def finished(held):
    for _ in range(6000):
        if not held.running:
            time.sleep(0.2)  # the last lines
            return held
        time.sleep(0.05)
    raise AssertionError("it did not end")


def test_the_printed_command_gives_the_same_figures(plan, tmp_path):
    held = measuring.start(plan)
    with pytest.raises(measuring.Busy, match="is being measured on this server"):
        measuring.start(plan)
    finished(held)
    assert not held.problem and held.done == plan.total == 5 and measuring.of(plan.model, plan.data) is held
    found = Results.load(plan.file)
    assert found.methods == plan.methods and set(found.dense) == {"retrieval"} and found.head["scenes"] == 4
    other = tmp_path / "other.json"
    program, *said = shlex.split(plan.command)
    assert program == "python" and said[:2] == ["-m", "multiflow_core"] and said[-1] == str(plan.file)
    cli.main([*said[2:-1], str(other)])
    again = Results.load(other)
    assert (again.dense, again.runs) == (found.dense, found.runs)
    assert found.find(Run("", "omp", 0.5, data=data_sets.source(plan.data)))


def test_what_was_stopped_goes_on(plan):
    held = measuring.start(plan)
    while held.done < 2 and held.running:
        time.sleep(0.02)
    held.stop()
    finished(held)
    assert not held.problem and held.stopped
    before = Results.load(plan.file)
    assert 0 < len(before.runs) < plan.total - 1
    finished(measuring.start(plan))
    after = Results.load(plan.file)
    assert after.runs[: len(before.runs)] == before.runs and len(after.runs) == plan.total - 1


def test_what_goes_wrong_is_a_sentence(plan):
    held = finished(measuring.start(replace(plan, methods=("nonsense",))))
    assert "nonsense" in held.problem and "\n" not in held.problem


def test_figures_of_something_else_stay_in_their_file(plan):
    few = replace(plan, methods=("omp",), sparsities=(0.5,))
    assert not finished(measuring.start(few)).problem
    before = few.file.read_bytes()
    more = replace(few, pictures=5)
    refused = finished(measuring.start(more))
    assert refused.other and "4 pictures" in refused.problem and few.file.read_bytes() == before
    assert not finished(measuring.anew(more)).problem
    assert Results.load(more.file).head["scenes"] == 5
    assert more.file.with_stem(f"{more.file.stem} until 1").read_bytes() == before


def test_results_on_own_data_have_a_file_of_their_own(plan):
    assert checkpoints.result_file("flatland-xvlm").parent == checkpoints.assets() / "results"
    assert plan.file.parent == checkpoints.own_results() and plan.file.name.startswith("flatland-xvlm on data ")
    assert checkpoints.result_file("flatland-blip", plan.data) != plan.file
