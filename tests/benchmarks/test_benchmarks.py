"""The benchmark command on models too small for their figures to mean anything."""

import doctest
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import __main__ as command
from benchmarks import check, device, measure, models, pages, parts, selecting
from benchmarks.measure import Figures
from multiflow_core import Masks, PruningOrder, prunable_layers
from multiflow_core.experiments.results import Results
from multiflow_core.models.vlm import VLM


def test_examples():
    for module in (device, measure, models, pages, parts):
        assert doctest.testmod(module).failed == 0


def test_figures_and_their_table():
    figures = measure.measure("xvlm-base", batches=1, pairs=2, rounds=1, small=True)
    assert isinstance(figures, Figures)
    assert figures.weights == sum(layer.size for layer in measure._random("xvlm-base", small=True).layers)
    assert all(value > 0 for value in (figures.read, figures.plain, figures.calibration, figures.order, figures.mask))
    text = command.table([figures, figures])
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1 and lines[0].count("xvlm-base") == 2
    assert set(measure.BARS) <= set(command.ROWS) == set(Figures.__annotations__) - {"model", "threads"}


def test_the_local_vocabulary_has_a_word_for_everything_a_decoder_can_say():
    tokenizer = models.bert_processor(image_size=32, words=2000).tokenizer
    assert len(tokenizer) == 2000
    assert tokenizer.convert_ids_to_tokens([1999]) == ["[unused1999]"]
    assert tokenizer("a red boat")["input_ids"] == models.bert_processor(32, 0).tokenizer("a red boat")["input_ids"]


def test_all_ways_to_select_agree():
    """What is timed must be the same work: sorted values, the k-th of them, their order."""
    values = np.abs(np.random.default_rng(0).standard_normal(1000, dtype=np.float32))
    values[7] = values[500]
    found = {purpose: [way(values, 630) for way in ways.values()] for purpose, ways in selecting.WAYS.items()}
    for sort, torch_sort, lower in (found["group or sort the values"],):
        assert np.array_equal(sort, torch_sort)
        assert np.array_equal(np.sort(lower), np.sort(sort.view(np.uint32).astype(np.uint16)))
    assert {float(kth) for kth in found["the k-th lowest"]} == {float(np.sort(values)[629])}
    stable, packed, ranks = found["rank every value"]
    assert np.array_equal(stable, packed)
    assert np.array_equal(ranks[stable], np.arange(1000))


@pytest.mark.parametrize("name", ["blip-base-captioning", "blip-base-vqa", "xvlm-base"])
def test_the_whole_line_is_checked(name, tmp_path):
    lines = list(check.check(models.save(name, tmp_path, small=True), pairs=2))
    assert lines[2].startswith("calibrated on 2 pairs")
    said = {"blip-base-captioning": "caption", "blip-base-vqa": "answer", "xvlm-base": "match"}[name]
    assert all(said in line for line in lines[5:9])


def test_what_is_wrong_on_the_line_is_noticed(tmp_path, monkeypatch):
    folder = models.save("clip-b32", tmp_path, small=True)
    masks = PruningOrder.masks
    monkeypatch.setattr(PruningOrder, "masks", lambda self, sparsity: masks(self, sparsity + 0.001))
    with pytest.raises(AssertionError):
        list(check.check(folder))
    monkeypatch.undo()
    monkeypatch.setattr(
        VLM, "layers", property(lambda self: [replace(x, modality="text") for x in prunable_layers(self.model)])
    )
    with pytest.raises(AssertionError, match="traced otherwise"):
        list(check.check(folder))
    monkeypatch.undo()
    monkeypatch.setattr(VLM, "embed_images", lambda self, images: torch.full((len(images), 16), torch.nan))
    with pytest.raises(ValueError, match="not finite"):  # loading notices it first
        list(check.check(folder))


def test_masks_that_differ_between_devices_are_counted():
    """By hand: of 3 weights, these two masks treat 2 otherwise."""
    one, other = (Masks({"w": torch.tensor([kept])}) for kept in ([True, True, False], [True, False, True]))
    assert device._differing(one, one) == 0 and device._differing(one, other) == pytest.approx(2 / 3)


def test_peak_memory_sees_what_is_freed_again():
    def grow():
        block = bytearray(200 << 20)
        block[::4096] = b"x" * len(block[::4096])
        time.sleep(0.05)

    _, grown = measure.peak_memory(grow)
    assert 150 << 20 < grown < 400 << 20


def test_options_are_chosen_on_pictures_that_are_not_reported(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(parts, "SEARCH", ({"steps": 1, "rising": 1}, {}))
    asked = ["flatland-xvlm", "--search", "--pairs", "2", "--sparsities", "0.75", "--tasks", "retrieval"]
    with pytest.raises(SystemExit):
        parts.main(asked)
    assert "say --items and --out" in capsys.readouterr().err
    parts.main([*asked, "--items", "4", "--out", str(tmp_path / "search.json")])
    results = Results.load(tmp_path / "search.json")
    assert results.head["split"] == "val" and "| steps 1, rising 1 | 75% |" in capsys.readouterr().out
    assert [dict(m.run.options) for m in results.runs] == [{"steps": 1, "rising": 1}, {}]


def test_parts_are_taken_out_one_by_one_and_kept(tmp_path, capsys, monkeypatch):
    asked = [
        "flatland-xvlm",
        "--pairs",
        "2",
        "--items",
        "4",
        "--sparsities",
        "0.75",
        "--parts",
        "budgets",
        "--tasks",
        "retrieval",
        "--out",
    ]
    out = tmp_path / "parts.json"
    parts.main([*asked, str(out)])
    told = capsys.readouterr().out
    results = Results.load(out)
    assert [dict(m.run.options) for m in results.runs] == [{}, {"budgets": "uniform"}, {}, {}]
    assert all(m.achieved == pytest.approx(0.75, abs=1e-6) for m in results.runs)
    for name in ("dense", "reflow", "budgets: uniform", "sparsegpt", "multiflow"):
        assert f"| {name} |" in told
    monkeypatch.setattr("multiflow_core.experiments.sweep.order_of", None)  # nothing is pruned again
    parts.main([*asked, str(out)])
    assert capsys.readouterr().out == told
