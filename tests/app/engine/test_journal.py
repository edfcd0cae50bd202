"""The list of runs: what is noted, what a name holds, and a file that is whole or begun anew."""

import json

import pytest

from app.engine import journal
from app.engine.journal import MOST, Entry, Journal
from multiflow_core.experiments.run import Run

OMP = Run("blip", "omp", 0.5)


def test_a_way_of_pruning_has_one_line_that_follows_the_slider():
    held = Journal().noted(OMP, 1.0).noted(Run("blip", "wanda", 0.5), 2.0).noted(OMP.at(0.6), 3.0)
    assert held.entries == (Entry("blip,omp,own,0.6", 3.0), Entry("blip,wanda,own,0.5", 2.0))
    apart = held.noted(Run("blip", "omp", 0.6, "global"), 4.0).noted(Run("blip", "omp", 0.6, data="/photos"), 5.0)
    assert len(apart.entries) == 4, "another allocation, other data: another way"


def test_a_name_holds_a_run_where_it_is():
    held = Journal().noted(OMP, 1.0).named(str(OMP), "  half\n gone ")
    moved = held.noted(OMP.at(0.6), 2.0).noted(OMP.at(0.7), 3.0)
    assert [(one.run, one.name) for one in moved.entries] == [("blip,omp,own,0.7", ""), (str(OMP), "half gone")]
    seen = moved.noted(OMP, 4.0)
    assert [(one.run, one.seen, one.name) for one in seen.entries] == [(str(OMP), 4.0, "half gone")]
    assert held.named(str(OMP), "").noted(OMP.at(0.6), 2.0).entries == (Entry("blip,omp,own,0.6", 2.0),)
    assert not held.without(str(OMP)).entries and held.without("another") == held


def test_it_is_bounded_and_names_stay():
    held = Journal().noted(OMP, 0.0).named(str(OMP), "mine")
    for n in range(MOST + 50):
        held = held.noted(Run(f"model {n}", "omp", 0.5), n + 1.0)
    assert len(held.entries) == MOST and held.entries[-1].name == "mine"
    assert held.entries[0].run.startswith(f"model {MOST + 49},")


def test_what_is_kept_is_there_again(tmp_path):
    file = tmp_path / "cache" / "runs.json"
    assert journal.load(file) == Journal()
    journal.change(file, lambda held: held.noted(OMP, 1.0).called("/results/a.json", "first"))
    journal.change(file, lambda held: held.named(str(OMP), "half"))
    assert journal.load(file) == Journal((Entry(str(OMP), 1.0, "half"),), {"/results/a.json": "first"})
    journal.change(file, lambda held: held.called("/results/a.json", ""))
    assert journal.load(file).names == {} and [one.name for one in file.parent.iterdir()] == ["runs.json"]


@pytest.mark.parametrize(
    "text",
    ["", "[", "[]", "{}", "null", json.dumps({"runs": [{"run": "x", "seen": 1, "name": ""}], "measurements": {}})],
)
def test_a_broken_file_is_begun_anew(tmp_path, text):
    file = tmp_path / "runs.json"
    file.write_text(text)
    assert journal.load(file) == Journal()
    journal.change(file, lambda held: held.noted(OMP, 1.0))
    assert journal.load(file).entries == (Entry(str(OMP), 1.0),)


def test_where_nothing_can_be_written_nothing_is(tmp_path):
    (tmp_path / "cache").write_text("a file in the way of the folder")
    journal.change(tmp_path / "cache" / "runs.json", lambda held: held.noted(OMP, 1.0))
    assert journal.load(tmp_path / "cache" / "runs.json") == Journal()


def test_nothing_is_kept_where_no_answers_are(monkeypatch, tmp_path):
    monkeypatch.setenv("MULTIFLOW_CACHE", "")
    assert journal.here() is None
    monkeypatch.setenv("MULTIFLOW_CACHE", str(tmp_path))
    assert journal.here() == tmp_path / "runs.json"
