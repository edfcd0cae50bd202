"""The facts of the Benchmark page, by hand on a small table, and on what is shipped."""

import pytest

from app.facts import benchmark
from multiflow_core.sweeps.table import Entry, Table

TITLES = {"omp": "OMP", "multiflow": "MULTIFLOW", "reflow": "Reflow"}


def cells(method, transfer="fine-tuned", **figures) -> list[Entry]:
    """Figures at 63 and 75 %, of VQA; intervals of ± 0.01."""
    found = []
    for sparsity, value in zip((0.63, 0.75), figures["all"], strict=True):
        curve = ({"step": 0.0, "figure": value / 2}, {"step": 5.0, "loss": 1.0}, {"step": 10.0, "figure": value})
        between = {"all": (value - 0.01, value + 0.01)}
        found.append(
            Entry("flatland-blip", method, sparsity, "vqa", transfer, {"all": value}, 0, "paperland", between, curve)
        )
    return found


@pytest.fixture
def swept(assets) -> Table:
    dense = Entry("flatland-blip", "dense", 0.0, "vqa", "fine-tuned", {"all": 0.95}, data="paperland")
    rows = [
        *cells("omp", all=(0.5, 0.4)),
        *cells("multiflow", all=(0.9, 0.405)),
        *cells("reflow (passes 2)", all=(0.2, 0.1)),
    ]
    table = Table((dense, *rows), {"command": "python -m x", "seeds": [0], "seconds": 7200, "versions": {"torch": "2"}})
    table.save(assets / "results" / benchmark.FILE)
    return table


def load(transfer="fine-tuned", who=benchmark.ALL):
    return benchmark.load("flatland-blip", "", transfer, TITLES, who)


def test_the_table_by_hand(swept):
    league = benchmark.league(load(), "omp")
    assert league.blocks == ("63 %", "75 %") and league.columns == ("VQA",)
    assert [cell.text for cell in league.dense] == ["95.0", "95.0"]
    assert [(name, [(cell.text, cell.place) for cell in row]) for name, row in league.rows] == [
        ("MULTIFLOW", [("90.0", 1), ("40.5", 1)]),
        ("OMP", [("50.0", 2), ("40.0", 2)]),
        ("Reflow (passes 2)", [("20.0", 0), ("10.0", 0)]),
    ]
    assert league.chosen == "OMP"


def test_what_is_said_of_it(swept):
    data = load()
    assert benchmark.finding(data).startswith(
        "MULTIFLOW has the best mean rank, 1.0 over 2 cells; 2 of 2 others cannot"
    )
    assert "OMP is 2 of 3 by mean rank (2.0): 1.0 behind MULTIFLOW, no more than" in benchmark.place(data, "omp")
    assert benchmark.place(data, "snip") == "snip was not measured here."
    assert benchmark.source(data) == (
        "On Paperland, by python -m x (seed 0, 2.0 h of one core; torch 2). "
        "One seed: what chance does in training is not in the intervals"
    )


def test_wins_and_ranks(swept):
    won = benchmark.wins_chart(load(), "omp")
    assert won.rows == (("MULTIFLOW", 1, 1), ("OMP", 0, 0))  # 40.5 and 40.0 lie within one another's intervals
    assert won.title() == "MULTIFLOW is first in 2 of 2 cells, 1 of them inside the noise"
    ranked = benchmark.ranks_chart(load(), "omp")
    assert ranked.ranks == (("MULTIFLOW", 1.0), ("OMP", 2.0), ("Reflow (passes 2)", 3.0)) and not benchmark.left_out(
        load()
    )


def test_recovery_is_drawn_of_checks_alone(swept):
    (chart,) = benchmark.recoveries(load(), "omp")
    assert chart.at == 0.75 and dict(chart.lines)["OMP"] == ((0.0, 0.2), (10.0, 0.4)) and chart.dense is None
    assert benchmark.recoveries(load("zero-shot"), "omp") == ()


def test_claims_come_with_their_cells(swept):
    found = {one.claim: one for one in benchmark.claims(load())}
    first = found["MULTIFLOW is first in the vast majority of cells"]
    assert first.word == "not measured"  # against one other only: the third is none of the paper's
    lead = found["Its lead grows with sparsity"]
    assert (
        lead.word == "does not hold"
        and lead.cells == (("75 % VQA", "lead +40.0, then +0.5", False),)
        and not lead.aside
    )
    assert all("fine-tuned" in one.aside for one in benchmark.claims(load("zero-shot")) if one.cells)


def test_the_zero_shot_part_comes_from_the_result_file_until_it_is_swept(swept, assets):
    data = load("zero-shot")
    assert not data.swept and data.part.methods == ("multiflow", "omp") and data.part.sparsities == (0.63,)
    (assets / "results" / benchmark.FILE).write_text("{")  # damaged
    assert load("zero-shot").part == data.part and load().empty
    Table(tuple(cells("omp", "zero-shot", all=(0.5, 0.4)))).save(assets / "results" / benchmark.FILE)
    assert load("zero-shot").swept and load("zero-shot").part.methods == ("omp",)


def test_the_papers_methods_alone(swept):
    assert load(who=benchmark.PAPER).part.methods == ("omp", "multiflow")


@pytest.mark.parametrize("model", ["flatland-blip", "flatland-xvlm"])
def test_what_is_shipped_gives_every_part(model):
    data = benchmark.load(model, "", "zero-shot", TITLES)
    assert data.part.sparsities == benchmark.PAPERS_SPARSITIES
    assert (
        benchmark.wins_chart(data, "multiflow") and benchmark.ranks_chart(data, "multiflow") and benchmark.claims(data)
    )
    assert len(benchmark.league(data, "multiflow").rows) == len(data.part.methods) > 15
    assert (
        benchmark.load("nobody", "", "zero-shot", TITLES).empty
        and benchmark.load(model, "own", "zero-shot", TITLES).empty
    )
