"""The sweep: orders made for every method, one result file that grows, masks and their overlaps, costs."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

import multiflow_core as mf
from multiflow_core.calibration.passes import count_pairs
from multiflow_core.data import dataset
from multiflow_core.experiments import costs, prepare, sweep
from multiflow_core.experiments.benchmark import measure
from multiflow_core.experiments.prepare import Sample, order_of
from multiflow_core.experiments.results import Results
from multiflow_core.experiments.run import Run
from multiflow_core.experiments.sweep import Sweep, ablation, plan
from multiflow_core.families import families
from multiflow_core.models.vlm import VLM
from multiflow_core.pruning.method import METHODS


@pytest.fixture
def quick(monkeypatch) -> None:
    """8 calibration pairs, two gradients, and methods that take two steps."""
    monkeypatch.setattr(prepare, "CALIBRATION_PAIRS", 8)
    monkeypatch.setattr(prepare, "GRADIENT_BATCH", 4)
    for options in (method.quick for method in METHODS.all() if method.quick):
        monkeypatch.setitem(options, "gradients" if "gradients" in options else "steps", 2)


@pytest.fixture
def tiny(parts, vlm) -> VLM:
    return VLM("tiny", parts, vlm.processor, vlm.family)


@pytest.fixture
def tiny_xvlm(xvlm, vlm) -> VLM:
    return VLM("tiny-xvlm", xvlm, vlm.processor, next(family for family in families() if family.knows(xvlm)))


@pytest.fixture(params=["tiny", "tiny_xvlm"])
def any_tiny(request, quick) -> VLM:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("method", mf.methods(), ids=lambda method: method.name)
def test_an_order_is_made_with_the_sweeps_options_and_tells_its_progress(any_tiny, method, monkeypatch):
    given, told = {}, []
    monkeypatch.setattr(prepare, "rank", lambda *model, **more: given.update(more) or mf.rank(*model, **more))

    def progress(fraction, message):
        assert 0 <= fraction <= 1
        told.append(message)

    order = order_of(any_tiny, Run("", method.name, seed=3), progress)
    assert order.masks(0.5, progress=progress).pruned == order.total // 2
    assert order.method is method
    assert told
    assert given["seed"] == 3
    assert method.quick.items() <= given.items()
    assert sum(len(batch["input_ids"]) for batch in given["batches"] or ()) == (8 if "gradients" in method.needs else 0)


def test_statistics_belong_to_a_folder_not_to_a_name(tiny, vlm, quick, tmp_path):
    """A model that calls itself like the shipped one gets its own; those beside it are taken if they fit it."""
    namesake = replace(tiny, name="flatland-blip", folder=tmp_path)
    made = prepare.evidence_of("statistics", namesake)
    assert made.samples == 8 and made.layers == namesake.layers
    file = tmp_path / "statistics.safetensors"
    replace(made, samples=5).save(file)
    assert prepare.evidence_of("statistics", namesake).samples == 5
    prepare.evidence_of("statistics", vlm).save(file)  # of another model
    assert prepare.evidence_of("statistics", namesake).samples == 8


def test_a_sample_says_how_many_pairs_and_how_many_at_once(tiny, monkeypatch):
    sizes = []
    monkeypatch.setattr(
        prepare, "rank", lambda model, method, **given: sizes.extend(map(count_pairs, given["batches"]))
    )
    order_of(tiny, Run("", "snip"), sample=Sample(pairs=10, batch=8, gradient_batch=4))
    assert sizes == [4, 4, 2]
    told = []
    found = prepare.evidence_of("statistics", tiny, progress=lambda *said: told.append(said), sample=Sample(10, 8, 4))
    assert found.samples == 10
    assert told[0] == (0.0, "drawing the calibration pairs")
    assert told[1:3] == [(0.8, "preparing the calibration pairs"), (1.0, "preparing the calibration pairs")]
    assert told[3:] == [(0.5, "calibrating: 8 pairs"), (1.0, "calibrating: 10 pairs")]


def test_options_of_the_sweep_are_options_of_the_methods():
    for method in METHODS.all():
        assert method.quick.items() <= method.settings(method.quick).items()


@pytest.fixture
def exam():
    return dataset.open("flatland").exam("val", 12, 4, 2)


@pytest.fixture
def seen(monkeypatch) -> list:
    """The models that were measured; figures that differ, and take no time."""
    models = []

    def measured(vlm, exam, only=None):
        models.append(vlm)
        return {"retrieval": {"IR@1": len(models) / 100, "TR@1": 0.0}}

    monkeypatch.setattr(sweep, "measure", measured)
    return models


def test_a_sweep_goes_on_where_it_stopped(tiny, quick, exam, seen, tmp_path):
    path, told = tmp_path / "results.json", []
    runs = plan(["omp", "random", "chita"], [0.3, 0.5], seeds=2) + ablation([0.5])
    assert len(runs) == 2 + 4 + 2 + 12
    Sweep(tiny, exam, path, report=told.append).run(runs[:3])
    assert len(seen) == 4  # the dense one as well
    found = Sweep(tiny, exam, path, report=told.append).run(runs)
    assert len(seen) == 1 + len(runs)
    assert found == Results.load(path)
    assert [measured.run for measured in found.runs] == runs
    assert not found.overlaps
    chita = next(measured for measured in found.runs if measured.run.method == "chita")
    assert chita.options == METHODS.get("chita").quick
    assert chita.achieved == pytest.approx(0.3, abs=1e-4)
    size = sum(layer.size for layer in tiny.layers)
    parts = {m: sum(x.size for x in tiny.layers if x.modality == m) / size for m in chita.modalities}
    assert sum(parts[m] * s for m, s in chita.modalities.items()) == pytest.approx(chita.achieved)


def test_masks_of_earlier_runs_are_made_without_measuring_again(tiny, quick, exam, seen, tmp_path):
    path, masks = tmp_path / "results.json", tmp_path / "masks"
    runs = plan(["l2", "omp", "random"], [0.5], seeds=2)
    Sweep(tiny, exam, path, report=str).run(runs)
    found = Sweep(tiny, exam, path, masks, report=str).run([*runs, Run("", "multiflow", 0.5, "global", "flow")])
    assert len(seen) == 1 + len(runs) + 1
    assert sorted(file.stem for file in masks.iterdir()) == ["l2 0.50", "omp 0.50", "random 0.50"]
    (overlap,) = found.overlaps
    assert (overlap["sparsity"], overlap["methods"]) == (0.5, ["l2", "omp", "random"])
    omp, other = (order_of(tiny, Run("", method)).masks(0.5) for method in ("omp", "random"))
    assert mf.Masks.load(masks / "omp 0.50.safetensors") == omp
    assert overlap["iou"][1] == [pytest.approx(overlap["iou"][0][1]), 1.0, round(omp.iou(other), 4)]


def test_a_model_that_only_retrieves_is_measured_by_retrieval(tiny_xvlm, quick, exam, tmp_path):
    sweeping = Sweep(tiny_xvlm, exam, tmp_path / "results.json", report=str)
    found = sweeping.run([Run("", "multiflow", 0.75)])
    (entry,) = found.runs
    assert set(found.dense) == set(entry.scores) == {"retrieval", "queries"}
    assert (found.head["scenes"], found.head["captioned"], found.head["questions"]) == (12, 0, 0)
    assert "classes" not in found.head  # nobody asked for them
    for scores, between in ((found.dense, found.dense_intervals), (entry.scores, entry.intervals)):
        assert set(between["retrieval"]) == set(scores["retrieval"])
        assert all(low <= scores["retrieval"][name] <= high for name, (low, high) in between["retrieval"].items())
    assert Results.load(tmp_path / "results.json") == found
    assert set(entry.modalities) == {"vision", "text", "fusion"}
    assert all(sparsity == pytest.approx(0.75, abs=1e-3) for sparsity in entry.modalities.values())


def test_costs_count_what_making_the_masks_takes(tiny, quick, monkeypatch):
    """An order that needs 200 MB for a moment: the peak counts, not what is left; loading does not."""
    taken = []

    def make(vlm, run):
        assert (vlm, replace(run, seed=0)) == (tiny, Run("tiny", "omp", 0.63))
        assert run.seed, "what is measured must be calibrated, not read from beside the checkpoint"
        return SimpleNamespace(masks=lambda sparsity: taken.append(float(torch.ones(50_000_000).sum())))

    monkeypatch.setattr(costs, "order_of", make)
    monkeypatch.setattr(costs, "load", lambda model: tiny)
    found = costs.cost("tiny", "omp", 0.63)
    assert taken == [50_000_000.0]
    assert (found["method"], found["sparsity"], found["threads"]) == ("omp", 0.63, torch.get_num_threads())
    assert found["memory"] is None or 190e6 < found["memory"] < 300e6


def test_costs_are_measured_anew_each_in_a_process_of_its_own(tiny, exam, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(
        sweep, "ProcessPoolExecutor", lambda n, mp_context: started.append(mp_context) or ThreadPoolExecutor(n)
    )
    monkeypatch.setattr(
        sweep, "cost", lambda *given: {"method": given[1], "sparsity": given[2], "given": given[0]} | USED
    )
    sweeping = Sweep(tiny, exam, tmp_path / "results.json", report=str)
    sweeping.results = replace(sweeping.results, costs=({"method": "old", "seconds": 1.0},))
    sweeping.costs("folder/of/tiny", ["omp", "l2"], 0.5)
    found = json.loads((tmp_path / "results.json").read_text())["costs"]
    assert [(entry["method"], entry["sparsity"]) for entry in found] == [("omp", 0.5), ("l2", 0.5)]
    assert {entry["given"] for entry in found} == {"folder/of/tiny"}
    assert [context.get_start_method() for context in started] == ["spawn", "spawn"]


USED = {"seconds": 1.0, "memory": None}


def test_chita_plus_leaves_the_shipped_model_able(vlm, monkeypatch):
    """Hundreds of blocks must not all go the whole way down: at 30 % nothing is lost."""
    monkeypatch.setattr(prepare, "CALIBRATION_PAIRS", 32)
    monkeypatch.setattr(prepare, "GRADIENT_BATCH", 16)
    monkeypatch.setitem(METHODS.get("chita++").quick, "stages", 2)
    order = order_of(vlm, Run("", "chita++", 0.3))
    pruned = vlm.prune(order.masks(0.3), order.weights(0.3))
    bench = dataset.open().exam("val", 100, 1, 1)
    before, after = (measure(model, bench, ("retrieval",))["retrieval"]["IR@1"] for model in (vlm, pruned))
    assert after >= before - 0.05
