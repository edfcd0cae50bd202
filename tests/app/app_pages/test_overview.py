"""The Overview page as a session sees it."""

import json

import pytest

from app import state
from app.engine import runs
from app.facts import gallery, layer_sparsity, measured
from app.look.words import percent
from multiflow_core.experiments.run import Run
from tests.app.conftest import plots, texts


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
    assert [m.delta for m in at.metric[2:]] == ["-25 points"] * 3
    assert texts(at).count("<br>dense 95 %") == 3 and texts(at).count("OMP 20 %") == 3
    assert "MULTIFLOW keeps most in 3 of 3 tasks" in texts(at)


def test_overview_says_how_sure_a_figure_is_where_the_file_does(open_page, assets, result_file):
    assert not any("interval" in m.help for m in open_page("overview", sparsity="0.63").metric)
    for entry in result_file["runs"]:
        entry["intervals"] = {"retrieval": {"IR@1": [0.52, 0.87]}}
    (assets / "results" / "flatland-blip.json").write_text(json.dumps(result_file))
    found = open_page("overview", sparsity="0.63").metric[2:]
    assert ["95 % interval: 52 % to 87 %." in m.help for m in found] == [True, False, False]


def test_overview_names_the_nearest_measured_sparsity(open_page, assets):
    at = open_page("overview", sparsity="0.7")
    assert "nearest measured sparsity" in texts(at)
    at = open_page("overview", sparsity="0.7", method="random")  # not in the file
    assert not at.exception and [m.delta for m in at.metric[2:]] == ["not measured"] * 3


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"runs": 3}', '{"dense": {}, "runs": [{"method": "omp"}]}'])
def test_overview_without_a_usable_result_file(open_page, assets, content):
    file = assets / "results" / "flatland-blip.json"
    file.unlink() if content is None else file.write_text(content)
    at = open_page("overview")
    assert not at.exception and not at.error
    assert [m.delta for m in at.metric[2:]] == ["not measured"] * 3 and len(plots(at)) == 3
    assert not at.success and not at.warning and not at.info  # nobody knows whether that is good or bad


def test_overview_says_that_zeros_save_no_time(open_page):
    at = open_page()
    assert "same speed" in texts(at) and "not time" in at.metric[1].help


def test_overview_warns_of_a_collapse(open_page):
    at = open_page("overview", sparsity="1")
    assert len(at.warning) == 1


def test_overview_says_when_nothing_has_collapsed(open_page):
    at = open_page("overview", sparsity="0.3")
    assert "Nothing has collapsed" in at.success[0].proto.title and "neurons are dead" in texts(at)


def test_overview_compares_a_replaced_allocation_with_the_methods_own(open_page, assets):
    at = open_page("overview", sparsity="0.63", allocation="global")
    (alarm,) = at.warning
    cut = layer_sparsity.of(Run(state.MODEL.default, "multiflow", 0.63, allocation="global")).modalities["text"]
    assert cut > 0.7 and f"MULTIFLOW (global) takes {percent(cut)} of the text weights" in alarm.proto.title.replace(
        "\u00a0", " "
    )
    assert "MULTIFLOW takes 63\u00a0% of text" in alarm.value
    assert "MULTIFLOW (global) at 63 % says" in texts(at) and "MULTIFLOW at 63 % says" in texts(at)  # and beside it


def test_the_first_screen_says_what_pruning_is_before_anything_else(open_page):
    at = open_page("overview", sparsity="0.63", method="omp")
    first = at.main.markdown[0].value
    assert first.startswith("**Pruning** sets") and "63\u00a0%" in first and "chosen by **OMP**" in first


def test_the_first_screen_asks_the_dense_and_the_pruned_model_about_the_same_picture(open_page):
    at = open_page("overview", sparsity="0.63", scene="12")
    said = texts(at)
    assert "Scene 12, the picture asked about" in said
    for name in ("The dense model", "MULTIFLOW at 63 %"):
        assert f"{name} says" in said
    at.button(key="random_scene").click().run()
    assert not at.exception and "Scene 12," not in texts(at)
    at.slider(key="sparsity").set_value(0.0).run()
    assert "The dense model says" in texts(at) and " 0 % says" not in texts(at)


def test_while_the_slider_is_dragged_nobody_is_asked(open_page, monkeypatch):
    """What is at hand is shown, else what was said last, with the sparsity at which it was said."""
    at = open_page("overview", sparsity="0.63")
    for known, shown, other in ((False, "63 %", "37 %"), (True, "37 %", "63 %")):
        monkeypatch.setattr(gallery, "said", lambda keys, picture, known=known: known)
        at.session_state[state.DRAGGED.name] = (0.63, 0.37)
        at.run()
        assert not at.exception and at.metric[0].value == "37 %"
        assert f"MULTIFLOW at {shown} says" in texts(at) and f"MULTIFLOW at {other} says" not in texts(at)


def test_a_model_that_cannot_describe_searches_on_the_first_screen(open_page):
    at = open_page("overview", model="flatland-xvlm", q="a blue house")
    assert "Asked for **“a blue house”** among 160 pictures" in texts(at) and " says" not in texts(at)


def test_the_story_of_a_collapse_says_what_the_page_says(open_page):
    """The same shares as the chart that is computed here, the same figures as the cards, and MULTIFLOW's."""
    at = open_page("compare")
    at.button(key="story_sidebar_0").click().run()
    told = at.info[0].value.replace("\u2060", "").replace("\u00a0", " ").replace("\\", "")
    at.switch_page("app_pages/overview.py").run()
    key = at.session_state[state.SETTINGS.name]
    for run in (key, runs.rival(key)):
        live = layer_sparsity.of(run).modalities
        assert f"{percent(max(live.values()))} of {max(live, key=live.get)}" in told
    results = measured.load(key.model)
    for run in (key, runs.rival(key)):
        assert percent(results.figure(runs.measured_as(run), "retrieval", key.sparsity)) in told
    assert percent(results.figure(runs.measured_as(key), "retrieval", key.sparsity)) in [m.value for m in at.metric]
