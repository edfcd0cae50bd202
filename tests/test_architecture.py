"""Rooms with one rule each: who may import whom, in one table. Every import of the source counts, whatever it stands in."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
# room -> rooms it may import; a file at the root of a package is a room of its own
ROOMS = {
    "multiflow_core": {
        "support": "",
        "data": "support",
        "weights": "support",
        "families": "weights support",
        "models": "families weights support",
        "calibration": "models families weights support",
        "pruning": "calibration models weights support",
        "analysis": "pruning calibration families weights support",
        "tasks": "models data support",
        "finetuning": "tasks models weights data support",
        "experiments": "tasks pruning calibration models weights data support",
        "sweeps": "experiments finetuning tasks pruning models weights data support",
        "pretrain": "experiments tasks pruning models families weights data support",
        "commands": "sweeps pretrain experiments analysis finetuning tasks pruning models weights data support",
        "__init__": "support",
        "cli": "commands",
        "__main__": "cli",
    },
    "app": {
        "look": "",
        "state": "multiflow_core",
        "charts": "look",
        "markup": "look",
        "engine": "state multiflow_core",
        "lesson": "engine markup look multiflow_core",
        "facts": "engine lesson charts markup look state multiflow_core",
        "parts": "facts engine lesson charts markup look state multiflow_core",
        "app_pages": "parts facts engine lesson charts markup look state",
        "__init__": "",
        "warmup": "facts engine state multiflow_core",
        "dashboard": "app_pages parts warmup state",
        "main": "parts engine warmup",
    },
    "benchmarks": {"*": "multiflow_core app"},
}
SCREEN = {  # who may know these libraries
    "streamlit": ("app/main.py", "app/dashboard.py", "app/parts/*", "app/app_pages/*", "benchmarks/weather/soak.py"),
    "plotly": ("app/charts/*", "app/look/*", "app/parts/*"),
}
LAZY = {  # file -> what is imported inside its functions, and why
    "multiflow_core/commands/*": (
        "torch multiflow_core",
        "help, and the mistakes that argparse finds, need no PyTorch",
    ),
    "multiflow_core/data/readers/huggingface.py": ("datasets", "an extra that only data of its own layout needs"),
    "multiflow_core/support/threads.py": ("torch", "who only names a progress callback needs no PyTorch"),
    "multiflow_core/support/devices.py": ("accelerate", "an extra that only several GPUs need"),
    "multiflow_core/finetuning/hands.py": ("accelerate", "an extra that only several processes need"),
    "multiflow_core/sweeps/executors.py": ("distributed", "an extra that only a cluster needs"),
    "multiflow_core/families/*": (
        "transformers huggingface_hub tqdm peft",
        "a model that no family knows needs none of them, and peft is an extra that only adapters need",
    ),
    "app/engine/*": ("torch multiflow_core", "the first page is drawn while PyTorch loads"),
    "app/parts/guide.py": ("app", "a tour asks the model, and every page asks whether there is a tour"),
    "app/warmup.py": ("app", "the server answers while PyTorch loads"),
}


class Import(NamedTuple):
    """One imported module, by its full name, and whether a function imports it when it runs."""

    name: str
    lazy: bool


def imports(source: str, package: str = "") -> Iterator[Import]:
    """Every import of a source, those in functions, conditions and calls of importlib included; relative ones made absolute.

    >>> [found.name for found in imports("from ..masks import Masks, save", "multiflow_core.methods")]
    ['multiflow_core.masks.Masks', 'multiflow_core.masks.save']
    """

    def walk(node: ast.AST, lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            yield from (Import(name, lazy) for name in _imported(child, package))
            yield from walk(child, lazy or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))

    return walk(ast.parse(source), False)


def _imported(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*parts, *([node.module] if node.module else [])])
        return [f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
            return [node.args[0].value]
    return []


# --- the source ---------------------------------------------------------------------------------------------------


@cache
def modules() -> Mapping[str, Path]:
    """{full name: file} of everything that is ours."""
    files = [path for package in ROOMS for path in sorted((ROOT / package).rglob("*.py"))]
    return {".".join(_parts(path)): path for path in files}


def _parts(path: Path) -> list[str]:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


@cache
def found_in(name: str) -> tuple[Import, ...]:
    """The imports of one of our modules; of our own things the module that holds them."""
    path = modules()[name]
    package = ".".join(path.relative_to(ROOT).parent.parts)
    return tuple(Import(_holder(one.name), one.lazy) for one in imports(path.read_text(encoding="utf-8"), package))


def _holder(name: str) -> str:
    """The module that holds a name, where it is one of ours.

    >>> _holder("multiflow_core.weights.masks.Masks"), _holder("torch.nn")
    ('multiflow_core.weights.masks', 'torch.nn')
    """
    parts = name.split(".")
    longer = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((module for module in longer if module in modules()), name)


def reached(name: str, also_lazy: bool = True) -> set[str]:
    """Modules that an import of this one runs: what it imports, and the `__init__` of every package that it enters."""
    own = name if modules()[name].name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for one in found_in(name):
        if also_lazy or not one.lazy:
            parts = one.name.split(".")
            parents = (".".join(parts[:end]) for end in range(1, len(parts)))
            found |= {one.name, *(parent for parent in parents if not f"{own}.".startswith(f"{parent}."))}
    return found - {name}


def room_of(name: str) -> tuple[str, str]:
    """Package and room of one of our modules.

    >>> room_of("multiflow_core.weights.masks"), room_of("multiflow_core.cli"), room_of("app")
    (('multiflow_core', 'weights'), ('multiflow_core', 'cli'), ('app', '__init__'))
    """
    package, *rest = name.split(".")
    return package, "*" if "*" in ROOMS[package] else rest[0] if rest else "__init__"


# --- who may import whom --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ROOMS)
def test_every_room_has_its_rule_and_no_two_import_each_other(package):
    assert {room_of(name)[1] for name in modules() if room_of(name)[0] == package} == set(ROOMS[package])
    try:
        TopologicalSorter({room: may.split() for room, may in ROOMS[package].items()}).prepare()
    except CycleError as circle:
        pytest.fail(f"rooms in a circle: {circle.args[1]}")


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_import_what_the_table_allows(package):
    wrong, used = [], set()
    for name in modules():
        if room_of(name)[0] != package:
            continue
        room = room_of(name)[1]
        for target in (one.name for one in found_in(name) if one.name in modules()):
            there = room_of(target)[1] if room_of(target)[0] == package else room_of(target)[0]
            if there != room:
                used.add((room, there))
                if there not in ROOMS[package][room].split():
                    wrong.append(f"{name} imports {target}")
    assert not wrong
    allowed = {(room, other) for room, may in ROOMS[package].items() for other in may.split()}
    assert sorted(allowed - used) == [], "the table allows what nobody does"


def test_no_files_import_each_other_in_a_circle():
    try:
        TopologicalSorter({name: reached(name) & set(modules()) for name in modules()}).prepare()
    except CycleError as circle:
        pytest.fail(f"files in a circle: {circle.args[1]}")


@pytest.mark.parametrize("library", SCREEN)
def test_few_know_the_screen(library):
    knowing = [modules()[name] for name in modules() for one in found_in(name) if one.name.split(".")[0] == library]
    files = {path.relative_to(ROOT).as_posix() for path in knowing}
    assert files and not {file for file in files if not any(_matches(file, place) for place in SCREEN[library])}


def _matches(file: str, place: str) -> bool:
    return fnmatch(file, place) and file.count("/") == place.count("/")


def test_imports_inside_functions_are_those_of_the_table():
    wrong, used = [], set()
    for name, path in modules().items():
        file = path.relative_to(ROOT).as_posix()
        allowed = {word for place in LAZY if fnmatch(file, place) for word in LAZY[place][0].split()}
        for one in found_in(name):
            if one.lazy:
                used |= {place for place in LAZY if fnmatch(file, place)}
                if one.name.split(".")[0] not in allowed:
                    wrong.append(f"{file}: {one.name}")
    assert not wrong
    assert used == set(LAZY), "the table allows what nobody does"


def test_the_app_loads_lazily_only_what_loads_torch():
    def heavy(name: str, seen: set[str]) -> bool:
        if name not in modules() or name in seen:
            return name.split(".")[0] == "torch"
        seen.add(name)
        return any(heavy(other, seen) for other in reached(name, also_lazy=False))

    lazy = {(name, one.name) for name in modules() if name.startswith("app.") for one in found_in(name) if one.lazy}
    assert lazy and not {(name, target) for name, target in lazy if not heavy(target, set())}


LIGHT = """
import contextlib, io, sys
import multiflow_core
from multiflow_core.cli import main
from multiflow_core.commands.command import commands as known
commands = ("", *(command.name for command in known()))
for command in commands:
    with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
        main([*command.split(), "--help"])
    assert "usage: multiflow_core" in shown.getvalue(), command
    if not command:
        assert all(name in shown.getvalue() for name in commands)
print("torch" in sys.modules, "transformers" in sys.modules)
"""


def test_the_core_and_its_help_load_without_torch():
    ran = subprocess.run([sys.executable, "-c", LIGHT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("False False\n", "")


# --- where it is said -----------------------------------------------------------------------------------------------


class Room(NamedTuple):
    """A room as the first sentences of its `__init__` describe it."""

    title: str
    holds: str
    uses: tuple[str, ...]


def described(folder: Path) -> Room:
    first = " ".join(ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))).split())
    title, holds, uses = re.match(r"([\w ]+): (.+?)\. Uses ([\w, ]+)\.", first).groups()
    named = [] if uses == "nothing else" else re.split(r", | and ", uses.replace("the core", "multiflow_core"))
    return Room(title, holds, tuple(named))


def folders() -> list[tuple[str, str]]:
    return [(package, room) for package in ROOMS for room in ROOMS[package] if (ROOT / package / room).is_dir()]


@pytest.mark.parametrize(("package", "room"), folders())
def test_a_room_says_what_it_may_use(package, room):
    said = described(ROOT / package / room)
    assert said.title.lower().replace(" ", "_") == room
    assert set(said.uses) == set(ROOMS[package][room].split()) and len(set(said.uses)) == len(said.uses)


def test_the_readme_shows_the_table():
    rows = ["| room | what lives there | may use |", "|---|---|---|"]
    for package, room in folders():
        said = described(ROOT / package / room)
        uses = ", ".join(said.uses).replace("multiflow_core", "the core") or "nothing else"
        rows.append(f"| `{package}/{room}` | {said.holds} | {uses} |")
    assert "\n".join(rows) in (ROOT / "README.md").read_text(encoding="utf-8"), "\n".join(rows)


def test_the_paths_of_the_readme_exist():
    named = re.findall(r"`((?:multiflow_core|app|tests|benchmarks)/[\w/.*-]+)`", (ROOT / "README.md").read_text())
    assert len(named) > 20
    assert not [path for path in named if not (ROOT / path).exists()]


# --- the check itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "import streamlit",
        "import streamlit as st",
        "from streamlit.runtime import scriptrunner",
        "def f():\n    if True:\n        import streamlit.components.v1 as c",
        "try:\n    from streamlit import cache_data\nexcept ImportError:\n    pass",
        "if TYPE_CHECKING:\n    from streamlit.delta_generator import DeltaGenerator",
        "import importlib\nst = importlib.import_module('streamlit')",
        "st = __import__('streamlit')",
    ],
)
def test_the_check_notices(source):
    assert {one.name.split(".")[0] for one in imports(source)} >= {"streamlit"}


def test_the_check_is_not_fooled():
    text = '"""import streamlit\n\n>>> import streamlit\n"""\nx = "streamlit"  # import streamlit'
    assert not list(imports(text))
    inside = list(
        imports("import a\ndef f():\n    import b\nclass C:\n    import c\n    def g(self):\n        import d")
    )
    assert [one.name for one in inside if one.lazy] == ["b", "d"]
    assert {one.name for one in imports("from .. import masks", "multiflow_core.methods")} == {"multiflow_core.masks"}
    assert len(modules()) > 150 and "multiflow_core.weights.masks" in reached("multiflow_core.pruning.rank") | reached(
        "multiflow_core.pruning.nested_order"
    )


def test_no_room_of_the_app_hides_a_module_of_python():
    """Streamlit puts `app/` itself first in the path of the server: `import html` must not find a room of that name."""
    rooms = {path.name for path in (ROOT / "app").iterdir() if path.is_dir()} | {
        path.stem for path in (ROOT / "app").glob("*.py")
    }
    assert not rooms & sys.stdlib_module_names
