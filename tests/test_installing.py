"""What pip installs: built as pip builds it, unpacked elsewhere, and asked from another folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from multiflow_core.cli import COMMAND

ROOT = Path(__file__).parent.parent
NEEDED = ("app", "multiflow_core", ".streamlit")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    source, there = (tmp_path_factory.mktemp(name) for name in ("source", "there"))
    for folder in NEEDED:
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "requirements.txt"):
        shutil.copy(ROOT / file, source)
    (source / "assets").symlink_to(ROOT / "assets")
    built = subprocess.run(
        [sys.executable, "-c", BUILD, there], cwd=source, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[-2000:]
    (wheel,) = there.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(there)
    return there


def said(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    line = f"import sys; sys.argv[0] = '{COMMAND}'; from multiflow_core.cli import main; main()"
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", line, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_it_has_what_the_repository_has(installed):
    """Every file of the packages, the settings of the server, and the models with their results."""
    for folder in ("app", "multiflow_core"):
        there = {file.relative_to(installed) for file in (installed / folder).rglob("*")}
        files = (file for file in (ROOT / folder).rglob("*") if file.is_file() and file.suffix != ".pyc")
        assert {file.relative_to(ROOT) for file in files} <= there
    assert (installed / "app" / ".streamlit" / "config.toml").read_text() == (
        ROOT / ".streamlit/config.toml"
    ).read_text()
    for name in ("flatland-blip/model.safetensors", "flatland-blip/card.json", "results/flatland-xvlm.json"):
        assert (installed / "multiflow_core" / "assets" / name).read_bytes() == (ROOT / "assets" / name).read_bytes()


def test_it_gives_the_command_and_asks_for_what_is_required(installed):
    (told,) = installed.glob("*.dist-info")
    assert f"{COMMAND} = multiflow_core.cli:main" in (told / "entry_points.txt").read_text()
    asked = set(re.findall(r"^Requires-Dist: (\S+)", (told / "METADATA").read_text(), re.M))
    assert asked == set(re.findall(r"^[\w-]+==[\d.]+", (ROOT / "requirements.txt").read_text(), re.M))


def test_it_works_in_another_folder(installed, tmp_path):
    done = said(installed, tmp_path, "models", "--json")
    assert [one["name"] for one in json.loads(done.stdout)] == ["flatland-blip", "flatland-xvlm"], done.stderr
    done = said(installed, tmp_path, "layers", "nowhere/at all")
    assert done.returncode == 2 and done.stderr.startswith(f"{COMMAND}: ") and len(done.stderr.splitlines()) == 1
    done = said(installed, tmp_path, "methods", "--help")
    assert done.stdout.startswith(f"usage: {COMMAND} methods")
    assert list(tmp_path.iterdir()) == []
