"""What holds for every command: examples that can be typed, and results that another program can read."""

import json
import shlex

import pytest

import multiflow_core as mf
from multiflow_core.cli import main, parser
from multiflow_core.commands.command import COMMANDS, commands
from multiflow_core.data.dataset import DATA_SETS
from multiflow_core.experiments import benchmark
from multiflow_core.experiments.results import Results
from multiflow_core.models.format import FORMATS
from multiflow_core.models.layout import left_dense
from multiflow_core.models.vlm import load
from multiflow_core.pruning.method import methods
from tests.core.data.made import put

WITH_JSON = ("models", "methods", "formats", "layers", "data", "evaluate", "explain", "export", "report", "slim")


def said(capsys, *arguments):
    main([*map(str, arguments), "--json"])
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", [command.name for command in commands()])
def test_examples_are_shown_and_can_be_typed(name, capsys):
    examples = COMMANDS.get(name).examples
    assert examples
    with pytest.raises(SystemExit):
        main([name, "--help"])
    shown = capsys.readouterr().out
    for example in examples:
        assert example in shown
        start = "python -m multiflow_core "
        assert example.startswith(f"{start}{name}")
        assert parser().parse_args(shlex.split(example.removeprefix(start))).command == name


@pytest.mark.parametrize("name", WITH_JSON)
def test_what_prints_a_table_prints_json(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert "--json" in capsys.readouterr().out


def test_methods_as_json(capsys):
    found = said(capsys, "methods")
    assert [one["name"] for one in found] == [method.name for method in methods()]
    flow = next(one for one in found if one["name"] == "multiflow")
    assert (flow["criterion"], flow["allocation"], flow["needs"]) == ("flow", "multimodal", ["statistics"])
    for one, method in zip(found, methods()):
        assert {name: held["about"] for name, held in one["options"].items()} == {
            name: option.doc for name, option in method.options.items()
        }


def test_formats_as_json(capsys):
    assert [(one["name"], one["opens"]) for one in said(capsys, "formats")] == [
        (k.name, k.opens) for k in FORMATS.all()
    ]


def test_layers_as_json(capsys):
    found, vlm = said(capsys, "layers", "flatland-xvlm"), load("flatland-xvlm")
    assert [one["name"] for one in found["layers"]] == [layer.name for layer in vlm.layers]
    assert all(rows * columns == one["size"] for one in found["layers"] for rows, columns in [one["shape"]])
    assert found["prunable"] == sum(one["size"] for one in found["layers"])
    assert found["left_dense"] == left_dense(vlm.model)


def test_models_as_json_and_as_a_table(capsys):
    found = {one["name"]: one for one in said(capsys, "models")}
    assert found["flatland-xvlm"]["tasks"] == ["retrieval", "queries", "classification"]
    assert {"captioning", "vqa"} < set(found["flatland-blip"]["tasks"])
    for one in found.values():
        assert one["prunable"] == sum(layer.size for layer in load(one["name"]).layers)
    main(["models"])
    shown = capsys.readouterr().out
    for name, one in found.items():
        assert f"{name} " in shown and f"{one['prunable']:,} prunable weights; can do retrieval" in shown


def test_data_as_json(tmp_path, capsys):
    put(tmp_path / "own", "a.png", "b.png")
    (tmp_path / "own" / "captions.csv").write_text("image,caption\na.png,a cat\nb.png,a dog\nc.png,a cow\n")
    found = said(capsys, "data", tmp_path / "own")
    assert (found["pictures"], found["captions"], found["bad"], sum(found["halves"].values())) == (2, 2, 1, 2)
    assert "c.png" in found["cannot_be_used"][0]["reason"]
    assert {tuple(one["captions"]) for one in found["examples"]} <= {("a cat",), ("a dog",)}
    assert said(capsys, "data", "flatland")["title"] == DATA_SETS.get("flatland").title


LAYER = "vision_model.encoder.layers.0.self_attn.qkv.weight"


@pytest.mark.parametrize("sparsity", ["0", "0.4"])
def test_explain_as_json_says_what_the_mask_says(sparsity, vlm, capsys):
    """At 0 nothing is below the threshold, which JSON has no number for."""
    found = said(capsys, "explain", "flatland-blip", LAYER, 12, 4, "--method", "omp", "--sparsity", sparsity)
    order = mf.rank(vlm.model, "omp")
    assert found["kept"] == bool(order.masks(float(sparsity))[LAYER][12, 4])
    assert found["critical"] == float(order.critical_sparsity(LAYER)[12, 4])
    assert (found["threshold"] is None) == (sparsity == "0") and found["weight"] == float(
        vlm.model.get_parameter(LAYER).detach()[12, 4]
    )


def test_evaluate_as_json_holds_the_runs_that_were_asked_for(tmp_path, monkeypatch, capsys):
    """Rows go where progress goes; the file keeps what was measured before, and what is printed is a result file, too."""
    exam = benchmark.full_exam("test", 4)
    monkeypatch.setattr(benchmark, "short_exam", lambda data: exam)
    out = tmp_path / "r.json"
    asked = ["evaluate", "flatland-xvlm", "--methods", "omp", "--tasks", "retrieval", "--out", str(out), "--sparsities"]
    main([*asked, "0.9"])
    assert "omp" in capsys.readouterr().out
    main([*asked, "0.5", "--json"])
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["file"] == str(out) and [run["sparsity"] for run in found["runs"]] == [0.5] and "omp" in told.err
    (tmp_path / "told.json").write_text(told.out)
    held, printed = Results.load(out), Results.load(tmp_path / "told.json")
    assert held.runs[1] == printed.runs[0] and len(held.runs) == 2 and held.dense == printed.dense


def test_a_mistake_prints_no_json(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["layers", "nowhere/at all", "--json"])
    told = capsys.readouterr()
    assert stop.value.code == 2 and told.out == "" and len(told.err.splitlines()) == 1
