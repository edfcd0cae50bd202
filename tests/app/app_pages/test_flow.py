"""The Flow page as a session sees it."""

from app.engine import runs
from app.facts import flow
from multiflow_core.experiments.run import Run
from tests.app.conftest import plots, texts

MODEL = "flatland-blip"


FC2 = "text_encoder.encoder.layer.2.output.dense.weight"


def layer(name: str):
    return next(x for x in runs.order(Run(MODEL, "omp")).layers if x.name == name)


def test_the_address_sets_layer_and_number(open_page):
    at = open_page("flow", layer=FC2, strongest="4")
    assert not at.exception and not at.error and not at.warning
    assert "text 2 (fc1 to fc2)" in texts(at)
    whole, dense, pruned, lines = plots(at)
    assert FC2 in whole
    assert dense.count('"hidden ') >= 4 and "all other inputs" in pruned and "flow left" in lines


def test_the_slider_keeps_the_layer(open_page):
    at = open_page("flow", layer=FC2)
    before = plots(at)
    at.slider(key="sparsity").set_value(0.9).run()
    after = plots(at)
    assert at.session_state["layer"] == FC2 and "At 90 %" in texts(at)
    assert len(after) == 4 and all(a != b for a, b in zip(before, after))


def test_a_layer_without_a_partner_is_said_so(open_page, monkeypatch):
    monkeypatch.setattr(flow, "chain", lambda key, layer: None)
    at = open_page("flow")
    assert not at.exception and not at.error and len(plots(at)) == 1  # the whole model
    assert "has no partner here" in at.info[0].value


def test_a_layer_that_never_ran_is_one_sentence(open_page, monkeypatch):
    known = runs.statistics(MODEL, "")
    silent = type(known)({n: s for n, s in known.square_sums.items() if n != FC2}, known.samples, known.layers)
    monkeypatch.setattr(runs, "statistics", lambda model, progress=None: silent)
    at = open_page("flow", layer=FC2, strongest="12", method="lamp")
    assert not at.exception and len(at.error) == 1
    assert "fc2 of text 2 never ran during calibration" in at.error[0].value
