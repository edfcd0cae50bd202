"""Methods that need gradients or second moments: the right results, and an end when the reader changes their mind."""

import threading

import pytest
import torch

from app import state
from app.engine import calibration, runs, slider
from app.engine.store import STORE
from app.facts import gallery
from benchmarks.models import save
from multiflow_core.calibration import gradients
from multiflow_core.experiments import prepare
from multiflow_core.experiments.run import Run

SLOW = [method.name for method in runs.methods() if runs.slow(method)]


class Interrupted(BaseException):
    """Stands for Streamlit's rerun exception."""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A very small CLIP, opened."""
    return runs.opened(str(save("clip-b32", tmp_path_factory.mktemp("models") / "clip", small=True)))


@pytest.fixture
def quick(monkeypatch):
    """Few pairs and few steps."""
    monkeypatch.setattr(prepare, "CALIBRATION_BATCH", 4)
    monkeypatch.setattr(prepare, "GRADIENT_BATCH", 4)
    monkeypatch.setattr(calibration, "MOST", 16)
    for options in (method.quick for method in runs.methods() if method.quick):
        monkeypatch.setitem(options, "gradients" if "gradients" in options else "steps", 3)


@pytest.mark.parametrize("method", SLOW)
def test_the_app_gets_what_the_sweep_gets(model, quick, method):
    key = Run(model, method, 0.5)
    assert runs.calibration_pairs(model, "", runs.method(method)) == 16
    pruned = runs.pruned(key)
    order = prepare.order_of(runs.vlm(model), Run(model, method), sample=prepare.Sample(16, 4, 4))
    masks = order.masks(0.5)
    assert runs.masks(key) == masks
    assert slider.layer_counts(key).tolist() == order.layer_counts(0.5).tolist()
    expected = runs.vlm(model).prune(masks, order.weights(0.5)).model.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in pruned.model.state_dict().items())


@pytest.mark.parametrize("allocation", ["owl", "alpha", "ecoflap"])
def test_a_budget_is_given_what_it_needs_to_know(model, quick, allocation):
    key = Run(model, "omp", 0.5, allocation)
    order = prepare.order_of(runs.vlm(model), Run(model, "omp", allocation=allocation), sample=prepare.Sample(16, 4, 4))
    assert runs.order(key).layer_counts(0.5).tolist() == order.layer_counts(0.5).tolist()
    assert runs.slow_order(key) == (allocation == "ecoflap") and runs.masks(key).pruned == order.masks(0.5).pruned


def test_long_work_is_known_as_such(model, quick, monkeypatch):
    asked = []
    runs.work(model)
    inner = STORE._lanes.get
    monkeypatch.setattr(
        STORE._lanes,
        "get",
        lambda place, make, progress, long, asks: asked.append(long) or inner(place, make, progress, long, asks),
    )
    key = Run(model, "tamt", 0.4)
    runs.ordered(key.order)
    runs.masks(key)
    assert asked and all(asked)
    asked.clear()
    runs.masks(key), runs.pruned(key), runs.order(Run(model, "omp")), runs.masks(Run(model, "omp", 0.3))
    assert asked and not any(asked)


def test_a_changed_mind_ends_a_slow_method(monkeypatch):
    """16 gradients of the shipped model would be computed; after the first, the reader chooses another method."""
    monkeypatch.setattr(prepare, "GRADIENT_BATCH", 4)
    passes = []
    compute = gradients.Replica.gradients
    monkeypatch.setattr(gradients.Replica, "gradients", lambda self, batch: passes.append(1) or compute(self, batch))

    def change_mind(fraction, message):
        if message.startswith("gradients"):
            raise Interrupted

    key = Run(state.MODEL.default, "snip")
    with pytest.raises(Interrupted):
        runs.order(key, change_mind)
    assert STORE.room(1).get("after", lambda report: "the worker is free") == "the worker is free"
    done = len(passes)
    assert 1 <= done < 512 // 4 and not runs.ordered.holds(key)
    assert runs.order(Run(state.MODEL.default, "omp")).nested
    assert len(passes) == done  # nothing goes on behind the reader's back


def test_both_lanes_at_once_make_what_each_makes_alone(model, quick):
    """While masks are trained, others ask the same dense model: neither leaves a trace in the other's numbers."""
    key, answers, ended = Run(model, "tamt", 0.7), [], threading.Event()

    def train():
        try:
            answers.append(runs.masks(key))
        finally:
            ended.set()

    training = threading.Thread(target=train)
    training.start()
    asked = 0
    while not ended.is_set() or asked < 4:
        sparsity = asked % 90 / 100
        found = gallery.caption_embeddings(Run(model, "omp", sparsity))
        if asked < 4:
            dense = runs.vlm(model)
            alone = dense.prune(prepare.order_of(dense, Run(model, "omp")).masks(sparsity))
            assert torch.equal(found, alone.embed_texts(gallery.gallery(model, "").captions))
        asked += 1
    training.join()
    sample = prepare.Sample(16, 4, 4)
    assert answers == [prepare.order_of(runs.vlm(model), Run(model, "tamt"), sample=sample).masks(0.7)]
