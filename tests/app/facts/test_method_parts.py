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
        "| at 75 % | Retrieval | VQA |",
        "|---|---|---|",
        "| whole | 80.0 | **70.0** |",
        "| asked: pairs | **90.0** | 50.0 |",
        "| budgets: uniform | 50.0 | 40.0 |",
        "| dense | 100.0 | 90.0 |",
        "",
        "In %. Beside the whole, each row changes one option of the method. Calibrated on 64 pairs, measured on 100 pictures.",
    ]


def test_a_task_that_one_row_lacks_is_left_out():
    assert method_parts.worth(RESULTS, "reflow", 0.95).dense == {"retrieval": 1.0}


def test_without_parts_there_is_no_table():
    alone = Results(dense=RESULTS.dense, runs=RESULTS.runs[1:3])
    assert method_parts.worth(alone, "reflow", 0.75) is None
    assert method_parts.worth(RESULTS, "omp", 0.75) is None and method_parts.worth(None, "reflow", 0.75) is None
