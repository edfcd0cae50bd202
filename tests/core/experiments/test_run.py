"""The text of a run: what is written is read again, what was written before is still read, anything else is a sentence."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiflow_core.experiments.run import OWN, SMALLER, TUNED, UNTAUGHT, Run

NAMES = st.text("abz09_-/+@. ", min_size=1, max_size=8)
VALUES = st.integers(-999, 10**9) | st.floats(-1e6, 1e6, allow_nan=False) | st.sampled_from(["auto", "x y", ""])
RUNS = st.builds(
    Run,
    model=st.lists(NAMES, min_size=1, max_size=3).map(",".join),  # folders may have commas in their names
    method=NAMES,
    sparsity=st.integers(0, 1000).map(lambda n: n / 1000),
    allocation=NAMES,
    criterion=st.just(OWN) | NAMES,
    seed=st.integers(0, 10**6),
    options=st.lists(st.tuples(st.sampled_from(["steps", "kappa", "mode"]), VALUES), max_size=3).map(tuple),
    data=st.just("") | st.text("abz09_-/+@. ,%2C25=", min_size=1, max_size=12),  # a path may be anything
    fixed=st.just("") | st.text("ab1 .*?=,%2C25", min_size=1, max_size=12),
)


@given(RUNS)
def test_what_is_written_is_read_again(run):
    again = Run.read(str(run))
    assert again == run and hash(again) == hash(run)
    assert [type(value) for _, value in again.options] == [type(value) for _, value in run.options]


@given(RUNS, RUNS)
def test_different_runs_are_written_differently(a, b):
    assert a == b or str(a) != str(b)


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("flatland-blip,omp,own,0.63", Run("flatland-blip", "omp", 0.63)),
        ("flatland-blip,multiflow,global,0.5", Run("flatland-blip", "multiflow", 0.5, "global")),
        ("flatland-xvlm,random,own,0", Run("flatland-xvlm", "random")),
        ("flatland-xvlm,random,own,1", Run("flatland-xvlm", "random", 1.0)),
        ("/data/clip, small,lamp,uniform,0.9", Run("/data/clip, small", "lamp", 0.9, "uniform")),
        ("seed=1,omp,own,0.5", Run("seed=1", "omp", 0.5)),  # a folder may be called anything
    ],
)
def test_the_four_parts_of_old_links_are_read_and_written_as_they_were(text, run):
    assert Run.read(text) == run and str(run) == text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "model,method,allocation,sparsity"),
        ("omp,own,0.5", "model,method,allocation,sparsity"),
        (",omp,own,0.5", "model,method,allocation,sparsity"),
        ("seed=1", "model,method,allocation,sparsity"),
        ("seed=1,data=x", "model,method,allocation,sparsity"),
        ("m,omp,own,1.01", "between 0 and 1"),
        ("m,omp,own,-0.1", "between 0 and 1"),
        ("m,omp,own,nan", "between 0 and 1"),
        ("m,omp,own,", "between 0 and 1"),
        ("m,omp,own,0.5,colour=red", "between 0 and 1"),
        ("m,omp,own,0.5,seed=1.5", "whole number"),
        ("m,omp,own,0.5,seed=inf", "whole number"),
        ("m,omp,own,0.5,seed=" + "9" * 400, "whole number"),
        ("m,omp,own,0.5,seed=" + "9" * 9000, "whole number"),
    ],
)
def test_what_is_no_run_is_one_sentence(text, part):
    with pytest.raises(ValueError, match=part) as problem:
        Run.read(text)
    assert "\n" not in str(problem.value)


@given(st.text("seed=data,options:;criterion0.5nan-1e9 m", max_size=60))
def test_any_text_is_a_run_or_a_value_error(text):
    try:
        run = Run.read(text)
    except ValueError:
        return
    assert run.model and 0 <= run.sparsity <= 1


@given(RUNS, st.floats(0, 1))
def test_an_order_is_the_run_without_its_sparsity(run, sparsity):
    assert run.order.sparsity == 0 and run.at(sparsity).order == run.order == run.order.order
    assert run.order.at(run.sparsity) == run and run.at(sparsity).sparsity == sparsity


def test_all_but_the_sparsity_makes_another_order():
    run = Run("m", "omp", 0.5)
    others = {
        "model": "n",
        "method": "l2",
        "allocation": "global",
        "criterion": "flow",
        "seed": 1,
        "options": (("a", 1),),
        "data": "d",
        "fixed": "text=dense",
    }
    assert {field.name for field in fields(Run)} == {*others, "sparsity", "form"}
    made = {
        Run(**{"model": "m", "method": "omp", "sparsity": 0.5, name: value}).order for name, value in others.items()
    }
    assert len(made) == len(others) and run.order not in made


def test_what_came_after_pruning_makes_no_other_order_but_masks_from_elsewhere_do():
    run = Run("m", "omp", 0.5, data="paperland")
    assert replace(run, form=SMALLER).order == run.order
    assert (
        replace(run, form=TUNED).order == replace(run, form=UNTAUGHT).order == Run("m", "omp")
    )  # calibrated on the default
    elsewhere = Run("m", "", 0.5, form="masks-0123456789abcdef")
    assert (
        elsewhere.given
        and elsewhere.order == replace(elsewhere, sparsity=0.0)
        and Run.read(str(elsewhere)) == elsewhere
    )
    assert replace(run, form=TUNED).unpruned == Run("m", "", data="paperland", form=TUNED)
    with pytest.raises(ValueError, match="a run has one of these forms"):
        Run.read("m,omp,own,0.5,form=../../etc")


def test_the_dense_model_is_a_run_of_no_method():
    assert Run.dense("m") == Run("m", "") and not Run.dense("m").method


def test_blends_are_called_by_criterion_and_allocation():
    assert Run("", "omp", allocation="global").name == "omp"
    assert Run("", "multiflow", criterion="flow", allocation="global").name == "flow x global"


def test_what_is_fixed_is_no_method_by_itself():
    run = Run("", "omp", 0.5, fixed="text=dense")
    assert run.name == "omp, text=dense" and not run.plain and Run("", "omp", 0.5).plain
