"""The command line on data of one's own: shown, calibrated with, measured on, and what does not fit together."""

import json
import re

import pytest

from benchmarks.models import save
from multiflow_core import Masks, Statistics
from multiflow_core.cli import main
from multiflow_core.data import dataset

from .data.made import put, write


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return str(save("clip-b32", tmp_path_factory.mktemp("clip"), small=True))


@pytest.fixture
def photos(tmp_path):
    """24 pictures with two captions, a question and a class each, and a row that cannot be used."""
    names = [f"{i:02}.png" for i in range(24)]
    put(tmp_path / "photos", *names)
    said = [
        {"file_name": n, "captions": [f"a cat {n}", f"one cat {n}"], "class": ("cat", "owl")[i % 2]}
        for i, n in enumerate(names)
    ]
    write(tmp_path / "photos" / "captions.json", [*said, {"file_name": "gone.png", "captions": "x"}])
    return str(tmp_path / "photos")


def test_data_is_shown(photos, capsys):
    main(["data", photos])
    shown = capsys.readouterr().out
    assert "24 pictures, 48 captions, 2 classes" in shown and "captions.json, row 25: gone.png is missing" in shown
    assert shown.count("a cat") == 3 and "(train " in shown
    main(["data", photos, "--quick"])
    assert "(train " not in capsys.readouterr().out
    main(["data", "flatland"])
    assert capsys.readouterr().out.startswith("Flatland: built in")


def test_calibrating_and_pruning_on_it_agree(photos, clip, tmp_path, capsys):
    """Statistics in a file are what pruning would collect, and not what another seed, or other data, gives."""
    own = ["--calibrate-on", photos, "--pairs", "6"]
    main(["calibrate", clip, *own, "--seed", "3", "--out", str(tmp_path / "s.safetensors")])
    assert "6 pairs" in capsys.readouterr().out
    found = Statistics.load(tmp_path / "s.safetensors")
    assert found.samples == 6 and found.source == f"photos [{dataset.open(photos).fingerprint}]"

    def masks(name: str, *options: str) -> Masks:
        main(["prune", clip, "--sparsity", "0.5", "--masks", str(tmp_path / name), *options])
        return Masks.load(tmp_path / name)

    given = masks("a", "--statistics", str(tmp_path / "s.safetensors"))
    assert given == masks("b", *own, "--seed", "3") != masks("c", *own, "--seed", "4")
    assert given != masks("d", "--data", "flatland", "--pairs", "6", "--seed", "3")


def evaluate(model: str, out, *options: str) -> dict:
    main(["evaluate", model, "--methods", "multiflow", "--sparsities", "0.5", "--out", str(out), *options])
    return json.loads(out.read_text())


def test_measuring_on_it_is_told_in_the_file_and_repeats(photos, clip, tmp_path):
    held = evaluate(clip, tmp_path / "r.json", "--data", photos, "--pairs", "6")
    album = dataset.open(photos)
    assert (held["data"], held["data_path"], held["data_fingerprint"]) == (photos, photos, album.fingerprint)
    assert held["scenes"] == len(album.items("test", 99)) and held["calibration_pairs"] == 6 and held["split"] == "test"
    (run,) = held["runs"]
    assert run["data"] == photos and set(held["dense"]) >= {"retrieval", "classification"}
    assert 0 <= held["dense"]["retrieval"]["IR@1"] <= 1
    assert evaluate(clip, tmp_path / "again.json", "--data", photos, "--pairs", "6")["runs"] == held["runs"]
    fewer = evaluate(
        clip, tmp_path / "fewer.json", "--data", photos, "--items", "3", "--calibrate-on", "flatland", "--pairs", "4"
    )
    assert fewer["scenes"] == 3 and "data" not in fewer["runs"][0]


def test_the_file_counts_the_pairs_that_there_are(photos, clip, tmp_path):
    """Not those that were asked for; and a method that needs none is measured where there are none."""
    held = evaluate(clip, tmp_path / "r.json", "--data", photos, "--pairs", "500")
    assert held["calibration_pairs"] == len(dataset.open(photos).pairs(500, 0, 32)) < 24
    (tmp_path / "photos" / "copy.png").write_bytes((tmp_path / "photos" / "00.png").read_bytes())
    rows = [{"image": f"{i:02}.png", "caption": f"cat {i}", "split": "test"} for i in range(24)]
    rows += [{"image": "copy.png", "caption": "a cat", "split": "train"}]  # which is measured on, so that none is left
    write(tmp_path / "photos" / "captions.json", rows)
    assert evaluate(clip, tmp_path / "o.json", "--data", photos, "--methods", "omp")["calibration_pairs"] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--pairs", "5"], "figures with 6 calibration pairs: give those with 5 a file of their own"),
        (["--pairs", "6", "--items", "2"], r"figures with \d+ pictures: give those with 2 a file"),
        (["--pairs", "6", "--data", "flatland", "--items", "3"], "give those on flatland a file of their own"),
    ],
)
def test_figures_that_do_not_belong_together_are_kept_apart(photos, clip, tmp_path, capsys, options, said):
    evaluate(clip, tmp_path / "r.json", "--data", photos, "--pairs", "6")
    with pytest.raises(SystemExit) as stop:
        evaluate(clip, tmp_path / "r.json", "--data", photos, *options)
    told = capsys.readouterr().err
    assert stop.value.code == 2 and len(told.splitlines()) == 1
    assert re.search(said, told), told


def test_pictures_alone_are_nothing_to_measure_on(photos, clip, tmp_path, capsys):
    (tmp_path / "photos" / "captions.json").unlink()
    with pytest.raises(SystemExit):
        evaluate(clip, tmp_path / "r.json", "--data", photos)
    assert "asks nothing that" in capsys.readouterr().err and not (tmp_path / "r.json").exists()
    main(["calibrate", clip, "--calibrate-on", photos, "--pairs", "4", "--out", str(tmp_path / "s.safetensors")])
    assert "4 pairs" in capsys.readouterr().out


def test_data_that_has_changed_is_noticed(photos, clip, tmp_path, capsys):
    evaluate(clip, tmp_path / "r.json", "--data", photos, "--pairs", "6")
    put(tmp_path / "photos", "gone.png", first=99)
    (tmp_path / "photos" / "captions.json").touch()
    with pytest.raises(SystemExit):
        evaluate(clip, tmp_path / "r.json", "--data", photos, "--pairs", "6")
    assert "as it was before: give those on it as it is now a file of their own" in capsys.readouterr().err


def test_statistics_of_other_data_are_refused(photos, clip, tmp_path, capsys):
    file = str(tmp_path / "s.safetensors")
    main(["calibrate", clip, "--data", photos, "--pairs", "4", "--out", file])
    for arguments in (
        ["prune", clip, "--sparsity", "0.5", "--masks", "x"],
        ["evaluate", clip, "--out", "x", "--items", "2"],
    ):
        with pytest.raises(SystemExit) as stop:
            main([*arguments, "--statistics", file, "--calibrate-on", "flatland"])
        assert stop.value.code == 2
        assert "was collected on photos [" in (told := capsys.readouterr().err) and "not on flatland" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["data", "nowhere.csv"], "no file or folder"),
        (["data", "flatlnd"], "did you mean 'flatland'"),
        (["calibrate", "flatland-blip", "--data", "nowhere.csv", "--out", "x"], "no file or folder"),
        (
            ["prune", "flatland-blip", "--calibrate-on", "nowhere.csv", "--sparsity", "0.5", "--masks", "x"],
            "no file or folder",
        ),
        (["evaluate", "flatland-blip", "--data", "nowhere.csv"], "no file or folder"),
        (["evaluate", "flatland-blip", "--pairs", "0"], "'0' is no whole number from 1"),
        (["evaluate", "flatland-blip", "--items", "9999999999999"], "is no whole number from 1"),
    ],
)
def test_a_mistake_is_told(arguments, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2 and said in capsys.readouterr().err
