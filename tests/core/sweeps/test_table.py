"""The table: means and deviations by hand, files that are read as they were written, cells of result files."""

import pytest

from multiflow_core.experiments.results import Results
from multiflow_core.sweeps.cell import DENSE
from multiflow_core.sweeps.plan import read
from multiflow_core.sweeps.store import Outcome, Store
from multiflow_core.sweeps.table import COLUMNS, Entry, Spread, Table, write_table

TR, IR, CIDER, BLEU, VQA = COLUMNS


def entry(method="omp", sparsity=0.5, value=0.5, seed=0, transfer="zero-shot", model="m", between=None) -> Entry:
    intervals = {"all": between} if between else {}
    return Entry(model, method, sparsity, "vqa", transfer, {"all": value}, seed, intervals=intervals)


def test_mean_and_deviation_over_seeds_by_hand():
    found = [entry(value=v, seed=s, between=(v - 0.1, v + 0.2)) for s, v in enumerate((0.2, 0.4, 0.9))]
    spread = Table(tuple(found)).spread("m", "zero-shot", "omp", 0.5, VQA)
    assert spread.mean == pytest.approx(0.5) and spread.count == 3
    assert spread.deviation == pytest.approx((((0.3**2) + (0.1**2) + (0.4**2)) / 2) ** 0.5)
    assert (spread.low, spread.high) == (pytest.approx(0.1), pytest.approx(1.1))
    assert Table((entry(),)).spread("m", "zero-shot", "omp", 0.5, VQA) == Spread(0.5, None, 1, 0.5, 0.5)
    assert Table((entry(),)).spread("m", "fine-tuned", "omp", 0.5, VQA) is None


def test_a_file_is_read_as_it_was_written(tmp_path):
    curve = ({"step": 1.0, "loss": 0.5},)
    tuned = Entry("m", "omp", 0.5, "vqa", "fine-tuned", {"all": 0.1}, 2, "x", {"all": (0.0, 0.25)}, curve, 3.5)
    table = Table((entry(), entry(DENSE, 0.0), tuned), {"title": "T", "seeds": [0]})
    assert Table.load(table.save(tmp_path / "t.json")) == table
    assert Table.load(Table().save(tmp_path / "empty.json")) == Table()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "multiflow-table", "cells": [{"model": "m"}]}'])
def test_what_is_no_table_is_one_sentence(tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(ValueError, match="is no table of a sweep"):
        Table.load(tmp_path / "t.json")


def test_the_shape_of_a_part():
    part = Table((entry(DENSE, 0.0), entry("b", 0.9), entry("a", 0.5), entry("a", 0.9))).part("m", "zero-shot")
    assert part.methods == ("b", "a") and part.sparsities == (0.5, 0.9) and part.columns == (VQA,)
    assert part.cells() == [(0.5, VQA), (0.9, VQA)]
    assert part.only([0.5]).sparsities == (0.5,) and part.only([0.5]).spread(DENSE, 0.9, VQA).mean == 0.5
    assert part.without(["a"]).methods == ("b",)


def test_data_sets_are_not_mixed():
    other = Entry("m", "omp", 0.5, "vqa", "zero-shot", {"all": 0.9}, data="paperland")
    part = Table((entry(value=0.1), other)).part("m", "zero-shot")
    assert part.data == ("flatland",) and part.spread("omp", 0.5, VQA).count == 1


def test_joining_mixes_nothing():
    own = Table((entry("omp"), entry("omp", transfer="fine-tuned")), {"title": "own"})
    other = Table((entry("snip"), entry("snip", model="n")), {"title": "other"})
    both = own.joined(other)
    assert [(e.model, e.transfer, e.method) for e in both.entries] == [
        ("m", "zero-shot", "omp"),
        ("m", "fine-tuned", "omp"),
        ("n", "zero-shot", "snip"),
    ]
    assert (
        both.head == {"title": "own"}
        and both.transfers("m") == ("zero-shot", "fine-tuned")
        and both.models == ("m", "n")
    )


@pytest.mark.parametrize("model", ["flatland-blip", "flatland-xvlm"])
def test_the_shipped_result_files_fill_the_zero_shot_part(model):
    results = Results.load(f"assets/results/{model}.json")
    part = Table.of_results(results, model).part(model, "zero-shot")
    assert part.methods == results.methods
    assert part.spread("omp", 0.63, IR).mean == pytest.approx(results.figure("omp", "retrieval", 0.63))
    assert part.spread("random", 0.9, TR).count == 3 and part.spread(DENSE, 0.9, IR).mean == results.dense_figure(
        "retrieval"
    )


def test_a_sweep_writes_its_table_where_it_says(tmp_path, world):
    file = tmp_path / "s.toml"
    file.write_text(
        'title = "T"\nresults = "deep/t.json"\nmodels = ["m"]\nmethods = ["omp"]\nsparsities = [0.5]\ntasks = ["vqa"]'
    )
    plan, store = read(file), Store(tmp_path / "out")
    cells = plan.cells(world)
    assert write_table(plan, cells, store, "command") == []  # nothing is there
    store.keep(
        cells[1], Outcome({"all": 0.25, "color": 0.5}, {"all": (0.2, 0.3), "color": (0, 1)}, seconds={"pruning": 1.5})
    )
    places = write_table(plan, cells, store, "command")
    assert places == [tmp_path / "out" / "table.json", tmp_path / "deep" / "t.json"]
    table = Table.load(places[1])
    assert table.entries == (
        Entry(
            "m", "omp", 0.5, "vqa", "zero-shot", {"all": 0.25, "color": 0.5}, intervals={"all": (0.2, 0.3)}, seconds=1.5
        ),
    )
    assert table.head["command"] == "command" and (table.head["cells_measured"], table.head["cells_planned"]) == (1, 2)
    assert table.head["seeds"] == [0] and table.head["seconds"] == 1.5
    other = Store(tmp_path / "other")  # has a cell that the table has not, and lacks the one that it has
    other.keep(cells[0], Outcome({"all": 0.9}))
    assert write_table(plan, cells, other, "command") == [tmp_path / "other" / "table.json"]
    assert Table.load(places[1]) == table
    other.keep(cells[1], Outcome({"all": 0.3}))
    assert write_table(plan, cells, other, "command") == [tmp_path / "other" / "table.json", places[1]]
    assert [entry.scores for entry in Table.load(places[1]).entries] == [{"all": 0.9}, {"all": 0.3}]
