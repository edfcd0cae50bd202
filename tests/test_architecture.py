"""The directions imports may take (DESIGN section 3)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "multiflow_core": {"streamlit", "plotly", "app"},
    "app/charts": {"streamlit"},
    "multiflow_core/pruning/methods": {
        "streamlit",
        "plotly",
        "app",
        "multiflow_core.weights.masks",
        "multiflow_core.models.vlm",
    },
}


def imported(source: str, package: str = "") -> set[str]:
    """Every module a source imports, anywhere in it, with all its parents; relative ones made absolute.

    >>> sorted(imported("from ..masks import Masks", "multiflow_core.methods"))
    ['multiflow_core', 'multiflow_core.masks', 'multiflow_core.masks.Masks']
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                found.add(node.args[0].value)
    return {name.rsplit(".", i)[0] for name in found for i in range(name.count(".") + 1)}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_go_one_way(folder):
    wrong = {}
    for path in files(folder):
        package = ".".join(path.relative_to(ROOT).parent.parts)
        if bad := imported(path.read_text(encoding="utf-8"), package) & FORBIDDEN[folder]:
            wrong[str(path.relative_to(ROOT))] = bad
    assert not wrong


def test_there_is_something_to_check():
    assert len(files("multiflow_core")) > 10
    assert len(files("multiflow_core/pruning/methods")) > 4


@pytest.mark.parametrize(
    "source",
    [
        "import streamlit",
        "import streamlit as st",
        "from streamlit.runtime import scriptrunner",
        "def f():\n    if True:\n        import streamlit.components.v1 as c",
        "try:\n    from streamlit import cache_data\nexcept ImportError:\n    pass",
        "import importlib\nst = importlib.import_module('streamlit')",
        "st = __import__('streamlit')",
    ],
)
def test_the_check_notices(source):
    assert "streamlit" in imported(source)


def test_the_check_is_not_fooled():
    assert "streamlit" not in imported('"""import streamlit"""\nx = "streamlit"  # import streamlit')
    assert "multiflow_core.masks" in imported("from ..masks import Masks", "multiflow_core.methods")
    assert "multiflow_core.masks" in imported("from .. import masks", "multiflow_core.methods")
