"""What is installed is what is pinned: nothing else, and no other version."""

import re
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent
TOOLS = {"pip", "setuptools", "wheel"}  # of the environment itself


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(file: str) -> dict[str, str]:
    lines = (ROOT / file).read_text().splitlines()
    found = (re.match(r"([\w.-]+)==(\S+)", line) for line in lines)
    return {plain(match[1]): match[2] for match in found if match}


def test_the_installed_set_is_the_pinned_one():
    installed = {plain(d.metadata["Name"]): d.version.partition("+")[0] for d in distributions()}
    wanted = pinned("constraints.txt")
    assert {name: version for name, version in installed.items() if name not in TOOLS} == {
        name: version for name, version in wanted.items() if name not in TOOLS
    }


def test_requirements_and_checksums_are_of_the_pinned_versions():
    wanted = pinned("constraints.txt")
    for file in ("requirements.txt", "requirements-dev.txt", "hashes.txt", "hashes-dev.txt"):
        held = pinned(file)
        assert held and held.items() <= wanted.items()
    checksums = (ROOT / "hashes.txt").read_text() + (ROOT / "hashes-dev.txt").read_text()
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\n", checksums)) == checksums.count("==")
