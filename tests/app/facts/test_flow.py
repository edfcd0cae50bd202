"""The Flow page: what its pictures say is what the masks do."""

import numpy as np
import pytest

from app.engine import runs
from app.facts import flow
from multiflow_core.experiments.run import Run
from multiflow_core.weights.dense import weight_of
from tests.app.conftest import plots, texts

MODEL = "flatland-blip"
FC2 = "text_encoder.encoder.layer.2.output.dense.weight"


def layer(name: str):
    return next(x for x in runs.order(Run(MODEL, "omp")).layers if x.name == name)


@pytest.mark.parametrize("name", [FC2, "vision_model.encoder.layers.1.self_attn.qkv.weight"])
def test_links_are_weight_times_activation_and_cut_as_the_masks_say(name):
    key = Run(MODEL, "multiflow", 0.57)
    part = flow.chain(key, layer(name))
    found = flow.paths(key, part, 4)
    picture = flow.pictures(key, part, found)[1]
    masks, model = runs.masks(key), runs.vlm(MODEL).model
    for n, (x, rows) in enumerate(((part.first, part.rows), (part.second, slice(None)))):
        matrix = weight_of(model, x.name)[rows].abs().double() * runs.statistics(MODEL).norm(x.name).double()
        matrix, kept = (matrix / matrix.sum()).numpy(), masks[x.name][rows].numpy()
        to, start = (found.hidden, found.inputs) if n == 0 else (found.outputs, found.hidden)
        strong = matrix[np.ix_(to, start)]
        assert picture.flow[n][:-1, :-1] == pytest.approx(strong)
        assert picture.cut[n][:-1, :-1] == pytest.approx(strong * ~kept[np.ix_(to, start)])
        assert picture.cut[n].sum() == pytest.approx(matrix[~kept].sum())
    lines = flow.retained(key, found, None)
    assert lines.strong[57] == pytest.approx(found.left(57)[0]) and (lines.strong[0], lines.strong[-1]) == (1, 0)


def test_a_fused_matrix_is_named_by_its_values():
    key = Run(MODEL, "omp", 0.5)
    part = flow.chain(key, layer("vision_model.encoder.layers.1.self_attn.qkv.weight"))
    assert part.rows == slice(384, 576)
    picture = flow.pictures(key, part, flow.paths(key, part, 4))[0]
    assert picture.roles == ("values in qkv", "attn out")


def test_the_finding_compares_with_the_rival():
    key = Run(MODEL, "multiflow", 0.63)
    part, rival = flow.chain(key, layer(FC2)), runs.rival(key)
    own, other = (flow.paths(k, part, 6) for k in (key, rival))
    assert (own.hidden, own.inputs) == (other.hidden, other.inputs)  # chosen in the dense model
    text = flow.finding(key, part, own, (rival, other))
    assert text.startswith("At 63 % MULTIFLOW keeps") and "text 2 (fc1 to fc2); OMP keeps" in text
    assert own.left(63)[0] > other.left(63)[0]
    assert "Nothing is pruned" in flow.finding(Run(MODEL, "multiflow", 0.0), part, own, None)


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_address_sets_layer_and_number(open_page):
    at = open_page("flow", layer=FC2, strongest="4")
    assert not at.exception and not at.error and not at.warning
    assert "text 2 (fc1 to fc2)" in texts(at)
    dense, pruned, lines = plots(at)
    assert dense.count('"hidden ') >= 4 and "all other inputs" in pruned and "flow left" in lines


def test_the_slider_keeps_the_layer(open_page):
    at = open_page("flow", layer=FC2)
    before = plots(at)
    at.slider(key="sparsity").set_value(0.9).run()
    after = plots(at)
    assert at.session_state["layer"] == FC2 and "At 90 %" in texts(at)
    assert len(after) == 3 and all(a != b for a, b in zip(before, after))


def test_a_layer_without_a_partner_is_said_so(open_page, monkeypatch):
    monkeypatch.setattr(flow, "chain", lambda key, layer: None)
    at = open_page("flow")
    assert not at.exception and not at.error and not plots(at)
    assert "has no partner here" in at.info[0].value


def test_a_layer_that_never_ran_is_one_sentence(open_page, monkeypatch):
    known = runs.statistics(MODEL)
    silent = type(known)({n: s for n, s in known.square_sums.items() if n != FC2}, known.samples, known.layers)
    monkeypatch.setattr(runs, "statistics", lambda model, progress=None: silent)
    at = open_page("flow", layer=FC2, strongest="12", method="lamp")
    assert not at.exception and len(at.error) == 1
    assert "fc2 of text 2 never ran during calibration" in at.error[0].value
