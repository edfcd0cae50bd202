"""The list of runs and measurements, as a session sees it."""

import json

import pytest

from app import state
from app.engine import journal, permits
from app.engine.journal import Entry, Journal
from tests.app.conftest import texts


def runs(at) -> list[tuple[str, str]]:
    held = at.session_state[state.NOTEBOOK.name]
    return [(entry.run, entry.name) for entry in held.entries]


def keys(at, start: str) -> list[str]:
    return [button.key for button in at.button if (button.key or "").startswith(start)]


OMP, MAGNITUDE = "flatland-blip,omp,own,0.3", "flatland-blip,multiflow,own,0.63"


@pytest.fixture
def two(assets, open_page):
    """A session that has looked at two runs, and now looks at the list."""
    at = open_page("layers", method="omp", sparsity="0.3")
    at.selectbox(key="method").set_value("multiflow").run()
    at.slider(key="sparsity").set_value(0.63).run()
    at = at.switch_page("app_pages/made_here.py").run()
    assert not at.exception and not at.error
    return at


def test_runs_are_listed_opened_and_forgotten(two):
    assert runs(two) == [(MAGNITUDE, ""), (OMP, "")]
    assert "2 runs looked at" in texts(two) and "Kept until you leave" in texts(two)
    (opens,) = [key for key in keys(two, "open_run_") if not two.button(key=key).disabled]
    two.button(key=opens).click().run()
    assert (two.session_state["method"], two.session_state["sparsity"]) == ("omp", 0.3)
    assert runs(two)[0][0] == OMP, "the last seen comes first"
    two.button(key=opens.replace("open_run_", "forget_")).click().run()
    assert OMP not in [run for run, _ in runs(two)] and not two.exception


def test_a_run_is_renamed_and_stays_where_it_is(two):
    key = keys(two, "open_run_")[0].replace("open_run_", "name_")
    two.text_input(key=key).set_value("before lunch").run()
    assert runs(two)[0] == (MAGNITUDE, "before lunch") and "before lunch" in texts(two)
    two.slider(key="sparsity").set_value(0.7).run()
    assert {run for run, _ in runs(two)} == {MAGNITUDE, MAGNITUDE.replace("0.63", "0.7"), OMP}


def test_two_of_them_are_compared(two):
    first, second = (key.removeprefix("open_run_") for key in keys(two, "open_run_"))
    two.button(key=f"as_A_{first}").click().run()
    two.button(key=f"as_B_{second}").click().run()
    assert (two.session_state[state.RUN_A.name], two.session_state[state.RUN_B.name]) == (MAGNITUDE, OMP)
    two.switch_page("app_pages/two_runs.py").run()
    assert "MULTIFLOW at 63 %" in texts(two) and "OMP at 30 %" in texts(two) and not two.error


def test_of_the_dense_model_nothing_is_noted(assets, open_page):
    at = open_page("made_here", sparsity="0")
    assert state.NOTEBOOK.name not in at.session_state and "No run has been looked at yet" in texts(at)


def test_on_this_machine_it_is_kept_on_disk(assets, open_page, monkeypatch, tmp_path):
    monkeypatch.setenv("MULTIFLOW_CACHE", str(tmp_path / "kept"))
    monkeypatch.setattr(permits, "here", permits.Permits)
    kept = tmp_path / "kept" / journal.FILE
    open_page("layers", method="omp", sparsity="0.3")
    assert [entry.run for entry in journal.load(kept).entries] == [OMP]
    at = open_page("made_here", method="omp", sparsity="0.3")
    assert "1 run looked at" in texts(at) and "Kept on this machine" in texts(at)
    monkeypatch.setattr(permits, "here", lambda: permits.Permits(address="0.0.0.0"))
    visitor = open_page("made_here", method="wanda", sparsity="0.5")
    assert runs(visitor) == [("flatland-blip,wanda,own,0.5", "")] and "OMP at" not in texts(visitor)
    assert [entry.run for entry in journal.load(kept).entries] == [OMP], "visitors leave nothing on disk"


def test_a_measurement_is_renamed_and_deleted_by_who_runs_the_server_alone(
    assets, open_page, monkeypatch, tmp_path, result_file
):
    own = tmp_path / "own"
    own.mkdir()
    file = own / "clip on photos.json"
    file.write_text(json.dumps(result_file | {"model": "/models/clip", "data": "/photos"}))
    monkeypatch.setenv("MULTIFLOW_RESULTS", str(own))
    visitor = open_page("made_here")
    assert "clip on photos" in texts(visitor)
    (delete,) = keys(visitor, "delete_")
    name = delete.replace("delete_", "called_")
    visitor.text_input(key=name).set_value("the good one").run()
    assert "the good one" in texts(visitor) and file.is_file()
    visitor.button(key=delete).click().run()
    assert not file.exists() and not keys(visitor, "delete_") and not visitor.exception
    file.write_text(json.dumps(result_file))
    monkeypatch.setattr(permits, "here", lambda: permits.Permits(address="0.0.0.0"))
    other = open_page("made_here")
    assert "clip on photos" not in texts(other) and not keys(other, "delete_"), "others see what is theirs"


def test_a_run_that_is_not_known_here_can_have_its_model_opened(assets, open_page, monkeypatch, tmp_path):
    monkeypatch.setenv("MULTIFLOW_CACHE", str(tmp_path))
    runs = ("/nowhere/clip,omp,own,0.3", "flatland-blip,omp,own,0.3,data=/nowhere/photos", "flatland-blip,gone,own,0.3")
    journal.change(tmp_path / journal.FILE, lambda held: Journal(tuple(Entry(run, 1.0) for run in runs)))
    at = open_page("made_here")
    assert not at.exception and not at.error
    labels = {button.label for button in at.button}
    assert {"Open its model", "Open its data"} <= labels
