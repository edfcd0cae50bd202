"""A disk that is full, or that nobody may write to: one sentence, exit status 1, and nothing half-written left.

A small file system in memory is mounted for it, which takes root on Linux; elsewhere the line says that it was not tried.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.models import save

from .kills import ENVIRONMENT, Job, jobs

ROOM = ("8k", "32k", "64k", "128k")  # the last has room for some of the files, not for all


def disk() -> Iterator[str]:
    """A line a command and size: its exit status, how many lines it said, and what it left."""
    with tempfile.TemporaryDirectory() as folder:
        model = save("clip-b32", Path(folder) / "clip", small=True)
        yield f"{'command':<10} {'disk':<9} {'status':>6} {'lines':>6} {'left':>5}"
        for job in jobs(model)[:4]:
            for room in ROOM:
                yield _tried(job, Path(folder) / "small", room, f"size={room}")
            yield _tried(job, Path(folder) / "small", "read-only", "size=1m,ro")


def _tried(job: Job, place: Path, name: str, options: str) -> str:
    try:
        with _mounted(place, options):
            command = [sys.executable, *(part.replace("{place}", str(place)) for part in job.arguments)]
            ran = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
            said = [line for line in ran.stderr.splitlines() if line.startswith(("multiflow_core:", "Traceback"))]
            left = [str(file) for file in place.rglob("*") if file.is_file()]
            return f"{job.name:<10} {name:<9} {ran.returncode:>6} {len(said):>6} {len(left):>5}  {said[-1][:90] if said else ''}"
    except subprocess.CalledProcessError:
        return f"{job.name:<10} {name:<9} not tried: mounting takes root"


@contextmanager
def _mounted(place: Path, options: str) -> Iterator[None]:
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True, capture_output=True)
