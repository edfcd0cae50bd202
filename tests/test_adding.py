"""A newcomer's routes: how many files it takes to add something, and that it is then listed, tested and offered.

Everything is added to a copy of the project, and the copy is asked, in two processes.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
METHOD = """
from .. import criteria
from ..method import Method, register

criteria.register(criteria.Criterion("toy quartic", "Quartic", "w^4", lambda weight, context: weight.double() ** 4))
register(Method("toy-pruner", "Toy pruner", "a test", "w_ij^4", "Like magnitude. But slower.", "toy quartic", "global"))
"""
EVIDENCE = """
from ..models.layout import prunable_layers
from .evidence import Evidence, register


class ToyEvidence:
    def __init__(self, batches):
        self.batches = len(list(batches))


register(
    Evidence(
        "toy-evidence", "toy evidence", "how many batches there are", "batches=batches", ToyEvidence,
        lambda model, layers, data: ToyEvidence(data.batches), lambda value, layer: value.batches,
    )
)
"""
ITS_METHOD = """
from .. import criteria
from ..method import Method, register

needs = frozenset({"toy-evidence"})
criteria.register(
    criteria.Criterion("toy count", "Count", "n |w|", lambda w, context: w.abs() * context.evidence["toy-evidence"], needs)
)
register(Method("toy-counter", "Toy counter", "a test", "n |w_ij|", "Counts. And cuts.", "toy count", "global", needs))
"""
TASK = """
from .task import Task, register

register(
    Task(
        name="toy", title="Toy task", figure="found", unit="toys found", lacks="no toys", can=lambda vlm: True,
        predict=lambda vlm, exam: len(exam.items), score=lambda found, exam: {"found": found / len(exam.items)},
        told={"found": "toys"}, carded={"found": "toys found"}, counts={"toys": lambda exam: len(exam.items)},
    )
)
"""
PAGE = """
import streamlit as st

from app.engine import runs
from app.parts import ui


def show(settings):
    st.title("Toy: what does each model find?")
    if ui.able(runs.vlm(settings.model), "toy"):
        st.write("A toy was found. " * 20)


ui.page(show)
"""
DATA = """
from PIL import Image

from .dataset import DataSet, Exam, register

COLORS = ("red", "green", "blue", "black", "white", "gray")


class Toys(DataSet):
    name, title = "toy-data", "Toys"

    def items(self, split, count):
        return [f"{split} {number}" for number in range(count)]

    def pictures(self, items, side):
        return [Image.new("RGB", (side, side), COLORS[len(item) % len(COLORS)]) for item in items]

    def pairs(self, count, seed, side):
        items = [f"train {seed * count + number}" for number in range(count)]
        return list(zip(self.pictures(items, side), items))

    def exam(self, split, items, captioned, asked, seed=0):
        return Exam(self, split, self.items(split, items), self.items(split, items))


register(Toys())
"""
LAYOUT = """
from ..reader import Reader, Row, Source, register


def rows(path):
    for number, line in enumerate(path.read_text().splitlines()):
        yield Row(line, Source(str(path), number, len(line)), line, ("a " + line,))


def read(source):
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (8 + source.start, 8), "red").save(file, "PNG")
    return file.getvalue()


register(Reader("toy-layout", "pictures that a line each speaks of", 1, lambda path: path.suffix == ".toys", rows, read))
"""
FAMILY = """
from pathlib import Path

from transformers import CLIPConfig, CLIPModel

from . import register
from .clip import Clip
from .processor import load_processor

BLIP = Path(__file__).parents[2] / "assets" / "flatland-blip"


class ToyModel(CLIPModel):
    pass


class Toy(Clip):
    name = "toy-family"
    architectures = ("ToyModel",)

    def model_class(self, architectures):
        return ToyModel

    def example(self, small):
        processor = load_processor(BLIP)
        small = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, initializer_range=0.05)
        words = dict(vocab_size=len(processor.tokenizer), eos_token_id=processor.tokenizer.sep_token_id)
        text = small | words | dict(max_position_embeddings=32)
        config = CLIPConfig(text_config=text, vision_config=small | dict(image_size=96), projection_dim=16)
        return ToyModel(config), processor


register(Toy())
"""
FORMAT = """
import json

from ..format import Format, register


def write(vlm, masks, folder, dtype):
    folder.mkdir()
    (folder / "toy.json").write_text(json.dumps(masks.layer_sparsity()))
    return folder


register(Format("toy-format", "how sparse every layer is, as JSON", write, opens=False))
"""
ROUTES = {  # what is added -> {file: what it holds}
    "a pruner": {"multiflow_core/pruning/methods/toy_pruner.py": METHOD},
    "a kind of evidence, and a pruner that asks for it": {
        "multiflow_core/calibration/toy_evidence.py": EVIDENCE,
        "multiflow_core/pruning/methods/toy_counter.py": ITS_METHOD,
    },
    "a task and its page": {"multiflow_core/tasks/toy.py": TASK, "app/app_pages/toy.py": PAGE},
    "a data set": {"multiflow_core/data/toys.py": DATA},
    "a layout of data": {"multiflow_core/data/readers/toy_layout.py": LAYOUT},
    "a family": {"multiflow_core/families/toy_family.py": FAMILY},
    "a format": {"multiflow_core/models/formats/toy_format.py": FORMAT},
}
HOLD_FOR_ALL = (  # tests with a parameter for everything that is registered
    "tests/core/pruning/test_methods_all.py",
    "tests/core/calibration/test_evidence_all.py",
    "tests/core/tasks/test_tasks_all.py",
    "tests/core/data/test_data_sets_all.py",
    "tests/core/data/test_readers_all.py",
    "tests/core/families/test_families.py",
    "tests/core/models/test_packed.py",
    "tests/core/models/test_formats_all.py",
    "tests/app/app_pages/test_pages.py",
    "tests/app/app_pages/test_methods.py",
)
ASKED = """
import contextlib, io, json
from pathlib import Path

from streamlit.testing.v1 import AppTest

from app import app_pages, warmup
from app.engine import runs
from app.facts import method_cards
from benchmarks.models import save
from multiflow_core.cli import main
from multiflow_core.experiments import benchmark, prepare
from multiflow_core.experiments.run import Run

prepare.CALIBRATION_PAIRS = 8
benchmark.short_exam = lambda data: benchmark.full_exam("test", 4, data)
said = {}


def say(name, *arguments):
    with contextlib.redirect_stdout(io.StringIO()) as told, contextlib.suppress(SystemExit):
        main(arguments)
    said[name] = told.getvalue()


Path("own.toys").write_text("ball\\ndoll\\nkite\\nbear\\n")
say("data", "data", "own.toys")
family = str(save("toy-family", Path("family").resolve(), small=True))
say("methods", "methods")
say("formats", "formats")
say("calibrate", "calibrate", "--help")
say("evaluate", "evaluate", "--help")
say("layers", "layers", family)
say("prune with it", "prune", family, "--method", "toy-pruner", "--sparsity", "0.5", "--out", "pruned", "--format", "toy-format")
say("measure it", "evaluate", family, "--methods", "toy-counter", "--sparsities", "0.5", "--out", "measured.json")
say("calibrate on it", "calibrate", family, "--data", "toy-data", "--out", "statistics.safetensors")

warmup.start = lambda: None
at = AppTest.from_file("app/dashboard.py", default_timeout=300)
at.query_params["method"] = "toy-counter"
at.query_params["model"] = family
at.run()
offered = {"methods": at.selectbox(key="method").options, "model": at.selectbox(key="model").value}
offered["cut"] = at.metric[0].value
at.switch_page("app_pages/toy.py").run()
offered |= {"page": at.title[0].value, "pages": [entry.title for entry in app_pages.SECTIONS["Try"]]}
at.switch_page("app_pages/methods.py").run()
offered |= {"cards": [block.value for block in at.markdown], "formulas": [block.value for block in at.code]}
offered |= {"problems": [str(e) for kind in (at.exception, at.error, at.warning) for e in kind], "own": family}
drawn = [method_cards.miniature(name) for name in ("toy-pruner", "toy-counter")]
offered["miniatures"] = [sum(grid.lost for grid in miniature.grids) for miniature in drawn]
print(json.dumps({"said": said, "offered": offered}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project to which everything has been added."""
    copy = tmp_path_factory.mktemp("project")
    for folder in ("app", "multiflow_core", "benchmarks", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "assets").symlink_to(ROOT / "assets")
    for files in ROUTES.values():
        for name, text in files.items():
            assert not (copy / name).exists()
            (copy / name).write_text(text.lstrip())
    return copy


def run(project: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def answers(project) -> dict:
    return json.loads(run(project, "-c", ASKED).splitlines()[-1])


@pytest.mark.parametrize(("what", "files"), [(what, 1 + (" and " in what)) for what in ROUTES])
def test_it_takes_one_file_each(what, files):
    assert len(ROUTES[what]) == files


def test_it_is_listed(answers):
    said = answers["said"]
    assert "toy-pruner" in said["methods"] and "w_ij^4" in said["methods"]
    assert any(line.startswith("toy-counter") and "toy-evidence" in line for line in said["methods"].splitlines())
    assert "toy-format" in said["formats"] and "as JSON" in said["formats"]
    assert "toy-data" in re.sub(r"-\n +", "-", said["calibrate"]) and "Toy task" in said["evaluate"]
    assert "text_model.encoder.layers.0.mlp.fc1.weight" in said["layers"]


def test_it_works(answers, project):
    said = answers["said"]
    assert (
        set(json.loads((project / "pruned" / "toy.json").read_text()).values()) and "(0.5000)" in said["prune with it"]
    )
    measured = json.loads((project / "measured.json").read_text())
    assert measured["toys"] == 4 and [run["scores"]["toy"] for run in measured["runs"]] == [{"found": 1.0}]
    assert "4 pictures, 4 captions" in said["data"] and "pictures that a line each speaks of" in said["data"]
    assert "toys 1.000" in said["measure it"] and "8 pairs" in said["calibrate on it"]


def test_it_is_offered(answers):
    offered = answers["offered"]
    assert any(name.startswith("Toy pruner") for name in offered["methods"])
    assert any(name.startswith("Toy counter") for name in offered["methods"])
    assert offered["model"] == offered["own"] and offered["cut"] == "63 %"
    assert offered["pages"][-1] == "Toy" and offered["page"].startswith("Toy: what")
    assert any("## Toy counter" in card for card in offered["cards"]) and "w_ij^4" in offered["formulas"]
    assert offered["problems"] == [] and offered["miniatures"] == [24, 24]


def test_it_is_tested(project):
    """By tests that nobody wrote for it."""
    found = run(project, "-m", "pytest", "-q", "--collect-only", "-k", "toy", *HOLD_FOR_ALL)
    for test in (
        "test_methods_all.py::test_claims[toy-pruner]",
        "test_methods_all.py::test_claims[toy-counter]",
        "test_evidence_all.py::test_claims[toy-evidence]",
        "test_tasks_all.py::test_claims[toy]",
        "test_data_sets_all.py::test_claims[toy-data]",
        "test_readers_all.py::test_claims[toy-layout]",
        "test_formats_all.py::test_claims[None-toy-format]",
        "test_families.py::test_a_folder_loads_as_the_class_it_names[toy-family]",
        "test_packed.py::test_a_checkpoint_comes_back_bit_by_bit[toy-family]",
        "test_pages.py::test_every_page_launches[toy]",
        "test_pages.py::test_every_method_on_every_page[toy-pruner-toy]",
        "test_methods.py::test_every_method_draws_its_own_miniature[toy-counter]",
    ):
        assert test in found, test
