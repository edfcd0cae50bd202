"""What is fetched ahead: the neighbours of the sparsity on screen, by what the page itself asks."""

import pytest

from app.engine.spare import SPARE
from app.engine.store import STORE
from app.facts import gallery
from app.parts import ahead
from multiflow_core.experiments.run import Run

MODEL = "flatland-blip"
NEAR = (0.62, 0.64)


@pytest.fixture
def beside(open_page, monkeypatch):
    """open_page, but two neighbours are fetched."""
    STORE.clear()
    monkeypatch.setattr(ahead, "near", lambda sparsity: list(NEAR))
    yield open_page
    STORE.clear()


def said(key: Run) -> set[str]:
    """What was asked of a run."""
    return {name[1] for name in gallery.ANSWERS.kept if name[0] == key}


@pytest.mark.parametrize(
    ("page", "methods", "asked"),
    [
        ("retrieval", ["multiflow"], {"text"}),
        ("captioning", ["multiflow"], {"caption"}),
        ("vqa", ["multiflow"], {"answer"}),
        ("two_runs", ["multiflow", "omp"], {"text", "caption"}),
    ],
)
def test_the_neighbours_are_asked_what_the_page_asks(beside, page, methods, asked):
    at = beside(page, sparsity="0.63")
    assert not at.exception and SPARE.settle(120)
    for method in methods:
        for sparsity in NEAR:
            assert asked <= said(Run(MODEL, method, sparsity)), (method, sparsity)
