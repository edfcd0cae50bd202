"""A disk that is full, or that nobody may write to: one sentence, exit status 1, and nothing half-written left.

A small file system in memory is mounted for it. Where that is not allowed, a limit on the size of files stands for the full disk,
and the line says so.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.models import save

from .kills import ENVIRONMENT, Job, jobs

ROOM = (8, 32, 64, 128)  # KiB; the last has room for some of the files, not for all
JOBS = ("prune", "export", "calibrate", "evaluate")


def disk(room: Sequence[int] = ROOM, names: Sequence[str] = JOBS) -> Iterator[str]:
    """A line a command and size: its exit status, how many lines it said, and what it left."""
    with tempfile.TemporaryDirectory() as folder:
        model = save("clip-b32", Path(folder) / "clip", small=True)
        yield f"{'command':<10} {'disk':<9} {'status':>6} {'lines':>6} {'left':>5}"
        for job in (job for job in jobs(model) if job.name in names):
            for size in room:
                yield _full(job, Path(folder) / "small", size)
            yield _read_only(job, Path(folder) / "small")


def _full(job: Job, place: Path, size: int) -> str:
    try:
        with _mounted(place, f"size={size}k"):
            return _tried(job, place, f"{size}k")
    except PermissionError:
        return _tried(job, place, f"{size}k", lambda: _limit(1024 * size)) + " (files limited instead)"


def _read_only(job: Job, place: Path) -> str:
    try:
        with _mounted(place, "size=1m,ro"):
            return _tried(job, place, "read-only")
    except PermissionError:
        return f"{job.name:<10} read-only not tried: nothing may be mounted here"


def _tried(job: Job, place: Path, name: str, first: Callable[[], None] | None = None) -> str:
    command = [sys.executable, *(part.replace("{place}", str(place)) for part in job.arguments)]
    ran = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, preexec_fn=first)
    said = [line for line in ran.stderr.splitlines() if line.startswith(("multiflow_core:", "Traceback"))]
    left = [str(file) for file in place.rglob("*") if file.is_file()]
    return (
        f"{job.name:<10} {name:<9} {ran.returncode:>6} {len(said):>6} {len(left):>5}  {said[-1][:90] if said else ''}"
    )


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@contextmanager
def _mounted(place: Path, options: str) -> Iterator[None]:
    place.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True).returncode:
        raise PermissionError("nothing may be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True, capture_output=True)
