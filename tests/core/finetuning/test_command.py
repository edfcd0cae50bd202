"""The command that prunes, teaches and measures."""

import json
import re

import pytest

from multiflow_core import cli, load
from multiflow_core.finetuning import differences

SHORT = ["--steps", "1", "--batch", "2", "--pictures", "4", "--checked", "2", "--items", "4", "--precision", "float32"]


def test_it_prunes_teaches_measures_and_writes(tmp_path, capsys):
    asked = ["finetune", "flatland-blip", "--task", "captioning", "--method", "omp", "--sparsity", "0.75", *SHORT]
    out, figures = tmp_path / "out", tmp_path / "figures.json"
    places = {"out": out, "figures": figures, "work": tmp_path / "work", "differences": tmp_path / "learnt"}
    cli.main([*asked, *(part for name, place in places.items() for part in (f"--{name}", str(place)))])
    said = capsys.readouterr().out
    assert "5,529,600 weights held at zero, float32" in said and "before  true" in said and "after   true" in said
    held = json.loads(figures.read_text())
    assert [step for step, _ in held["curve"]] == [0, 1] and held["recipe"]["batch"] == 2
    assert (held["model"], held["data"], held["method"], held["locked"]) == (
        "flatland-blip",
        "paperland",
        "omp",
        5529600,
    )
    assert held["before"].keys() == held["after"].keys() >= {"true", "CIDEr-D"}
    assert load(out).zero_share() == pytest.approx(0.75, abs=1e-4)
    assert (tmp_path / "work" / "state.pt").is_file()
    told = differences.about(tmp_path / "learnt" / "captioning.safetensors")
    assert (told["method"], told["sparsity"], told["seed"], told["recipe"]["steps"]) == ("omp", 0.75, 0, 1)
    again = differences.read(tmp_path / "learnt", "captioning", load("flatland-blip"))
    assert again.zero_share() == load(out).zero_share()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--task", "vqa", "--method", "omp", "--masks", "m"], "give --method or --masks, not both"),
        (["--task", "juggling"], "no task is called 'juggling'"),
        (["--task", "queries"], r"cannot be trained for queries: it learns retrieval and captioning and vqa\."),
        (["--task", "vqa", "--precision", "int8"], "unknown precision 'int8'"),
        (["--task", "vqa", "--data", "nowhere"], "no data set is called 'nowhere'"),
    ],
)
def test_mistakes_are_told_in_one_sentence(more, why, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["finetune", "flatland-blip", *more])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said.count("\n") == 1
    assert re.search(why, said)
