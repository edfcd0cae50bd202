"""Processes that are killed at any moment: what they write is finished or untouched, and the next run gives the same bytes."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.models import save

ENVIRONMENT = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Job:
    """A command, what it writes below the folder it is given, and which of these files grow while it runs."""

    name: str
    arguments: tuple[str, ...]
    grows: tuple[str, ...] = ()


def jobs(model: Path) -> tuple[Job, ...]:
    core = ("-m", "multiflow_core")
    few = {"looking": 1, "wording": 1, "joint": 1, "fading": 1, "batch": 4, "precision": "float32"}
    pretrain = ("-m", "multiflow_core.pretrain", "flatland-xvlm", *(f"--{name}={value}" for name, value in few.items()))
    return (
        Job("prune", (*core, "prune", str(model), "--sparsity", "0.5", "--masks", "{place}/masks.safetensors")),
        Job("export", (*core, "prune", str(model), "--sparsity", "0.5", "--out", "{place}/pruned")),
        Job("calibrate", (*core, "calibrate", str(model), "--out", "{place}/statistics.safetensors")),
        Job(
            "evaluate",
            (*core, "evaluate", str(model), "--methods", "omp", "l2", "lamp", "--out", "{place}/results.json"),
            grows=("results.json",),
        ),
        Job("pretrain", (*pretrain, "--work", "{place}/work", "--out", "{place}/model"), grows=("work",)),
    )


def kills(each: int = 20, seed: int = 0, names: tuple[str, ...] = ()) -> Iterator[str]:
    """A line a command (`names`, or all): how often it was killed, what was left half, and if the next run gave the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        model = save("clip-b32", Path(folder) / "clip", small=True)
        yield f"{'command':<10} {'kills':>6} {'half':>5} {'other bytes':>12}"
        for job in jobs(model):
            if not names or job.name in names:
                yield _kill(job, each, random.Random(f"{seed} {job.name}"), Path(folder) / job.name)


def _kill(job: Job, times: int, rng: random.Random, place: Path) -> str:
    began = time.monotonic()
    right = _finished(job, place / "right")
    whole = time.monotonic() - began
    killed = half = other = 0
    for n in range(times):
        target = place / str(n)
        process = _start(job, target)
        try:
            process.wait(whole * rng.uniform(0.3, 1.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        left = {name: digest for name, digest in _content(target).items() if not _grows(job, name)}
        half += any(digest != right.get(name) for name, digest in left.items() if not _temporary(name))
        other += _finished(job, target) != right
        shutil.rmtree(target)
    return f"{job.name:<10} {killed:>6} {half:>5} {other:>12}"


def _start(job: Job, place: Path) -> subprocess.Popen:
    place.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, *(part.replace("{place}", str(place)) for part in job.arguments)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _finished(job: Job, place: Path) -> dict[str, str]:
    """What the command leaves when nobody stops it."""
    process = _start(job, place)
    if process.wait():
        raise RuntimeError(f"{job.name} failed by itself")
    return {name: digest for name, digest in _content(place).items() if not name.startswith("work")}


def _content(place: Path) -> dict[str, str]:
    """{file: digest of its bytes}; of a log only what does not depend on the clock."""
    found = {}
    for file in sorted(place.rglob("*")):
        if file.is_file():
            data = file.read_bytes() if file.suffix != ".jsonl" else b""
            found[str(file.relative_to(place))] = hashlib.sha256(data).hexdigest()
    return found


def _grows(job: Job, name: str) -> bool:
    return any(name == part or name.startswith(part + "/") for part in job.grows)


def _temporary(name: str) -> bool:
    return name.endswith(".part") or ".part/" in name
