"""Every page, as a session sees it, on the shipped checkpoint."""

import csv
import io
import json

import pytest
from torch import Tensor

from app import state
from app.engine import checkpoints, runs
from app.facts import layer_sparsity, measured
from app.look.words import percent
from app.parts import ui
from multiflow_core.experiments.run import Run
from multiflow_core.tasks.task import tasks
from tests.app.conftest import APP, PAGES, plots, texts


@pytest.mark.parametrize("page", PAGES)
def test_every_page_launches(open_page, page):
    at = open_page(page)
    assert not at.exception and not at.error and not at.warning
    (title,) = at.title
    assert f'st.title("{title.value}")' in (APP / "app_pages" / f"{page}.py").read_text()  # and no other page
    assert len(texts(at)) > 200


@pytest.fixture(scope="module")
def dense() -> dict[str, Tensor]:
    """The numbers of the model that all sessions share, before any page was opened here."""
    return {name: tensor.clone() for name, tensor in runs.vlm(state.MODEL.default).model.state_dict().items()}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", [m.name for m in runs.methods() if not runs.slow(m)])
def test_every_method_on_every_page(open_page, dense, page, method):
    """It works, and leaves the dense model as it was."""
    at = open_page(page, method=method, sparsity="0.9")
    assert all(x.equal(dense[name]) for name, x in runs.vlm(state.MODEL.default).model.state_dict().items())
    assert not at.exception and not at.error
    assert runs.method(method).title in texts(at)


@pytest.mark.parametrize("sparsity", ["0", "1"])
@pytest.mark.parametrize("page", PAGES)
def test_the_ends_of_the_slider(open_page, page, sparsity):
    at = open_page(page, sparsity=sparsity)
    assert not at.exception and not at.error


@pytest.mark.parametrize("model", checkpoints.models())
def test_every_built_in_model_on_every_page(open_page, model):
    at = open_page(model=model)
    for page in PAGES:
        at.switch_page(f"app_pages/{page}.py").run()
        assert not at.exception and not at.error, page
        assert len(at.title) == 1 and len(texts(at)) > 200, page


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)
@pytest.mark.parametrize("model", checkpoints.models())
def test_compare_shows_the_task_if_the_model_has_it_else_its_first(open_page, model, task):
    has = list(measured.load(model).dense)
    at = open_page("compare", model=model, task=task.name)
    assert not at.exception and not at.error and plots(at)
    assert at.session_state[state.TASK.name] == (task.name if task.name in has else has[0])


def test_compare_of_another_model_shows_what_that_one_has(open_page):
    at = open_page("compare", task="vqa")
    at.selectbox(key="model").set_value("flatland-xvlm").run()
    assert not at.exception and not at.error and at.session_state[state.TASK.name] == "retrieval"


# --- address ----------------------------------------------------------------------------------------------------


def test_the_address_sets_the_sidebar(open_page):
    at = open_page("retrieval", method="omp", sparsity="0.75", q="a blue cat")
    assert at.session_state[state.METHOD.name] == "omp"
    assert at.slider(key="sparsity").value == 0.75
    assert at.text_input(key="q").value == "a blue cat"


@pytest.mark.parametrize(
    ("params", "part"),
    [
        ({"sparsity": "1.7"}, "between 0 and 1"),
        ({"sparsity": "lots"}, "between 0 and 1"),
        ({"method": "magic"}, "no method"),
        ({"allocation": "fair"}, "no allocation"),
        ({"model": "gpt"}, "no folder"),
        ({"scene": "-3"}, "scenes are numbered"),
    ],
)
def test_a_bad_address_gets_one_sentence_and_defaults(open_page, params, part):
    at = open_page("overview", **params)
    assert not at.exception and not at.error
    assert len(at.warning) == 1 and part in at.warning[0].value
    assert at.slider(key="sparsity").value == state.SPARSITY.default
    assert at.session_state[state.METHOD.name] == state.METHOD.default


def test_the_sentence_goes_once_the_settings_change(open_page):
    at = open_page("overview", sparsity="7")
    at.slider(key="sparsity").set_value(0.6).run()
    assert not at.warning


# --- sidebar ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", state.PRESETS)
def test_presets(open_page, preset):
    at = open_page()
    at.button(key=f"preset_{100 * preset:.0f}").click().run()
    assert at.slider(key="sparsity").value == preset


def test_every_runnable_method_is_offered(open_page):
    at = open_page()
    assert {m.name for m in runs.methods()} >= {"multiflow", "omp", "localmp", "random"}
    assert len(at.selectbox(key="method").options) == len(runs.methods())


def test_slow_methods_say_what_they_need(open_page, monkeypatch):
    monkeypatch.setattr(runs, "order", lambda key, progress=None: 1 / 0)  # not run here
    at = open_page("overview", method="chita")
    assert "CHITA needs gradients" in texts(at)
    assert [m.title for m in runs.methods() if runs.slow(m)] == [
        option.removesuffix(" · slow") for option in at.selectbox(key="method").options if option.endswith("slow")
    ]
    assert "allocation" not in at.session_state


def test_another_allocation_is_another_order(open_page):
    own, other = open_page("overview"), open_page("overview", allocation="global")
    assert other.session_state["allocation"] == "global"
    assert "MULTIFLOW (global)" in texts(other) and "MULTIFLOW (global)" not in texts(own)
    assert plots(own) != plots(other)
    # what is measured under this name is the ablation's run, not MULTIFLOW's own
    results = measured.load("flatland-blip")
    name = runs.measured_as(Run("flatland-blip", "multiflow", allocation="global"))
    assert other.metric[2].value == percent(results.figure(name, "retrieval", 0.63)) != own.metric[2].value
    other.selectbox(key="allocation").set_value("own").run()
    assert plots(own) == plots(other)


def test_an_allocation_goes_when_it_is_the_new_methods_own(open_page):
    at = open_page("overview", allocation="global")
    at.selectbox(key="method").set_value("omp").run()
    assert not at.exception and at.session_state["allocation"] == "own"


def test_settings_survive_a_page_switch(open_page):
    at = open_page("overview")
    at.slider(key="sparsity").set_value(0.81).run()
    at.switch_page("app_pages/captioning.py").run()
    assert at.slider(key="sparsity").value == 0.81
    assert "81 %" in texts(at)


def test_a_missing_checkpoint_is_one_sentence(open_page, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIFLOW_ASSETS", str(tmp_path))
    at = open_page()
    assert not at.exception
    assert len(at.error) == 1 and "no checkpoint" in at.error[0].value


def test_a_broken_checkpoint_is_one_sentence(open_page, tmp_path, monkeypatch, empty_store):
    folder = tmp_path / "flatland-blip"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["SomethingElse"]}')
    monkeypatch.setenv("MULTIFLOW_ASSETS", str(tmp_path))
    at = open_page()
    assert not at.exception
    assert len(at.error) == 1 and "Traceback" not in at.error[0].value


def test_an_unexpected_error_is_one_sentence_without_details(open_page, monkeypatch):
    monkeypatch.setattr(layer_sparsity, "of", lambda *asked: 1 / 0)
    at = open_page()
    assert not at.exception
    assert len(at.error) == 1 and "division" not in at.error[0].value


# --- overview ---------------------------------------------------------------------------------------------------


def test_overview_figures_follow_the_slider(open_page):
    at = open_page("overview", sparsity="0.63")
    assert at.metric[0].value == "63 %"
    before = plots(at)
    at.slider(key="sparsity").set_value(0.9).run()
    assert at.metric[0].value == "90 %"
    after = plots(at)
    assert len(after) == len(before) and all(a != b for a, b in zip(after, before))


def test_overview_shows_measured_figures(open_page, assets):
    at = open_page("overview", sparsity="0.63")
    assert [m.value for m in at.metric[2:]] == ["70 %"] * 3  # the mean of two seeds
    assert all("95 %" in m.delta for m in at.metric[2:])
    assert "MULTIFLOW keeps most in 3 of 3 tasks" in texts(at)


def test_overview_names_the_nearest_measured_sparsity(open_page, assets):
    at = open_page("overview", sparsity="0.7")
    assert "nearest measured sparsity" in texts(at)
    at = open_page("overview", sparsity="0.7", method="random")  # not in the file
    assert not at.exception and len(at.metric) == 2


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"runs": 3}', '{"dense": {}, "runs": [{"method": "omp"}]}'])
def test_overview_without_a_usable_result_file(open_page, assets, content):
    file = assets / "results" / "flatland-blip.json"
    file.unlink() if content is None else file.write_text(content)
    at = open_page("overview")
    assert not at.exception and not at.error
    assert len(at.metric) == 2 and len(plots(at)) == 3


def test_overview_says_that_zeros_save_no_time(open_page):
    at = open_page()
    assert "same speed" in at.metric[1].delta and "not time" in at.metric[1].help


def test_overview_warns_of_a_collapse(open_page):
    at = open_page("overview", sparsity="1")
    assert len(at.warning) == 1


def test_overview_says_when_nothing_has_collapsed(open_page):
    at = open_page("overview", sparsity="0.3")
    assert "Nothing has collapsed" in at.success[0].proto.title and "neurons are dead" in at.success[0].value


def test_overview_compares_a_replaced_allocation_with_the_methods_own(open_page, assets):
    at = open_page("overview", sparsity="0.63", allocation="global")
    assert (
        "MULTIFLOW takes 63 % of text" in at.warning[0].value and "MULTIFLOW (global) takes 67 %" in at.warning[0].value
    )


# --- layers -----------------------------------------------------------------------------------------------------


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
