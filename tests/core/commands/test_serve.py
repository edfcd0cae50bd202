"""The command serve: what is started, where, and what is said where it cannot be."""

import importlib.util
import subprocess
import sys
from types import SimpleNamespace

import pytest

from multiflow_core.cli import main
from multiflow_core.commands import serve


@pytest.fixture
def started(monkeypatch):
    """What would be started: (arguments, the rest)."""
    found = []

    def run(arguments, **more):
        found.append((arguments, more))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    return found


def test_it_starts_the_dashboard_for_this_machine_alone(started):
    main(["serve"])
    ((arguments, more),) = started
    assert arguments[:5] == [sys.executable, "-m", "streamlit", "run", str(serve.ROOT / "app" / "main.py")]
    assert arguments[5:9] == ["--server.address", "127.0.0.1", "--server.port", "8501"]
    assert more["cwd"] == serve.ROOT and not more["env"].keys() & serve._KEPT.keys() - set(serve.os.environ)


def test_it_listens_where_it_is_told(started):
    main(["serve", "--host", "0.0.0.0", "--port", "80"])
    assert started[0][0][5:9] == ["--server.address", "0.0.0.0", "--server.port", "80"]


def test_an_installed_copy_keeps_its_things_where_it_is_started(started, monkeypatch, tmp_path):
    monkeypatch.setattr(serve, "INSTALLED", True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MULTIFLOW_CONFIG", "/etc/lab.toml")
    monkeypatch.delenv("MULTIFLOW_CACHE", raising=False)
    main(["serve"])
    more = started[0][1]
    assert more["cwd"] is None and more["env"]["MULTIFLOW_CONFIG"] == "/etc/lab.toml"
    assert more["env"]["MULTIFLOW_CACHE"] == str(tmp_path / ".cache")


@pytest.mark.parametrize("lacks", ["the app", "Streamlit"])
def test_what_is_not_there_is_said(lacks, started, monkeypatch, tmp_path, capsys):
    if lacks == "the app":
        monkeypatch.setattr(serve, "MAIN", tmp_path / "main.py")
    else:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stop:
        main(["serve"])
    told = capsys.readouterr().err
    assert stop.value.code == 2 and "is not installed here" in told and len(told.splitlines()) == 1 and not started


def test_to_stop_it_is_no_mistake(monkeypatch, capsys):
    def stopped(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", stopped)
    main(["serve"])
    assert capsys.readouterr().err == ""


def test_a_server_that_fails_ends_with_one(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **more: SimpleNamespace(returncode=3))
    with pytest.raises(SystemExit) as stop:
        main(["serve"])
    assert stop.value.code == 1
