"""What is listed of runs and measurements is what files hold."""

import json

from app.engine.journal import Entry
from app.facts import made_here
from multiflow_core.experiments.run import Run

MODELS, DATA = {"flatland-blip": "flatland-blip"}, {"flatland": ""}


def test_measurements_of_this_session_and_of_the_lab(assets, tmp_path, monkeypatch, result_file):
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("MULTIFLOW_RESULTS", str(own))
    (own / "a on b.json").write_text(json.dumps(result_file | {"model": "/models/clip", "data": "/mine/photos.csv"}))
    (own / "broken.json").write_text("{")
    (own / "empty.json").write_text('{"runs": []}')
    mine, shipped = made_here.measurements(MODELS, DATA, others=True)
    assert (mine.model, mine.data, mine.of, mine.shipped) == ("clip", "photos", None, False)
    assert (shipped.model, shipped.data, shipped.of, shipped.shipped) == (
        "flatland-blip",
        "Flatland",
        ("flatland-blip", "flatland"),
        True,
    )
    assert made_here.measurements(MODELS, DATA, others=False) == (shipped,), (
        "a visitor sees what the session has opened"
    )


def test_runs_come_with_the_figures_that_were_measured_just_there(assets):
    entries = [
        Entry("flatland-blip,multiflow,own,0.63", 0.0, "mine"),
        Entry("flatland-blip,multiflow,own,0.64", 60.0),
        Entry("/models/clip,omp,own,0.3,data=/photos", 0.0),
        Entry("flatland-blip,no such method,own,0.3", 0.0),
        Entry("flatland-blip,omp,own,0.3,fixed=text=dense", 0.0),
    ]
    table = made_here.listed(entries, MODELS, DATA)
    assert table["name"] == ["mine", "", "", "", ""] and table["sparsity"] == [0.63, 0.64, 0.3, 0.3, 0.3]
    assert table["data"][2] == "/photos" and table["last seen"][1] == "1970-01-01 00:01 UTC"
    assert [round(v, 6) if v is not None else None for v in table["retrieval"]] == [0.7, None, None, None, None]
    shown = [made_here.measured_there(Run.read(entry.run), MODELS, DATA) for entry in entries]
    assert shown == ["Retrieval 70 %, Captioning 70 %, VQA 70 %", "", "", "", ""]
    rows = json.loads(made_here.as_json(table))
    assert rows[0]["name"] == "mine" and rows[1]["retrieval"] is None and len(rows) == 5


def test_nothing_makes_an_empty_table():
    table = made_here.listed([], MODELS, DATA)
    assert all(column == [] for column in table.values()) and json.loads(made_here.as_json(table)) == []
