"""The Benchmark page: what it shows where something was measured, and what it says where nothing was."""

import json
import os

import pytest

from app.engine import checkpoints, permits, sweeping
from app.facts import benchmark
from multiflow_core.sweeps.status import Status
from tests.app.conftest import plots, texts


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIFLOW_RESULTS", str(tmp_path / "own"))


def cells() -> list[dict]:
    """What the shipped sweep measured."""
    return json.loads((checkpoints.assets() / "results" / benchmark.FILE).read_text())["cells"]


def test_zero_shot_figures_are_there_and_fine_tuned_ones_have_a_command(open_page, monkeypatch):
    at = open_page("benchmark")
    assert not at.exception and not at.error and len(plots(at)) == 2
    said = texts(at)
    assert 'class="mf-league"' in said and "Cannot be tested" in said and "cells behind it" in said
    monkeypatch.setattr(benchmark, "FILE", "of-another-sweep.json")
    assert "sweep assets/sweeps/paper.toml --only transfer=fine-tuned" in texts(open_page("benchmark"))


@pytest.mark.parametrize("model", ["flatland-blip", "flatland-xvlm"])
def test_fine_tuned_figures_come_with_curves_and_the_command_that_made_them(open_page, model):
    at = open_page("benchmark", transfer="fine-tuned", model=model)
    assert not at.exception and not at.error and len(plots(at)) == 5  # wins, ranks, and a curve for each task
    said = texts(at)
    rows = {cell["method"] for cell in cells() if cell["transfer"] == "fine-tuned" and cell["model"] == model}
    assert "sweep assets/sweeps/paper.toml" in said and said.count('scope="row"') == len(rows) > 5


def test_where_nothing_was_measured_there_is_one_sentence(open_page, monkeypatch):
    monkeypatch.setattr(benchmark, "FILE", "of-another-sweep.json")
    at = open_page("benchmark", model="flatland-xvlm", transfer="fine-tuned")
    assert not at.exception and not at.error and not plots(at)
    assert len(at.info) == 1 and "Nothing has been measured fine-tuned" in at.info[0].value


def test_the_papers_methods_alone_are_fewer(open_page):
    everyone, few = (texts(open_page("benchmark", who=who)) for who in ("all", "paper"))
    assert everyone.count('scope="row"') > few.count('scope="row"') > 5


def test_a_sweep_is_started_only_by_whom_may_measure(open_page, monkeypatch):
    assert [button.key for button in open_page("benchmark").button if button.key == "sweep_start"] == ["sweep_start"]
    monkeypatch.setattr(permits, "here", lambda: permits.Permits(address="0.0.0.0"))
    assert not [button for button in open_page("benchmark").button if button.key == "sweep_start"]


def test_a_sweep_that_goes_on_is_watched(open_page):
    Status(3, 9, 600.0, "running", os.getpid(), "about 10 min: 6 cells by a guess").write(sweeping.folder())
    at = open_page("benchmark")
    assert not at.exception and not [button for button in at.button if button.key == "sweep_start"]
    assert any("3 of 9 cells" in str(found.proto) for found in at.get("progress"))
