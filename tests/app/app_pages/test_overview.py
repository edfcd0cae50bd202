"""The Overview page as a session sees it."""

import json

import pytest

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
    assert all("95 %" in m.delta for m in at.metric[2:])
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
