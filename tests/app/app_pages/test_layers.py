"""The Layers page as a session sees it."""

import csv
import io
import json

from app.engine import runs
from app.parts import ui
from multiflow_core.experiments.run import Run
from tests.app.conftest import plots, texts


def first_layer(at) -> str:
    return at.dataframe[-1].value["layer"][0]


def test_layers_name_what_goes_first_and_follow_the_slider(open_page):
    at = open_page("layers", method="omp", sparsity="0.63")
    assert f"OMP empties {first_layer(at)} first: 90 % of it is gone" in texts(at)
    before, pruned = plots(at), list(at.dataframe[-1].value["pruned now"])
    at.slider(key="sparsity").set_value(0.9).run()
    assert not at.exception and f"OMP empties {first_layer(at)} first: 90 % of it is gone" in texts(at)
    assert all(a != b for a, b in zip(plots(at), before, strict=True))
    assert all(a > b for a, b in zip(at.dataframe[-1].value["pruned now"], pruned))


def test_a_selected_layer_survives_the_slider_and_the_page(open_page):
    name = runs.order(Run("flatland-blip", "multiflow")).layers[30].name
    at = open_page("layers", layer=name)
    assert at.selectbox(key="layer").value == name
    at.slider(key="sparsity").set_value(0.7).run()
    assert at.selectbox(key="layer").value == name
    rows = at.session_state["layer_table"]["selection"]["rows"]
    assert at.dataframe[-1].value["layer"][rows[0]] == "text 0 cross value"
    at.switch_page("app_pages/overview.py").run()
    assert not at.exception and at.session_state["layer"] == name
    at.switch_page("app_pages/layers.py").run()
    assert at.selectbox(key="layer").value == name


def test_every_chart_can_be_taken_away(open_page):
    at = open_page()
    names = [button.proto.label for button in at.get("download_button")]
    assert names == ["CSV", "HTML"] * len(plots(at))
    table = {"layer": ["fc1, the first", "fc2"], "sparsity": [0.5, None]}
    assert list(csv.DictReader(io.StringIO(ui.csv(table)))) == [
        {"layer": "fc1, the first", "sparsity": "0.5"},
        {"layer": "fc2", "sparsity": ""},
    ]


def test_charts_carry_alternative_text(open_page):
    at = open_page()
    assert plots(at) and all(len(json.loads(plot)["alt"]) > 40 for plot in plots(at))


def test_what_is_left_dense_says_why(open_page):
    at = open_page("layers")
    assert any("matrices are left dense" in one.label for one in at.expander)
    assert "A projection to the common space" in texts(at) and "`vision_proj.weight`" in texts(at)
