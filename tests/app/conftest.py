"""A checkpoint, result files and pages for the dashboard's tests."""

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import multiflow_core as mf
from app import app_pages
from app.engine import checkpoints
from app.engine.spare import SPARE
from app.engine.store import STORE
from multiflow_core.pruning.method import METHODS, Method
from multiflow_core.pruning.solved_order import Request, Solution, Solved
from multiflow_core.tasks.task import TASKS

APP = Path(__file__).resolve().parents[2] / "app"
PAGES = tuple(entry.file.removesuffix(".py") for entry in app_pages.PAGES)
URLS = {entry.url for entry in app_pages.PAGES}
TIMEOUT = 300


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Tests ask models themselves, and leave nothing behind that goes on asking: the next one may take the model away."""
    monkeypatch.setenv("MULTIFLOW_CACHE", "")
    yield
    assert SPARE.drop_all()


def scores(**figures: float) -> dict:
    """Scores that hold nothing but headline figures, by task."""
    return {task: {TASKS.get(task).figure: value} for task, value in figures.items()}


def figures(value: float) -> dict:
    return scores(retrieval=value, captioning=value, vqa=value)


@pytest.fixture
def result_file() -> dict:
    """What a result file holds: one method measured twice at 0.63, as with two seeds."""
    runs = [
        {"method": m, "sparsity": s, "seed": seed, "scores": figures(v)}
        for m, s, seed, v in (
            ("multiflow", 0.3, 0, 0.9),
            ("multiflow", 0.63, 0, 0.6),
            ("multiflow", 0.63, 1, 0.8),
            ("omp", 0.3, 0, 0.8),
            ("omp", 0.63, 0, 0.2),
        )
    ]
    return {"model": "flatland-blip", "split": "test", "scenes": 1000, "dense": figures(0.95), "runs": runs}


@pytest.fixture
def assets(tmp_path, monkeypatch, result_file) -> Path:
    """An assets folder with the shipped checkpoint and a small result file."""
    for folder in checkpoints.assets().iterdir():
        if (folder / "config.json").is_file():
            (tmp_path / folder.name).symlink_to(folder)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "flatland-blip.json").write_text(json.dumps(result_file))
    monkeypatch.setenv("MULTIFLOW_ASSETS", str(tmp_path))
    return tmp_path


@pytest.fixture
def taught(assets) -> Path:
    """As if OMP's model at 75 % and the dense one had learnt something: what the one says at 75 % the other says at 50 %."""
    from multiflow_core.finetuning import differences

    vlm = mf.load("flatland-blip")
    order = mf.rank(vlm.model, "omp")
    folder, masks = assets / "tuned" / "flatland-blip" / "paperland", order.masks(0.75)
    for task in ("retrieval", "captioning", "vqa"):
        differences.write(folder / "omp-75", task, vlm, vlm.prune(masks), masks)
        differences.write(folder / "dense", task, vlm, vlm.prune(order.masks(0.5)), None)
    return folder


@pytest.fixture
def shrunk(assets) -> Path:
    """As if a model with half of the hidden units came with the lab."""
    from multiflow_core.models.formats.plain import save_plain

    small = mf.slim(mf.load("flatland-blip"), 0.5, "localmp", fit=False)
    return save_plain(small, None, assets / "smaller" / "flatland-blip" / "multiflow-50")


@pytest.fixture
def open_page(monkeypatch):
    """open_page("retrieval", sparsity="0.63") -> AppTest after its first run.

    Nothing is warmed up behind its back or fetched ahead, and ladders have three rungs: how they climb is tested without a page.
    """
    from app import warmup
    from app.facts import climb
    from app.parts import ahead

    monkeypatch.setattr(warmup, "start", lambda: None)
    monkeypatch.setattr(climb, "RUNGS", (0, 50, 90))
    monkeypatch.setattr(climb, "FINEST", 50)
    monkeypatch.setattr(ahead, "near", lambda sparsity: [])

    def opened(page: str = "overview", **params: str) -> AppTest:
        at = AppTest.from_file(str(APP / "dashboard.py"), default_timeout=TIMEOUT)
        for name, value in params.items():
            at.query_params[name] = value
        if page == PAGES[0]:
            return at.run()
        if page not in URLS:  # a page of another address than its file's is known to an AppTest only after a run
            at.run()
        return at.switch_page(f"app_pages/{page}.py").run()

    return opened


def filled(at: AppTest) -> AppTest:
    """A page once all is there that it has made in spare time."""
    assert SPARE.settle(TIMEOUT)
    return at.run()


@pytest.fixture
def empty_store():
    """For tests whose checkpoint is not the shipped one."""
    STORE.clear()
    yield
    STORE.clear()


@pytest.fixture
def anew(monkeypatch):
    """anew("wanda") -> the name of a method that solves every sparsity anew, and gives the masks of one that nests."""

    def made(of: str) -> str:
        def build(request: Request) -> Solved:
            statistics = request.known("statistics") if METHODS.get(of).needs else None
            nested = mf.rank(request.model, of, layers=request.layers, statistics=statistics)

            def solve(count, progress):
                masks = nested.masks((count + 0.5) / request.total)
                return Solution([masks[layer.name].flatten().numpy() for layer in request.layers])

            return Solved(request, solve)

        needs, words = METHODS.get(of).needs, ("Anew", "a test", "none", "Like another. But anew.")
        method = Method(f"anew {of}", *words, needs=needs, nested=False, build=build)
        monkeypatch.setitem(METHODS._entries, method.name, method)
        return method.name

    return made


def plots(at) -> list[str]:
    """What the charts of a page are drawn from, as JSON: figure, alternative text and Plotly's settings."""
    drawn = (element.proto.bytes.decode() for element in at.get("bidi_component"))
    return [figure for figure in drawn if '"figure"' in figure]


def texts(at: AppTest) -> str:
    """All words on a page, tags included, as a browser shows names; spaces that do not break are spaces."""
    kinds = ("title", "markdown", "caption", "warning", "error", "info", "html")
    said = (str(getattr(e, "value", "") or e.proto.body) for kind in kinds for e in at.get(kind))
    return re.sub(r"\\(?=[!-/:-@\[-`{-~])|\u2060", "", "\n".join(said).replace("\u00a0", " "))
