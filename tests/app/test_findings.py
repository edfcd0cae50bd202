"""The collapse alarm, and the sentences about storage."""

import pytest

from app import findings
from app.services.facts import Facts, LayerFact
from multiflow_core.layers import PrunableLayer


def facts(method: str, target: float, **sparsity: float) -> Facts:
    """One layer of 1000 weights a keyword: vision_0=0.5 is block "vision 0"."""
    layers = []
    for name, s in sparsity.items():
        modality, number = name.split("_")
        layer = PrunableLayer(name, (100, 10), modality, f"{modality} {number}", "fc1")
        layers.append(LayerFact(layer, round(1000 * s)))
    return Facts(method, target, tuple(layers))


def test_even_pruning_raises_no_alarm():
    assert findings.alarm(facts("MULTIFLOW", 0.63, vision_0=0.6, vision_1=0.66, text_0=0.63), None) is None


def test_a_collapsing_modality_is_named_and_compared():
    rival = facts("MULTIFLOW", 0.63, vision_0=0.63, text_0=0.63)
    alarm = findings.alarm(facts("OMP", 0.63, vision_0=0.9, text_0=0.36), rival)
    assert "vision" in alarm.headline and "90 %" in alarm.headline and "OMP" in alarm.headline
    assert "MULTIFLOW takes 63 % of vision" in alarm.why and "no layer" in alarm.why


def test_ten_points_are_not_yet_a_collapse():
    assert findings.alarm(facts("OMP", 0.5, vision_0=0.6, text_0=0.4), None) is None


def test_a_dead_layer_is_named():
    alarm = findings.alarm(facts("OMP", 0.63, vision_0=0.996, vision_1=0.3, text_0=0.6), None)
    assert "vision 0 fc1" in alarm.headline and "One layer" in alarm.headline and "99.6" in alarm.headline


def test_several_dead_layers_are_counted():
    alarm = findings.alarm(
        facts("OMP", 0.95, vision_0=0.99, vision_1=0.98, text_0=1.0), facts("M", 0.95, vision_0=0.9, text_0=1)
    )
    assert "3 layers" in alarm.headline and "text 0" in alarm.headline and "one layer" in alarm.why


def test_everything_pruned_is_said_plainly():
    assert "every layer" in findings.alarm(facts("OMP", 1.0, vision_0=1.0, text_0=1.0), None).why


@pytest.mark.parametrize(("sparsity", "size"), [(0.0, 1.0), (0.75, 0.3125), (1.0, 0.0625)])
def test_storage(sparsity, size):
    assert findings.storage(sparsity) == pytest.approx(size)
