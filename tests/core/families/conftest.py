"""A folder with a small CLIP, to be damaged."""

import shutil
from pathlib import Path

import pytest

from benchmarks.models import save


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    return save("clip-b32", tmp_path_factory.mktemp("models") / "clip", small=True)


@pytest.fixture
def folder(saved, tmp_path):
    return Path(shutil.copytree(saved, tmp_path / "clip"))
