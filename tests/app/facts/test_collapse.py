"""The collapse alarm, and the sentences about storage."""

import pytest

from app.facts import collapse
from app.facts.layer_sparsity import DeadNeurons, Facts, LayerFact
from app.facts.measured import Loss
from multiflow_core.weights.layers import PrunableLayer


def facts(method: str, target: float, **sparsity: float) -> Facts:
    """One layer of 1000 weights a keyword: vision_0=0.5 is block "vision 0"."""
    layers = []
    for name, s in sparsity.items():
        modality, number = name.split("_")
        layer = PrunableLayer(name, (100, 10), modality, f"{modality} {number}", "fc1")
        layers.append(LayerFact(layer, round(1000 * s)))
    return Facts(method, target, tuple(layers))


def losses(*pairs: tuple[float, float | None], dense: float = 0.9) -> tuple[Loss, ...]:
    """One task a pair (kept, kept by the rival)."""
    return tuple(Loss(f"Task {n}", 0.63, dense, *pair) for n, pair in enumerate(pairs))


EVEN = facts("MULTIFLOW", 0.63, vision_0=0.6, vision_1=0.66, text_0=0.63)


def test_the_dense_model_needs_no_words_about_losses():
    found = collapse.verdict(facts("OMP", 0.0, vision_0=0, text_0=0), None, None, losses((0.9, 0.9)))
    assert (found.level, found.headline) == ("fine", "Nothing is pruned")


def test_even_pruning_raises_no_alarm_and_says_why_not():
    found = collapse.verdict(EVEN, None, DeadNeurons(1, 2, 2000), losses((0.88, None)))
    assert (found.level, found.headline) == ("fine", "Nothing has collapsed")
    assert "3 of 2 k neurons" in found.detail and "vision 1 fc1, loses 66 %" in found.detail


def test_what_was_not_measured_is_neither_good_nor_bad():
    found = collapse.verdict(EVEN, None, DeadNeurons(1, 2, 2000))
    assert found.level == "unknown" and "not measured" in found.why


@pytest.mark.parametrize(
    ("kept", "level"), [((0.1, 0.8), "collapse"), ((0.1, 0.15), "note"), ((0.85, 0.88), "note"), ((0.1, None), "note")]
)
def test_a_side_that_pays_with_what_the_model_can_do_has_collapsed(kept, level):
    """Where the other choice keeps it: else so many weights were too many in any case."""
    found = collapse.verdict(facts("OMP", 0.5, vision_0=0.55, text_0=0.45), None, None, losses(kept))
    assert found.level == level and ("falls from 90 % to 10 %" in found.why) == (level == "collapse")


def test_a_collapsing_modality_is_named_and_compared():
    rival = facts("MULTIFLOW", 0.63, vision_0=0.63, text_0=0.63)
    found = collapse.verdict(facts("OMP", 0.63, vision_0=0.9, text_0=0.36), rival)
    assert found.level == "collapse"
    assert "vision" in found.headline and "90 %" in found.headline and "OMP" in found.headline
    assert "MULTIFLOW takes 63 % of vision" in found.why and "no layer" in found.why


@pytest.mark.parametrize(
    ("shares", "level"),
    [((0.61, 0.39), "collapse"), ((0.6, 0.4), "note"), ((0.54, 0.46), "note"), ((0.52, 0.48), "fine")],
)
def test_a_few_points_are_a_note_and_ten_are_not_yet_a_collapse(shares, level):
    found = collapse.verdict(facts("OMP", 0.5, vision_0=shares[0], text_0=shares[1]), None, None, losses((0.9, 0.9)))
    assert found.level == level
    if level == "note":
        assert (
            f"{100 * (shares[0] - 0.5):.1f} points more than asked" in found.headline
            and "The vision side" in found.headline
        )


def test_a_dead_layer_is_named():
    found = collapse.verdict(facts("OMP", 0.63, vision_0=0.996, vision_1=0.3, text_0=0.6))
    assert "vision 0 fc1" in found.headline and "One layer" in found.headline and "99.6" in found.headline


def test_several_dead_layers_are_counted():
    found = collapse.verdict(
        facts("OMP", 0.95, vision_0=0.99, vision_1=0.98, text_0=1.0), facts("M", 0.95, vision_0=0.9, text_0=1)
    )
    assert found.level == "collapse" and "text" in found.headline and "one layer" in found.why
    assert "3 layers" in found.detail and "text 0" in found.detail


def test_who_pays_leads_and_layers_and_neurons_follow():
    """Four points and dead layers, with what they did to the tasks: the ablation that the paper warns of."""
    found = collapse.verdict(
        facts("MULTIFLOW (global)", 0.63, vision_0=0.55, vision_1=0.55, text_0=0.99, text_1=0.36),
        facts("MULTIFLOW", 0.63, vision_0=0.63, vision_1=0.63, text_0=0.63, text_1=0.63),
        DeadNeurons(100, 300, 440),
        losses((0.09, 0.97), (0.0, 0.87)),
    )
    assert found.level == "collapse"
    assert found.headline == (
        "Modality collapse: MULTIFLOW (global) takes 68 % of the text weights, 4.5 points more than asked"
    )
    assert "Task 1 falls from 90 % to 0 %." in found.why and "MULTIFLOW takes 63 % of text" in found.why
    assert "One layer" in found.detail and "400 of 440 neurons are dead." in found.detail


def test_dead_neurons_are_a_note_from_a_tenth_on():
    few, many = DeadNeurons(0, 99, 1000), DeadNeurons(40, 60, 1000)
    assert collapse.verdict(EVEN, None, few, losses((0.9, 0.9))).level == "fine"
    found = collapse.verdict(EVEN, None, many)
    assert found.level == "note" and "100 of 1 k neurons" in found.headline
    assert "60 inputs and 40 outputs" in found.why


def test_a_task_can_suffer_although_nothing_collapsed():
    omp = facts("OMP", 0.63, vision_0=0.63, text_0=0.63)
    found = collapse.verdict(omp, EVEN, None, losses((0.85, 0.86), (0.3, 0.87)))
    assert found.level == "note" and "Task 1 suffers" in found.headline and "*which* weights go" in found.why
    found = collapse.verdict(EVEN, omp, None, losses((0.16, 0.02)))
    assert found.level == "note" and "too many" in found.why
    assert collapse.verdict(EVEN, omp, None, losses((0.8, None))).level == "fine"


def test_everything_pruned_is_said_plainly():
    assert "every layer" in collapse.verdict(facts("OMP", 1.0, vision_0=1.0, text_0=1.0)).why


@pytest.mark.parametrize(("sparsity", "size"), [(0.0, 1.0), (0.75, 0.3125), (1.0, 0.0625)])
def test_storage(sparsity, size):
    assert collapse.storage(sparsity) == pytest.approx(size)
