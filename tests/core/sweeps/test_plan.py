"""Sweep files: which cells they mean, what makes two cells one, and what is said of nonsense."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiflow_core.experiments.run import Run
from multiflow_core.pruning.method import methods
from multiflow_core.sweeps.cell import Cell, Setting
from multiflow_core.sweeps.plan import Model, chosen, read

BOTH = """
models = ["a"]
methods = ["omp", "wanda"]
sparsities = [0.5, 0.9]
tasks = ["vqa"]
seeds = [0, 1]
[[part]]
[[part]]
transfer = "fine-tuned"
methods = ["omp"]
recipe = {steps = 3}
"""


def test_cells_are_all_combinations_and_the_dense_model_once(plan_of, world):
    names = [cell.name for cell in plan_of(BOTH).cells(world)]
    assert names == [
        "a dense vqa zero-shot seed 0",
        "a omp 50 % vqa zero-shot seed 0",  # draws nothing: one seed is all of them
        "a omp 90 % vqa zero-shot seed 0",
        "a wanda 50 % vqa zero-shot seed 0",
        "a wanda 90 % vqa zero-shot seed 0",
        "a wanda 50 % vqa zero-shot seed 1",
        "a wanda 90 % vqa zero-shot seed 1",
        "a dense vqa fine-tuned seed 0",
        "a dense vqa fine-tuned seed 1",
        "a omp 50 % vqa fine-tuned seed 0",
        "a omp 90 % vqa fine-tuned seed 0",
        "a omp 50 % vqa fine-tuned seed 1",
        "a omp 90 % vqa fine-tuned seed 1",
    ]


def test_a_mask_is_shared_by_tasks_and_seeds_of_tuning(plan_of, world):
    tuned = [cell for cell in plan_of(BOTH).cells(world) if cell.tuned and cell.run.sparsity == 0.5]
    assert len(tuned) == 2 and len({cell.digest for cell in tuned}) == 2 and len({c.pruned_digest for c in tuned}) == 1


def test_all_methods_and_options_of_one(plan_of, world):
    plan = plan_of('methods = "all"\nsparsities = 0.5\ntasks = "vqa"\noptions.itersnip.steps = [2, 3]')
    cells = plan.cells(world)
    assert len(cells) == 1 + len(methods()) + 1
    labels = [cell.label for cell in cells if cell.run.method == "itersnip"]
    assert labels == ["itersnip (steps 2)", "itersnip (steps 3)"]
    assert {cell.settings["steps"] for cell in cells if cell.run.method == "itersnip"} == {2, 3}


def test_a_task_that_a_model_cannot_do_has_no_cells(plan_of, world):
    searching = replace(world, model=lambda name: Model(name, ("retrieval",), ("retrieval", "vqa")))
    cells = plan_of(BOTH.replace('"vqa"', '"vqa", "retrieval"')).cells(searching)
    assert {(cell.task, cell.transfer) for cell in cells} == {
        ("retrieval", "zero-shot"),
        ("retrieval", "fine-tuned"),
        ("vqa", "fine-tuned"),
    }


def test_data_by_task(plan_of, world):
    plan = plan_of('methods = []\ntasks = ["vqa", "retrieval"]\ndata = {vqa = ["x", "y"]}')
    assert [(cell.task, cell.data) for cell in plan.cells(world)] == [
        ("vqa", "x"),
        ("vqa", "y"),
        ("retrieval", "flatland"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("methods = [", "is no sweep file"),
        ('methods = ["multiflo"]', "did you mean 'multiflow'"),
        ('tasks = ["vq"]', "no task is called 'vq'"),
        ("sparsities = [63]", "between 0 and 1"),
        ("seeds = [0.5]", "a seed is a whole number"),
        ('transfer = "tuned"', "no transfer is called 'tuned'"),
        ("method = 3", "did you mean 'methods'"),
        ("exam = {item = 3}", "did you mean 'items'"),
        ("threads = 0", "threads is a whole number"),
        ("options.omp.steps = 3", "no option of method 'omp'"),
        ("options.itersnip.steps = 0", "must be a whole number"),
        ("part = 3", r"\[\[part\]\]"),
    ],
)
def test_nonsense_is_one_sentence_with_the_file(plan_of, text, said):
    with pytest.raises(ValueError, match=said) as problem:
        plan_of(text)
    assert "some.toml" in str(problem.value) and "\n" not in str(problem.value).split("(at line")[0]


def test_the_shipped_sweep_is_the_papers_table(world):
    plan = read("assets/sweeps/paper.toml")
    cells = plan.cells(world)
    assert {cell.run.sparsity for cell in cells} == {0.0, 0.63, 0.75, 0.9}
    assert {cell.run.method for cell in cells if not cell.tuned} == {"", *(method.name for method in methods())}
    assert {cell.model for cell in cells} == {"flatland-blip", "flatland-xvlm"}
    assert plan.results.name == "transfer.json" and plan.results.parent.name == "results"


@given(st.sampled_from(["a", "b"]), st.floats(0.1, 0.9), st.integers(0, 3), st.sampled_from(["vqa", "retrieval"]))
def test_what_decides_the_figures_decides_the_name_of_the_file(model, sparsity, seed, task):
    cell = Cell("m", Run("", "random", sparsity, seed=seed), task, model_is=model)
    assert cell.digest == Cell("n", Run("", "random", sparsity, seed=seed), task, model_is=model).digest
    others = [
        replace(cell, model_is="c"),
        replace(cell, task="captioning"),
        replace(cell, data="x"),
        replace(cell, data_is="y"),
        replace(cell, run=cell.run.at(sparsity / 2)),
        replace(cell, run=replace(cell.run, seed=seed + 1)),
        replace(cell, setting=Setting(items=3)),
        replace(cell, setting=Setting(threads=2)),
        replace(cell, versions={"torch": "3"}),
        replace(cell, settings={"steps": 3}),
        replace(cell, transfer="fine-tuned"),
        replace(cell, transfer="fine-tuned", recipe={"steps": 3}),
        replace(cell, transfer="fine-tuned", seed=5),
    ]
    assert len({cell.digest, *(other.digest for other in others)}) == len(others) + 1


def test_chosen_cells(plan_of, world):
    cells = plan_of(BOTH).cells(world)
    (one,) = chosen(cells, [cells[3].digest[:8]])
    assert one == cells[3]
    assert {cell.method for cell in chosen(cells, ["method=dense,omp", "transfer=fine-tuned"])} == {"dense", "omp"}
    assert len(chosen(cells, ["sparsity=0.90", "seed=1"])) == 2 and chosen(cells, []) == cells
    with pytest.raises(ValueError, match="no cell of this sweep is method=lamp"):
        chosen(cells, ["method=lamp"])
    with pytest.raises(ValueError, match="did you mean 'method'"):
        chosen(cells, ["methods=omp"])
