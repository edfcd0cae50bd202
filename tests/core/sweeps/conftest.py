"""A checkpoint so small that its cells take a moment, a sweep over it, and cells that need no model at all."""

from pathlib import Path

import pytest

from multiflow_core.experiments.run import Run
from multiflow_core.models.format import FORMATS
from multiflow_core.models.vlm import VLM
from multiflow_core.sweeps.cell import Cell
from multiflow_core.sweeps.plan import Known, Model, read
from multiflow_core.weights.masks import Masks

SWEEP = """
title = "Tiny"
models = ["{model}"]
methods = ["omp", "random"]
sparsities = [0.5, 0.75]
tasks = ["retrieval", "vqa"]
pairs = 8
exam = {{items = 12, captioned = 2, asked = 3}}
"""


@pytest.fixture
def checkpoint(parts, vlm, tmp_path) -> Path:
    """A BLIP of two narrow layers as a folder."""
    tiny = VLM("tiny", parts, vlm.processor, vlm.family, vlm.folder)
    return FORMATS.get("plain").write(tiny, Masks({}), tmp_path / "tiny", None)


@pytest.fixture
def sweep_file(checkpoint, tmp_path) -> Path:
    file = tmp_path / "tiny.toml"
    file.write_text(SWEEP.format(model=checkpoint))
    return file


@pytest.fixture
def world() -> Known:
    """A world in which every model does everything, and nothing has to be opened."""
    all_tasks = ("retrieval", "captioning", "vqa")
    return Known(lambda name: Model(f"digits of {name}", all_tasks, all_tasks))


@pytest.fixture
def cells() -> list[Cell]:
    return [Cell("m", Run("", "omp", s / 20), "vqa") for s in range(1, 13)]


@pytest.fixture
def plan_of(tmp_path):
    """plan_of(text) -> the plan of a sweep file with this text."""

    def made(text: str):
        file = tmp_path / "some.toml"
        file.write_text(text)
        return read(file)

    return made
