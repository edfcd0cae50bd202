"""A sweep is started from a page, watched from its folder, and stopped; one at a time."""

import os
import sys
import time

import pytest

from app.engine import beside, measuring, speeding, sweeping
from multiflow_core.sweeps.status import Status

SCRIPT = """
import os, sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from multiflow_core.sweeps.status import Status
folder = Path({folder!r})
Status(1, 2, 60.0, "running", os.getpid(), "about 1 min").write(folder)
print("1 of 2", flush=True)
time.sleep(60)
"""


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """A process that says that it sweeps."""
    monkeypatch.setenv("MULTIFLOW_RESULTS", str(tmp_path))
    monkeypatch.setattr(sweeping, "_HELD", [])
    script = SCRIPT.format(root=str(sweeping.checkpoints.ROOT), folder=str(sweeping.folder()))
    popen = beside.subprocess.Popen
    monkeypatch.setattr(beside.subprocess, "Popen", lambda said, **how: popen([sys.executable, "-c", script], **how))
    yield
    if (held := sweeping.held()) and held.running:
        held.stop()
        held.process.wait()


def until(what) -> None:
    for _ in range(600):
        if what():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")


def test_started_watched_and_stopped(quick):
    assert sweeping.status() is None and sweeping.held() is None
    held = sweeping.start()
    until(lambda: held.lines and sweeping.status())
    assert held.running and sweeping.status().running and sweeping.status().done == 1 and held.lines == ["1 of 2"]
    with pytest.raises(measuring.Busy, match="going on already"):
        sweeping.start()
    held.stop()
    until(lambda: not held.running)
    assert not sweeping.status().running and not held.problem  # its process is no more, whatever the file says


def test_one_that_somebody_else_started_is_seen(quick):
    Status(3, 9, 1.0, "running", os.getpid()).write(sweeping.folder())
    with pytest.raises(measuring.Busy, match="going on already"):
        sweeping.start()


def test_nothing_is_measured_meanwhile(quick, tmp_path):
    Status(3, 9, 1.0, "running", os.getpid()).write(sweeping.folder())
    plan = speeding.SpeedPlan("flatland-blip")
    with pytest.raises(measuring.Busy, match="A sweep is going on on this machine"):
        measuring.start(plan)
    assert not measuring.running()


def test_the_command_is_the_shipped_sweeps():
    assert sweeping.command() == "python -m multiflow_core sweep assets/sweeps/paper.toml"
    assert sweeping.file().is_file() and sweeping.folder().name == "paper"
