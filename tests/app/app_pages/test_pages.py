"""Every page, as a session sees it, on the shipped checkpoint."""

import pytest
from torch import Tensor

from app import state
from app.engine import checkpoints, runs
from app.facts import layer_sparsity, measured
from app.look.words import percent
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
def test_compare_shows_the_task_if_it_was_measured_else_the_usual_or_the_first(open_page, model, task):
    has = list(measured.load(model).dense)
    usual = state.TASK.default if state.TASK.default in has else has[0]
    at = open_page("compare", model=model, task=task.name)
    assert not at.exception and not at.error and plots(at)
    assert at.session_state[state.TASK.name] == (task.name if task.name in has else usual)


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
