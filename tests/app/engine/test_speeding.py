"""Speed measured from a page is the command that it prints."""

import shlex

import pytest

from app.engine import checkpoints, measuring, speeding
from multiflow_core.experiments.speed import Speeds
from tests.app.engine.test_measuring import finished


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIFLOW_RESULTS", str(tmp_path / "results"))
    monkeypatch.setattr(speeding, "REPEATS", 1)
    few = [*speeding.SpeedPlan("flatland-xvlm")._arguments, "--batches", "1", "--smaller", "0.5"]
    monkeypatch.setattr(speeding.SpeedPlan, "_arguments", few)
    return speeding.SpeedPlan("flatland-xvlm")


def test_the_command_writes_the_file_that_the_page_reads(plan):
    assert shlex.split(plan.command)[:5] == ["python", "-m", "multiflow_core", "speed", "flatland-xvlm"]
    held = speeding.start(plan)
    with pytest.raises(measuring.Busy, match="The speed of flatland-xvlm is being measured"):
        speeding.start(plan)
    finished(held)
    assert not held.problem and speeding.of("flatland-xvlm") is held
    found = Speeds.load(checkpoints.own_speed_file("flatland-xvlm"))
    assert [one.name for one in found.models] == ["dense", "weights, 50 %", "2:4", "4:8", "neurons, 50 %"]
    assert found.machine["threads"] >= 1 and not found.models[0].scores
