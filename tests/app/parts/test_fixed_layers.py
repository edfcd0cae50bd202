"""Layers that do not go by the slider, chosen in the sidebar."""

import pytest

from app.engine import runs
from multiflow_core.experiments.run import Run
from multiflow_core.pruning.exact_cut import pruned_count
from tests.app.conftest import texts

TEXT = [layer for layer in runs.vlm("flatland-blip").layers if layer.modality == "text"]
TOTAL = sum(layer.size for layer in runs.vlm("flatland-blip").layers)
FREE = TOTAL - sum(layer.size for layer in TEXT)


def test_the_slider_is_the_share_of_the_others(open_page):
    at = open_page("overview", method="omp", sparsity="0.8", fixed="text=dense")
    assert not at.exception and not at.error and not at.warning
    assert at.metric[0].value == f"{pruned_count(0.8, FREE) / TOTAL:.0%}".replace("%", " %")
    assert f"{len(TEXT)} layers are fixed: 80 % is the share" in texts(at)
    assert at.query_params["fixed"] in ("text=dense", ["text=dense"])


@pytest.mark.parametrize("page", ["layers", "distributions", "why", "two_runs", "flow", "neurons", "compare"])
def test_every_page_shows_a_run_with_fixed_layers(open_page, page):
    at = open_page(page, method="omp", sparsity="0.8", fixed="text=dense,vision 0=0.5")
    assert not at.exception and not at.error and not at.warning


def test_a_modality_is_kept_and_let_go_by_a_button(open_page):
    at = open_page("overview", method="omp", sparsity="0.5", fixed="vision 0=0.3")
    assert not [button for button in at.button if button.key == "keep_text"]  # nothing is asked of the model until then
    at.session_state["fixed_layers"] = True
    at.run()
    at.button(key="keep_text").click().run()
    assert at.session_state["fixed"] == "vision 0=0.3,text=dense"
    at.button(key="keep_text").click().run()
    assert at.session_state["fixed"] == "vision 0=0.3" and not at.exception


def test_a_pattern_that_means_no_layer_fixes_nothing_and_says_so(open_page):
    at = open_page("overview", method="omp", sparsity="0.5", fixed="txt=dense")
    assert sum("no layer is meant by" in warning.value for warning in at.warning) == 1
    assert at.metric[0].value == "50 %" and not at.exception


def test_why_says_that_a_weight_does_not_go_by_the_slider(open_page):
    at = open_page("why", method="omp", sparsity="0.5", fixed="text=dense", layer=TEXT[0].name)
    said = texts(at)
    assert "Kept: its layer is fixed to stay dense, wherever the slider stands" in said and not at.exception
    assert "stays until" not in said
    assert not [button for button in at.button if button.key == "turn"]


def test_a_run_is_called_by_what_is_fixed():
    run = Run("flatland-blip", "omp", 0.5, fixed="text=dense,vision 0=0.5")
    assert runs.title(run) == "OMP (text dense, vision 0 at 50 %)"
    assert runs.rival(run).fixed == run.fixed and runs.measured_as(run) != "omp"


def test_what_was_typed_stays_when_the_field_is_closed(open_page):
    at = open_page("overview", method="omp", sparsity="0.8")
    at.session_state["fixed_layers"] = True
    at.run()
    at.text_input(key="fixed").set_value("text=dense").run()
    at.session_state["fixed_layers"] = False
    at.run()
    assert "80 % is the share" in texts(at) and at.query_params["fixed"] in ("text=dense", ["text=dense"])
    at.switch_page("app_pages/layers.py").run()
    assert at.session_state["fixed"] == "text=dense" and not at.exception
