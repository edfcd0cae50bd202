"""Memory: what is free, what this process takes, and a sentence before it is too little."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def check_memory(needed: int, what: str, advice: str) -> None:
    """ValueError with both figures if `needed` bytes are not free.

    >>> check_memory(1 << 60, "this holds a lot", "take less")
    Traceback (most recent call last):
    ValueError: this holds a lot, 1152921505 GB with what it works on, but only ... GB are free: take less
    """
    free = available_memory()
    if free is not None and needed > free:
        figures = f"{needed / 1e9:.3g} GB" if needed < 1e12 else f"{needed / 1e9:.0f} GB"
        raise ValueError(f"{what}, {figures} with what it works on, but only {free / 1e9:.3g} GB are free: {advice}")


def available_memory() -> int | None:
    """Bytes this process may still take: the system's free memory, or its control group's rest; None if unknown."""
    limits = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        limits.append(next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")))
    except (OSError, StopIteration, ValueError):
        pass
    group = Path("/sys/fs/cgroup")
    try:
        used = int((group / "memory.current").read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        # files read once count as used, but go as soon as their room is needed
        limits.append(int((group / "memory.max").read_text()) - used + int(stat["inactive_file"]))
    except (OSError, KeyError, ValueError):
        pass
    return min(limits, default=None)


def forget_peak() -> None:
    """Loading a model takes more memory than the model; from here on the peak counts anew, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def process_memory(field: str) -> int | None:
    """A figure of this process in bytes, from /proc; None where there is no such thing."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":")), None)
