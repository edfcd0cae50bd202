"""The page that explains one weight."""

import pytest
import torch

from app import state
from app.engine import runs
from app.facts import one_weight
from multiflow_core.experiments.run import Run
from multiflow_core.weights.dense import weight_of
from tests.app.conftest import texts

LAYER = "vision_model.encoder.layers.0.self_attn.qkv.weight"


def verdict(at) -> str:
    return next(m.value for m in at.markdown if m.value.startswith("## "))


def test_a_link_restores_the_weight(open_page):
    at = open_page("why", layer=LAYER, weight="31,13", sparsity="0.5")
    assert at.number_input(key="weight_row").value == 31 and at.number_input(key="weight_column").value == 13
    assert at.session_state[state.LAYER.name] == LAYER
    key = Run("flatland-blip", "multiflow", 0.5)
    kept = bool(runs.masks(key)[LAYER][31, 13])
    assert verdict(at).startswith("## Kept" if kept else "## Pruned")


def test_the_slider_changes_the_verdict_and_not_the_weight(open_page):
    at = open_page("why", layer=LAYER, weight="31,13")
    critical = one_weight.critical(Run("flatland-blip", "multiflow"), LAYER, 31, 13)
    for sparsity in (critical - 0.02, critical + 0.02):
        at.slider(key="sparsity").set_value(round(sparsity, 2)).run()
        assert verdict(at).startswith("## Kept" if critical > sparsity else "## Pruned")
        assert at.session_state[state.WEIGHT.name] == "31,13"


def test_typing_chooses_another_weight(open_page):
    at = open_page("why", layer=LAYER, weight="31,13")
    at.number_input(key="weight_row").set_value(40).run()
    assert at.session_state[state.WEIGHT.name] == "40,13"
    assert "output 40" in texts(at)


@pytest.mark.parametrize("weight", ["9999,0", "0,9999", "1;2"])
def test_a_weight_that_the_layer_does_not_have_is_one_sentence(open_page, weight):
    at = open_page("why", layer=LAYER, weight=weight)
    assert not at.exception and not at.error and len(at.warning) == 1


def test_the_first_weight_is_the_smallest_that_is_kept(open_page):
    at = open_page("why", layer=LAYER)
    row, column = state.place_of(at.session_state[state.WEIGHT.name])
    mask = runs.masks(Run("flatland-blip", "multiflow", 0.63))[LAYER]
    weight = weight_of(runs.vlm("flatland-blip").model, LAYER).abs()
    assert mask[row, column] and weight[row, column] == weight[mask].min()


def test_surprises(open_page):
    at = open_page("why", sparsity="0.63")
    masks = {n: runs.order(Run("flatland-blip", n)).masks(0.63) for n in ("multiflow", "omp")}
    model, found = runs.vlm("flatland-blip").model, {}
    for name in one_weight.SURPRISES:
        at.button(key=f"surprise_{name}").click().run()
        assert not at.exception and not at.error
        found[name] = at.session_state[state.LAYER.name], *state.place_of(at.session_state[state.WEIGHT.name])

    def size(name, row, column):
        return float(weight_of(model, name)[row, column].abs())

    def extreme(kept, pick):
        of = masks["multiflow"]
        return float(pick(torch.stack([pick(weight_of(model, n).abs()[of[n] == kept]) for n in of])))

    assert size(*found["smallest"]) == extreme(True, torch.min)
    assert size(*found["largest"]) == extreme(False, torch.max)
    said = one_weight.judgements(Run("flatland-blip", "multiflow", 0.63), *found["disputed"])
    titles = {runs.title(voter) for voter in one_weight.voters(Run("flatland-blip", "multiflow", 0.63))}
    votes = [j.kept for j in said if j.method in titles]
    assert abs(sum(votes) - len(votes) / 2) <= 0.5


def test_where_there_is_nothing_to_be_surprised_by(open_page):
    at = open_page("why", sparsity="0")
    at.button(key="surprise_largest").click().run()
    assert not at.exception and "nothing is pruned" in texts(at)


def test_slow_methods_are_not_asked_unless_they_have_worked_before():
    key = Run("flatland-blip", "multiflow", 0.63)
    judged = {j.method: j for j in one_weight.judgements(key, LAYER, 31, 13)}
    assert len(judged) == len(runs.methods())
    for method in runs.methods():
        said = judged[method.title]
        order = runs.order(Run(key.model, method.name)) if not runs.slow(method) else None
        assert (said.critical is not None) == (order is not None)
        if order is not None:
            assert said.critical == float(order.critical_sparsity(LAYER)[31, 13])
            assert said.kept == bool(order.masks(0.63)[LAYER][31, 13])
        else:
            assert said.note


def test_an_allocation_of_choice_is_judged_beside_the_methods_own():
    judged = one_weight.judgements(Run("flatland-blip", "multiflow", 0.63, "global"), LAYER, 31, 13)
    titles = [runs.title(Run("flatland-blip", "multiflow", allocation=way)) for way in ("global", state.OWN)]
    assert [j.method for j in judged[:2]] == titles
    assert judged[0].critical != judged[1].critical


def test_a_large_model_is_not_ordered_by_every_method_for_one_weight(monkeypatch, empty_store):
    monkeypatch.setattr(runs, "SMALL", 0)
    key = Run("flatland-blip", "multiflow", 0.63)
    for method in ("multiflow", "lamp"):
        runs.order(Run("flatland-blip", method))
    judged = one_weight.judgements(key, LAYER, 31, 13)
    assert {j.method for j in judged if j.critical is not None} == {"MULTIFLOW", "LAMP"}
    assert all(j.note for j in judged if j.critical is None)
    assert {voter.method for voter in one_weight.voters(key)} <= {"multiflow", "lamp"}
    assert not runs.ordered.holds(Run("flatland-blip", "omp"))


def test_a_method_that_solves_anew_is_judged_where_it_has_been_solved(anew, empty_store):
    method = anew("omp")
    run = Run("flatland-blip", method, 0.63)

    def judged():
        said = one_weight.judgements(Run("flatland-blip", "multiflow", 0.63), LAYER, 31, 13)
        return next(j for j in said if j.method == "Anew")

    assert (judged().critical, judged().kept) == (None, None) and "not asked for this one" in judged().note
    kept = bool(runs.masks(run)[LAYER][31, 13])
    assert (judged().critical, judged().kept) == (None, kept) and "no critical one" in judged().note


def test_a_method_without_an_order_is_said_so_and_the_others_are_shown(open_page, anew):
    at = open_page("why", method=anew("omp"), layer=LAYER, weight="31,13")
    assert not at.exception and not at.error
    assert "Anew solves every sparsity anew" in at.info[0].value and "MULTIFLOW" in texts(at)


@pytest.mark.parametrize(("sparsity", "then"), [("0.3", "gone"), ("0.95", "still there")])
def test_the_slider_can_be_moved_to_where_the_verdict_turns(open_page, sparsity, then):
    at = open_page("why", layer=LAYER, weight="31,13", sparsity=sparsity)
    before = verdict(at)
    critical = runs.order(Run("flatland-blip", "multiflow")).critical_sparsity(LAYER)[31, 13]
    assert then in at.button(key="turn").label
    at.button(key="turn").click().run()
    now = at.session_state[state.SPARSITY.name]
    assert abs(now - float(critical)) <= 0.01 and (float(critical) > now) == (then == "still there")
    assert verdict(at).split()[1] != before.split()[1]
