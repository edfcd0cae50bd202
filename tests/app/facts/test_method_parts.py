"""What each part of a method is worth, by hand."""

from app.facts import method_parts
from multiflow_core.experiments.results import Measured, Results
from multiflow_core.experiments.run import Run
from tests.app.conftest import scores


def measured(sparsity, *options, **figures):
    return Measured(Run("", "reflow", sparsity, options=options), scores(**figures))


RESULTS = Results(
    head={"calibration_pairs": 64, "scenes": 100},
    dense=scores(retrieval=1.0, vqa=0.9),
    runs=(
        measured(0.75, ("budgets", "uniform"), retrieval=0.5, vqa=0.4),
        measured(0.75, retrieval=0.8, vqa=0.7),
        measured(0.9, retrieval=0.2),
        measured(0.75, ("asked", "pairs"), retrieval=0.9, vqa=0.5),
    ),
)


def test_rows_are_sorted_by_what_is_left_and_the_best_of_a_column_is_bold():
    worth = method_parts.worth(RESULTS, "reflow", 0.7)
    assert worth.at == 0.75
    assert worth.table.splitlines() == [
        "| taken out, at 75 % | Retrieval | VQA |",
        "|---|---|---|",
        "| nothing, it is whole | 0.800 | **0.700** |",
        "| what the model is calibrated on: pairs, not pairs and questions | **0.900** | 0.500 |",
        "| how many go in each layer: uniform, not multimodal | 0.500 | 0.400 |",
        "| dense model | 1.000 | 0.900 |",
        "",
        "Calibrated on 64 pairs, measured on 100 pictures.",
    ]


def test_a_task_that_one_row_lacks_is_left_out():
    assert method_parts.worth(RESULTS, "reflow", 0.95).dense == {"retrieval": 1.0}


def test_without_parts_there_is_no_table():
    alone = Results(dense=RESULTS.dense, runs=RESULTS.runs[1:3])
    assert method_parts.worth(alone, "reflow", 0.75) is None
    assert method_parts.worth(RESULTS, "omp", 0.75) is None and method_parts.worth(None, "reflow", 0.75) is None
