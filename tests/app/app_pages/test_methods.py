"""The cards of the methods, and the glossary."""

import re
from pathlib import Path

import pytest

import app
import multiflow_core as mf
from app.charts import DARK, LIGHT
from app.engine import runs
from app.facts import comparison, method_cards
from app.facts.comparison import Comparison
from app.look.words import wrapping
from multiflow_core.experiments.results import Measured, Results
from multiflow_core.experiments.run import Run
from tests.app.conftest import scores, texts

GLOSSARY = (Path(app.__file__).parent / "parts" / "glossary.md").read_text(encoding="utf-8")
WORDS = (
    "sparsity", "density", "mask", "score", "saliency", "calibration", "activation statistics", "allocation", "modality",
    "dense", "pruned", "ITR", "IC", "VQA", "TA-VLP", "one-shot", "iterative", "unstructured", "N:M",
)  # fmt: skip


def measured(method: str, sparsity: float, **figures: float) -> Measured:
    return Measured(Run("", method, sparsity), scores(**figures))


DATA = Comparison(
    Results(
        runs=(
            measured("a", 0.5, retrieval=0.9, vqa=0.5),
            measured("a", 0.5, retrieval=0.7, vqa=0.5),  # two seeds: 0.8
            measured("b", 0.5, retrieval=0.8, vqa=0.6),
            measured("c", 0.5, retrieval=0.1, vqa=0.4),
            measured("a", 0.9, retrieval=0.3),
            measured("b", 0.9, retrieval=0.2),
        ),
        dense=scores(retrieval=1.0, vqa=1.0),
        costs=({"method": "a", "seconds": 2.5, "memory": 3 << 20}, {"method": "b", "seconds": 1.0, "memory": None}),
    ),
    titles={"a": "Alpha", "b": "Beta"},
)


def test_records_by_hand():
    """Alpha: shares the first place at 50 % retrieval, second in VQA, first at 90 %. Gamma was not measured at 90 %."""
    alpha, gamma = method_cards.record(DATA, "a", 0.6), method_cards.record(DATA, "c", 0.6)
    assert alpha.wins == (("retrieval", 0.5), ("retrieval", 0.9)) and alpha.points == 3 and alpha.of == 3
    assert alpha.mean == pytest.approx((1 + 2 + 1) / 3)
    assert alpha.at == 0.5 and alpha.now == {"retrieval": (1, 0.8), "vqa": (2, 0.5)}
    assert gamma.wins == () and gamma.mean == 3.0 and gamma.points == 2
    assert method_cards.record(DATA, "d", 0.6) is None
    assert (
        method_cards.finding(DATA, 0.6) == "Best at 50 % on this model: Alpha at retrieval; Beta at retrieval and VQA"
    )


def test_costs():
    assert method_cards.cost(DATA, "a") == (2.5, 3.0) and method_cards.cost(DATA, "b") == (1.0, None)
    assert method_cards.cost(DATA, "c") is None and method_cards.cost(None, "a") is None


@pytest.mark.parametrize("method", mf.methods(), ids=lambda m: m.name)
def test_every_method_draws_its_own_miniature(method):
    """All four layers, exactly half of the 48 weights gone."""
    drawn = method_cards.miniature(method.name)
    assert [grid.name for grid in drawn.grids] == ["vision 1", "vision 2", "text 1", "text 2"]
    assert sum(grid.lost for grid in drawn.grids) == 24 and all(grid.size == 12 for grid in drawn.grids)


def test_miniatures_show_what_sets_methods_apart():
    lost = {
        m.name: [grid.lost for grid in method_cards.miniature(m.name).grids] for m in runs.methods() if not runs.slow(m)
    }
    assert lost["multiflow"] == [5, 7, 4, 8]  # half of each modality
    assert lost["omp"] == [3, 0, 9, 12]  # text pays
    assert lost["localmp"] == lost["wanda"] == [6, 6, 6, 6]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
def test_squares_are_filled_where_weights_are_kept(palette):
    html = method_cards.miniature("omp").html(palette)
    assert html.count(palette.modality["vision"]) == 24 - 3 and html.count(palette.modality["text"]) == 3
    assert "text 2 keeps 0 of 12" in html


def test_a_card_for_every_method(open_page):
    at = open_page("methods")
    said = texts(at)
    formulas = " ".join(e.value for e in at.latex)
    for method in mf.methods():
        assert f"## {method.title}" in said and method.idea in said and wrapping(method.latex) in formulas
        assert method.paper.split(",")[0] in said
    assert said.count("mf-minis") == len(mf.methods()) + 1  # and once in the style
    assert said.count("- **When it wins**") == len(mf.methods()) and "chosen at the left" in said


def test_what_was_measured_is_on_the_cards(open_page, assets):
    at = open_page("methods", sparsity="0.63")
    said = texts(at)
    assert "first at 6 of 6 places" in said  # MULTIFLOW, in the tests' result file
    assert "Retrieval 20 % (2nd), Captioning 20 % (2nd), VQA 20 % (2nd)" in said  # OMP
    assert said.count("not measured on this model") == len(mf.methods()) - 2
    (assets / "results" / "flatland-blip.json").unlink()
    at = open_page("methods")
    assert not at.exception and not at.error and f"{len(mf.methods())} ways to choose" in texts(at)


def test_shipped_results_can_be_read():
    data = comparison.load("flatland-blip", "", runs.all_titles())
    assert method_cards.finding(data, 0.63).startswith("Best at 63 %")
    assert all(method_cards.record(data, m, 0.63).points >= 3 for m in data.methods)


# --- glossary -----------------------------------------------------------------------------------------------------


def test_every_word_is_explained_once_in_order():
    found = re.findall(r"^\*\*(.+?)\*\*: ", GLOSSARY, re.M)
    assert set(WORDS) <= set(found) and len(found) == len(set(found))
    assert found == sorted(found, key=str.lower)
    assert all(len(entry) > 40 for entry in GLOSSARY.strip().split("\n\n"))
