"""Take away and Choose for me, as a session sees them."""

import io
import json
import shlex
import zipfile

import pytest

from app import state
from app.engine import runs, taking
from app.parts import measure_panel
from multiflow_core import Masks, Statistics
from multiflow_core.cli import main
from multiflow_core.experiments.run import Run
from multiflow_core.weights.packed_file import masks_of
from tests.app.conftest import texts

KEY = Run("flatland-blip", "omp", 0.63)


def test_what_there_is_depends_on_the_method(open_page):
    assert "Statistics" in texts(open_page("take_away")) and "Statistics" not in texts(
        open_page("take_away", method="omp")
    )


def test_files_of_a_page_are_those_of_the_run(tmp_path):
    masks = runs.masks(KEY)
    (tmp_path / "m.safetensors").write_bytes(taking.file(KEY, "masks"))
    assert Masks.load(tmp_path / "m.safetensors") == masks
    with zipfile.ZipFile(io.BytesIO(taking.file(KEY, "packed"))) as held:
        held.extractall(tmp_path)
    assert masks_of(tmp_path / "packed") == masks
    held = json.loads((tmp_path / "packed" / "manifest.json").read_text())
    assert (held["model"], held["method"], held["sparsity"], held["pruned"]) == (
        "flatland-blip",
        "omp",
        0.63,
        masks.pruned,
    )


@pytest.mark.parametrize("method", ["omp", "multiflow"])
def test_the_command_of_the_page_makes_the_same_masks(open_page, tmp_path, method):
    at = open_page("take_away", method=method, sparsity="0.75")
    (said,) = (block.value for block in at.code if block.value.startswith("python -m"))
    arguments = shlex.split(said.replace("FOLDER", str(tmp_path / "run")))[3:]
    main([*arguments, "--what", "masks"])
    masks = runs.masks(Run("flatland-blip", method, 0.75))
    assert Masks.load(tmp_path / "run" / "masks.safetensors") == masks
    known = {}
    exec(next(block.value for block in at.code if block.value.startswith("import")), known)
    assert known["masks"] == masks


def test_statistics_of_a_page_are_those_it_ranked_with(tmp_path):
    key = Run("flatland-blip", "multiflow", 0.5)
    (tmp_path / "s.safetensors").write_bytes(taking.file(key, "statistics"))
    assert Statistics.load(tmp_path / "s.safetensors").samples == runs.statistics("flatland-blip", "").samples


def test_a_choice_becomes_the_sidebars(open_page):
    at = open_page("choose", method="random", sparsity="0.1")
    at.slider(key=state.WISH_KEEP.name).set_value(60).run()
    found = texts(at)
    at.button(key="take_choice").click().run()
    assert not at.exception and at.session_state[state.METHOD.name] != "random"
    chosen = runs.method(at.session_state[state.METHOD.name]).title
    assert f"{chosen} at {round(100 * at.session_state[state.SPARSITY.name])} %: every task keeps" in found.replace(
        "\u00a0", " "
    )


def test_without_figures_it_says_so_and_offers_to_measure(open_page, assets, monkeypatch):
    (assets / "results" / "flatland-blip.json").unlink()
    at = open_page("choose")
    assert not at.exception and "Nothing has been measured" in texts(at)
    assert "measure_start" not in [button.key for button in at.button], "what is shipped has a command of its own"
    monkeypatch.setattr(measure_panel, "possible", lambda settings: True)
    assert at.run().button(key="measure_start").label == "Measure"


def test_what_lies_between_two_measured_sparsities_can_be_measured_by_a_command(open_page, assets):
    at = open_page("choose")
    assert "was next measured at" in texts(at)
    said = [code.value for code in at.code if "evaluate flatland-blip" in code.value]
    assert said == ["python -m multiflow_core evaluate flatland-blip --methods multiflow --sparsities 0.46"]
