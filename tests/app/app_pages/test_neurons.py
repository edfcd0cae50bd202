"""The Neurons page as a session sees it."""

import json

import numpy as np
import pytest

from app import state
from app.charts.lens import VIEWS
from app.engine import runs
from multiflow_core.experiments.run import Run
from multiflow_core.pruning.method import METHODS, Method
from multiflow_core.pruning.solved_order import Solution, Solved
from tests.app.conftest import plots, texts

MODEL = "flatland-blip"


@pytest.fixture(scope="module")
def layer():
    return next(x for x in runs.order(Run(MODEL, "multiflow")).layers if (x.block, x.role) == ("vision 3", "fc1"))


def picture(at) -> str:
    return next(json.loads(plot)["figure"] for plot in plots(at) if '"heatmap"' in plot)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view(open_page, layer, view):
    at = open_page("neurons", view=view, layer=layer.name, sparsity="0.9")
    assert not at.exception and not at.error and not at.warning
    assert at.session_state[state.VIEW.name] == view
    assert "vision 3 fc1: " in texts(at) and "click a cell" in texts(at)
    assert (
        ("against OMP" in at.selectbox(key="other").options)
        if view == "disagreement"
        else "other" not in at.session_state
    )


def test_a_link_restores_window_and_weight(open_page, layer):
    at = open_page("neurons", layer=layer.name, window="96-191,32-63", weight="100,40", view="score")
    assert not at.warning and "outputs 96–191, inputs 32–63" in texts(at)
    assert "Weight (100, 40) is" in texts(at) and "click a weight" in texts(at)
    before = picture(at)
    at.slider(key="sparsity").set_value(0.9).run()
    assert at.session_state["window"] == "96-191,32-63" and "Weight (100, 40) is" in texts(at)
    assert picture(at) == before  # scores do not depend on the slider
    at.button(key="way_0").click().run()
    assert at.session_state["window"] == "" and picture(at) != before and "Weight (100, 40) is" in texts(at)


def test_the_mask_follows_the_slider(open_page):
    at = open_page("neurons", view="mask", sparsity="0.5")
    before = picture(at)
    at.slider(key="sparsity").set_value(0.9).run()
    assert picture(at) != before


def test_another_layer_is_seen_whole_with_the_same_place_chosen(open_page, layer):
    at = open_page("neurons", layer=layer.name, window="96-191,32-63", weight="100,40")
    other = layer.name.replace("fc1", "fc2")
    at.selectbox(key="layer").set_value(other).run()
    assert at.session_state["window"] == "" and "whole layer" in texts(at) and "Weight (100, 40) is" in texts(at)
    at.switch_page("app_pages/overview.py").run()
    at.switch_page("app_pages/neurons.py").run()
    assert at.session_state["layer"] == other and at.session_state["weight"] == "100,40"


@pytest.mark.parametrize(
    ("params", "part"),
    [
        ({"window": "0-9999,0-3"}, "768 rows and 192 columns"),
        ({"window": "all"}, "first and last"),
        ({"weight": "800,1"}, "rows 0 to 767"),
        ({"weight": "first"}, "row and its column"),
        ({"view": "x-ray"}, "no view"),
    ],
)
def test_a_bad_address_is_one_sentence(open_page, layer, params, part):
    at = open_page("neurons", layer=layer.name, **params)
    assert not at.exception and not at.error
    assert len(at.warning) == 1 and part in at.warning[0].value
    assert "whole layer" in texts(at)


def test_a_method_that_solves_anew_has_a_mask_but_no_score(open_page, monkeypatch):
    def build(request):
        def solve(count, progress):
            keep = np.arange(request.total) >= count
            return Solution(np.split(keep, np.cumsum([layer.size for layer in request.layers])[:-1]))

        return Solved(request, solve)

    toy = Method("toy", "Toy", "a test", "none", "First come, first gone.", nested=False, build=build)
    monkeypatch.setitem(METHODS._entries, "toy", toy)
    at = open_page("neurons", method="toy", view="score", sparsity="0.5")
    assert not at.exception and not at.error and len(at.info) == 1 and "solves every sparsity anew" in at.info[0].value
    assert len(plots(at)) == 2  # the lists
    at.session_state[state.VIEW.name] = "mask"
    at.run()
    assert (
        not at.info and "vision 0 qkv: 100 % pruned" in texts(at) and "192 inputs and 576 outputs are dead" in texts(at)
    )
