"""Memory: what is free, what this process takes, and a sentence before it is too little."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

GROUP = Path("/sys/fs/cgroup")  # where a container says what it may use


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


def machine_memory() -> int:
    """Bytes of memory that this machine has, or that its control group may use."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with suppress(OSError, ValueError):  # no group, or one without a limit ("max")
        limits.append(int((GROUP / "memory.max").read_text()))
    return min(limits)


def available_memory() -> int | None:
    """Bytes this process may still take: the system's free memory, or its control group's rest; None if unknown."""
    limits = []
    if (free := _figure("/proc/meminfo", "MemAvailable")) is not None:
        limits.append(free)
    with suppress(OSError, KeyError, ValueError):
        limit, used = (int((GROUP / f"memory.{part}").read_text()) for part in ("max", "current"))
        stat = dict(line.split() for line in (GROUP / "memory.stat").read_text().splitlines())
        # files read once count as used, but go as soon as their room is needed
        limits.append(limit - used + int(stat["inactive_file"]))
    return min(limits, default=None)


def forget_peak() -> None:
    """Loading a model takes more memory than the model; from here on the peak counts anew, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def process_memory(field: str) -> int | None:
    """A figure of this process in bytes, from /proc; None where there is no such thing."""
    return _figure("/proc/self/status", field)


def _figure(file: str, field: str) -> int | None:
    """Bytes that a line of a file of /proc says, in kB; None where there is no such file or line."""
    with suppress(OSError):
        for line in Path(file).read_text().splitlines():
            if line.startswith(f"{field}:"):
                return 1024 * int(line.split()[1])
    return None
