"""Result files: read and written alike, old and new, whole or refused in a sentence; and what is looked up in them."""

import copy
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.experiments.results import Measured, Results, mean
from multiflow_core.experiments.run import Run
from multiflow_core.experiments.sweep import result_file
from multiflow_core.models.vlm import BUILT_IN

SHIPPED = [result_file(name) for name in BUILT_IN]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_files_are_written_as_they_were_read(file, tmp_path):
    results = Results.load(file)
    assert results.save(tmp_path / "again.json").read_bytes() == file.read_bytes()
    assert len(results.runs) > 50 and results.dense and results.overlaps and results.costs
    assert results.head["model"] == file.stem


NAMES = st.sampled_from(["omp", "l2", "multiflow"])
SHARES = st.integers(0, 100).map(lambda n: n / 100)
SCORES = st.dictionaries(
    st.sampled_from(["retrieval", "vqa"]), st.dictionaries(st.sampled_from(["IR@1", "all"]), SHARES)
)
BOUNDS = st.dictionaries(
    st.sampled_from(["retrieval", "vqa"]),
    st.dictionaries(st.sampled_from(["IR@1", "all"]), st.tuples(SHARES, SHARES)),
)
BLENDS = st.sampled_from([("own", "own"), ("flow", "global"), ("magnitude", "uniform")])
MEASURED = st.builds(
    lambda method, sparsity, blend, seed, options, data, **more: Measured(
        Run("", method, sparsity, blend[1], blend[0], seed, options, data), **more
    ),
    method=NAMES,
    sparsity=SHARES,
    blend=BLENDS,
    seed=st.integers(0, 3),
    data=st.sampled_from(["", "mine"]),
    options=st.sampled_from([(), (("steps", 3),), (("kappa", 0.5), ("mode", "fast"))]),
    scores=SCORES,
    modalities=st.dictionaries(st.sampled_from(["vision", "text"]), SHARES),
    achieved=st.none() | SHARES,
    intervals=BOUNDS,
)
SQUARES = st.builds(
    lambda sparsity, methods: {"sparsity": sparsity, "methods": methods, "iou": [[1.0] * len(methods)] * len(methods)},
    SHARES,
    st.lists(NAMES, unique=True),
)
COSTS = st.fixed_dictionaries({"method": NAMES, "seconds": SHARES, "memory": st.none() | st.integers(0, 10**12)})
RESULTS = st.builds(
    Results,
    dense=SCORES,
    dense_intervals=BOUNDS,
    runs=st.lists(MEASURED, max_size=4).map(tuple),
    overlaps=st.lists(SQUARES, max_size=2).map(tuple),
    costs=st.lists(COSTS, max_size=2).map(tuple),
    head=st.fixed_dictionaries({"model": st.text(max_size=5), "scenes": st.integers(0, 1000)}),
)


@given(results=RESULTS)
@settings(deadline=None)
def test_what_is_saved_is_loaded(tmp_path_factory, results):
    file = tmp_path_factory.getbasetemp() / "results.json"
    assert Results.load(results.save(file)) == results


def test_a_file_from_before_options_seeds_and_data_were_kept(tmp_path):
    held = {
        "model": "flatland-blip",
        "dense": {"retrieval": {"IR@1": 0.9}},
        "runs": [
            {"method": "omp", "sparsity": 0.5, "scores": {"retrieval": {"IR@1": 0.4}}},
            {"method": "multiflow", "sparsity": 0.5, "criterion": "flow", "allocation": "global", "scores": {}},
        ],
    }
    file = tmp_path / "old.json"
    file.write_text(json.dumps(held))
    results = Results.load(file)
    assert [m.run for m in results.runs] == [Run("", "omp", 0.5), Run("", "multiflow", 0.5, "global", "flow")]
    assert results.find(Run("flatland-blip", "omp", 0.5)).scores == {"retrieval": {"IR@1": 0.4}}
    assert (results.runs[0].achieved, results.runs[0].options, results.runs[0].modalities) == (None, {}, {})
    assert (results.overlaps, results.costs, results.head) == ((), (), {"model": "flatland-blip"})
    assert results.figure("omp", "retrieval", 0.5) == 0.4 and results.figure("omp", "captioning", 0.5) is None
    assert Results.load(results.save(file)) == results
    file.write_text('{"runs": []}')
    assert Results.load(file) == Results()


# --- what is no result file -----------------------------------------------------------------------------------------

GOOD = {
    "dense": {"retrieval": {"IR@1": 0.9}},
    "dense_intervals": {"retrieval": {"IR@1": [0.8, 0.95]}},
    "runs": [
        {
            "method": "omp",
            "sparsity": 0.5,
            "seed": 0,
            "criterion": None,
            "allocation": None,
            "options": {"steps": 2},
            "achieved": 0.5,
            "modalities": {"vision": 0.5},
            "scores": {"retrieval": {"IR@1": 0.5}},
            "intervals": {"retrieval": {"IR@1": [0.4, 0.6]}},
        }
    ],
    "overlap": [{"sparsity": 0.5, "methods": ["omp", "l2"], "iou": [[1.0, 0.5], [0.5, 1.0]]}],
    "costs": [{"method": "omp", "seconds": 1.0}],
}


def refused(file) -> None:
    with pytest.raises(ValueError, match="is no result file") as problem:
        Results.load(file)
    assert file.name in str(problem.value) and "\n" not in str(problem.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'"runs"',
        b"null",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"runs": 3}',
        b'{"runs": [3]}',
        b'{"runs": ["omp"]}',
        b'{"runs": [{"method": "omp"}]}',
        b'{"runs": [{"sparsity": 0.5, "scores": {}}]}',
        b'{"runs": [], "dense": [1]}',
        b'{"runs": [], "dense": {"a": 1}}',
        b'{"runs": [], "costs": [{}]}',
        b'{"runs": [], "dense_intervals": {"retrieval": {"IR@1": 0.5}}}',
        b'{"runs": [], "dense_intervals": {"retrieval": {"IR@1": [0.1, 0.2, 0.3]}}}',
        b'{"runs": [], "dense_intervals": {"retrieval": {"IR@1": [0.1, NaN]}}}',
        b'{"runs": [], "dense": {"retrieval": {"IR@1": NaN}}}',
        b'{"runs": [], "costs": [{"method": "omp", "seconds": "inf"}]}',
        b'{"runs": [], "overlap": [{"sparsity": 0.5, "methods": ["a"], "iou": []}]}',
        b'{"runs": [{"method": "omp", "sparsity": 0.5, "seed": Infinity, "scores": {}}]}',
        b'{"runs": [{"method": "omp", "sparsity": 1' + b"0" * 400 + b', "scores": {}}]}',
        b'{"runs": [{"method": "omp", "sparsity": NaN, "scores": {}}]}',
        b'{"runs": [{"method": "omp", "sparsity": 63, "scores": {}}]}',
    ],
    ids=lambda content: content[:70].decode("latin-1"),
)
def test_what_is_no_result_file_is_one_sentence(content, tmp_path):
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    refused(file)


def places(value, path=()):
    """Every place in nested lists and dictionaries."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


@given(
    place=st.sampled_from(list(places(GOOD))),
    junk=st.sampled_from(
        [None, True, "x", "", 3, -1.5, 10**400, math.inf, math.nan, [], [1], ["x"], {}, {"x": 1}, {"x": "y"}]
    ),
)
@settings(deadline=None)
def test_whatever_stands_in_a_file_it_is_read_or_refused(tmp_path_factory, place, junk):
    held = copy.deepcopy(GOOD)
    inner = held
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = junk
    file = tmp_path_factory.getbasetemp() / "junk.json"
    file.write_text(json.dumps(held))
    try:
        results = Results.load(file)
    except ValueError:
        return refused(file)
    results.nearest(None, 0.3), results.seconds("omp"), results.figure("omp", "retrieval", 0.5)
    results.interval("omp", "retrieval", 0.5), results.interval("omp", "retrieval", 0.0), results.unit("retrieval")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="none.json"):
        Results.load(tmp_path / "none.json")


# --- what is looked up ----------------------------------------------------------------------------------------------


def run(method, sparsity, recall=None, seed=0, blend=("own", "own")):
    scores = {} if recall is None else {"retrieval": {"IR@1": recall, "TR@1": 0.0}}
    return Measured(Run("", method, sparsity, *reversed(blend), seed=seed), scores)


HELD = Results(
    dense={"retrieval": {"IR@1": 0.9}},
    runs=(
        run("omp", 0.75, 0.2),
        run("omp", 0.5, 0.6),
        run("omp", 0.5, 0.8, seed=1),
        run("l2", 0.63),
        run("multiflow", 0.3, 0.1, blend=("flow", "global")),
    ),
    costs=({"method": "omp", "seconds": 2}, {"method": "omp", "seconds": 3}),
)


def test_names_methods_and_sparsities():
    assert HELD.methods == ("omp", "l2") and HELD.names == ("omp", "l2", "flow x global")
    assert HELD.sparsities() == (0.5, 0.63, 0.75)
    assert HELD.sparsities("omp") == (0.5, 0.75) and HELD.sparsities("flow x global") == (0.3,)


def test_figures_are_means_over_seeds_and_begin_with_the_dense_model():
    assert HELD.figure("omp", "retrieval", 0.5) == pytest.approx(0.7)
    assert HELD.figure("omp", "retrieval", 0.0) == HELD.dense_figure("retrieval") == 0.9
    assert HELD.figure("omp", "retrieval", 0.6) is HELD.figure("l2", "retrieval", 0.63) is None
    assert HELD.figure("omp", "vqa", 0.0) is None
    assert HELD.curve("omp", "retrieval") == ((0.5, pytest.approx(0.7)), (0.75, 0.2)) and HELD.curve("l2", "vqa") == ()
    assert [m.run.seed for m in HELD.of("omp", 0.5)] == [0, 1]


@pytest.mark.parametrize(
    ("name", "sparsity", "nearest"),
    [
        ("omp", 0.6, 0.5),
        ("omp", 0.64, 0.75),
        ("omp", 0.2, 0.0),
        ("omp", 0.26, 0.5),
        (None, 0.6, 0.63),
        ("x", 0.6, None),
    ],
)
def test_the_nearest_measured_sparsity(name, sparsity, nearest):
    assert HELD.nearest(name, sparsity) == nearest


def test_runs_are_found_whatever_their_model_is_called():
    assert HELD.find(Run("anything", "omp", 0.5, seed=1)) is HELD.runs[2]
    assert HELD.find(Run("anything", "omp", 0.5, seed=2)) is None
    assert HELD.find(Run("", "multiflow", 0.3)) is None


def test_costs_and_means():
    assert HELD.seconds("omp") == 2.0 and HELD.seconds("l2") is None
    assert mean([0.2, None, 0.4]) == pytest.approx(0.3) and mean([None]) is mean([]) is None


def test_intervals_span_those_of_all_seeds_and_older_files_have_none():
    between = [{"retrieval": {"IR@1": bounds}} for bounds in ((0.5, 0.7), (0.6, 0.9))]
    sure = replace(
        HELD,
        dense_intervals={"retrieval": {"IR@1": (0.85, 0.95)}},
        runs=tuple(
            replace(m, intervals=between[m.run.seed]) if m.run.name == "omp" and m.run.sparsity == 0.5 else m
            for m in HELD.runs
        ),
    )
    assert sure.interval("omp", "retrieval", 0.5) == (0.5, 0.9)
    assert sure.interval("omp", "retrieval", 0.0) == (0.85, 0.95)
    assert sure.interval("omp", "retrieval", 0.75) is sure.interval("omp", "vqa", 0.5) is None
    assert HELD.interval("omp", "retrieval", 0.5) is HELD.interval("omp", "retrieval", 0.0) is None


def test_the_headline_of_captions_that_nobody_could_judge_is_cider():
    judged, compared = {"captioning": {"true": 0.9, "CIDEr-D": 1.2}}, {"captioning": {"BLEU-4": 0.3, "CIDEr-D": 1.2}}
    runs = (
        Measured(Run("", "omp", 0.5), compared, intervals={"captioning": {"CIDEr-D": (1.1, 1.3), "BLEU-4": (0, 1)}}),
    )
    held = Results(dense=compared, runs=runs)
    assert held.dense_figure("captioning") == held.figure("omp", "captioning", 0.5) == 1.2
    assert held.interval("omp", "captioning", 0.5) == (1.1, 1.3) and held.unit("captioning") == "CIDEr-D"
    assert Results(dense=judged).dense_figure("captioning") == 0.9
    assert Results(dense=judged).unit("captioning") == Results().unit("captioning") == "true captions"


def test_a_run_with_fixed_layers_is_kept_beside_the_methods(tmp_path):
    runs = [Run("", "omp", 0.5), Run("", "omp", 0.5, fixed="text=dense,vision 3=0.5")]
    held = Results(runs=tuple(Measured(run, {"retrieval": {"IR@1": 0.1 * i}}) for i, run in enumerate(runs, 1)))
    again = Results.load(held.save(tmp_path / "r.json"))
    assert [measured.run for measured in again.runs] == runs and again.methods == ("omp",)
    assert again.figure("omp", "retrieval", 0.5) == 0.1
    assert again.figure("omp, text=dense,vision 3=0.5", "retrieval", 0.5) == 0.2
