"""The sweep: orders made for every method, with progress and the sweep's own options."""

import pytest

import multiflow_core as mf
from multiflow_core import sweep
from multiflow_core.sweep import OPTIONS, Run, order_of
from multiflow_core.vlm import VLM


@pytest.fixture
def small(parts, vlm, monkeypatch) -> VLM:
    """A tiny untrained BLIP with 8 calibration pairs, two gradients, and methods that take two steps."""
    monkeypatch.setattr(sweep, "CALIBRATION_PAIRS", 8)
    monkeypatch.setattr(sweep, "GRADIENT_BATCH", 4)
    for options in OPTIONS.values():
        monkeypatch.setitem(options, "gradients" if "gradients" in options else "steps", 2)
    return VLM("tiny", parts, vlm.processor, vlm.family)


@pytest.mark.parametrize("method", mf.methods(), ids=lambda method: method.name)
def test_an_order_is_made_with_the_sweeps_options_and_tells_its_progress(small, method, monkeypatch):
    given, told = {}, []
    monkeypatch.setattr(sweep, "rank", lambda *model, **more: given.update(more) or mf.rank(*model, **more))

    def progress(fraction, message):
        assert 0 <= fraction <= 1
        told.append(message)

    order = order_of(small, Run(method.name, 0.0, seed=3), progress)
    assert order.masks(0.5, progress=progress).pruned == order.total // 2
    assert order.method is method
    assert told
    assert given["seed"] == 3
    assert OPTIONS.get(method.name, {}).items() <= given.items()
    assert sum(len(batch["input_ids"]) for batch in given.get("batches", ())) == (8 if "batches" in given else 0)


def test_options_of_the_sweep_are_options_of_the_methods():
    for name, options in OPTIONS.items():
        assert options.items() <= sweep.get_method(name).settings(options).items()
