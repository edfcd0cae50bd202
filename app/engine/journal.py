"""The runs that were looked at in this lab, and what people call them and their measurements: one small file, written whole.

An entry goes by the run as an address has it. One without a name stands for its way of pruning and follows the slider; a name
holds it where it is.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from multiflow_core.experiments.run import Run
from multiflow_core.support.atomic import write_text

from .checkpoints import ROOT

FILE = "runs.json"
MOST = 200  # entries; of those without a name the oldest go first
LONGEST = 80  # characters of a name
log = logging.getLogger(__name__)
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Entry:
    """A run, as an address has it; when it was last looked at, in seconds since 1970; what people call it."""

    run: str
    seen: float
    name: str = ""


@dataclass(frozen=True)
class Journal:
    """All entries, the last seen first, and {file of a measurement: its name}.

    >>> journal = Journal().noted(Run("blip", "omp", 0.5), 1.0).noted(Run("blip", "omp", 0.75), 2.0)
    >>> [entry.run for entry in journal.entries]
    ['blip,omp,own,0.75']
    >>> journal = journal.named("blip,omp,own,0.75", "the brave one").noted(Run("blip", "omp", 0.5), 3.0)
    >>> [(entry.run, entry.name) for entry in journal.entries]
    [('blip,omp,own,0.5', ''), ('blip,omp,own,0.75', 'the brave one')]
    """

    entries: tuple[Entry, ...] = ()
    names: dict[str, str] = field(default_factory=dict)

    def noted(self, run: Run, now: float) -> Journal:
        """With a run that is looked at, in place of what was last seen of its way of pruning, unless that has a name."""
        same = next((entry for entry in self.entries if entry.run == str(run)), None)
        fresh = Entry(str(run), now, same.name if same else "")
        others = (
            entry for entry in self.entries if entry.run != fresh.run and (entry.name or _order(entry) != run.order)
        )
        return replace(self, entries=_bounded((fresh, *others)))

    def named(self, run: str, name: str) -> Journal:
        """With another name for an entry; none with an empty one."""
        name = " ".join(name.split())[:LONGEST]
        return replace(self, entries=tuple(replace(one, name=name) if one.run == run else one for one in self.entries))

    def without(self, run: str) -> Journal:
        """Without an entry."""
        return replace(self, entries=tuple(one for one in self.entries if one.run != run))

    def called(self, file: str, name: str) -> Journal:
        """With another name for a measurement; its own with an empty one."""
        name = " ".join(name.split())[:LONGEST]
        others = {known: held for known, held in self.names.items() if known != file}
        return replace(self, names=others | ({file: name} if name else {}))


def _order(entry: Entry) -> Run:
    return Run.read(entry.run).order


def _bounded(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The newest of those without a name, as many as there is room for beside those with one."""
    room = MOST - sum(bool(entry.name) for entry in entries)
    plain = [entry for entry in entries if not entry.name][: max(1, room)]
    return tuple(entry for entry in entries if entry.name or entry in plain)


# --- on disk --------------------------------------------------------------------------------------------------------


def here() -> Path | None:
    """The file of this server, beside the answers that it keeps; None where nothing is kept."""
    place = os.environ.get("MULTIFLOW_CACHE", str(ROOT / ".cache"))
    return Path(place) / FILE if place else None


def load(file: Path) -> Journal:
    """What a file holds; nothing where it is missing or broken: a list of runs is worth no error."""
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        entries = [Entry(str(one["run"]), float(one["seen"]), str(one["name"])) for one in held["runs"]]
        for entry in entries:
            _order(entry)
        return Journal(tuple(entries), {str(name): str(called) for name, called in held["measurements"].items()})
    except FileNotFoundError:
        return Journal()
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
        log.warning("%s: %s", file, problem)
        return Journal()


def change(file: Path, how: Callable[[Journal], Journal]) -> None:
    """Change what a file holds. What cannot be written is not."""
    with _LOCK:
        before = load(file)
        after = how(before)
        if after == before:
            return
        held = {"runs": [asdict(entry) for entry in after.entries], "measurements": after.names}
        try:
            write_text(file, json.dumps(held, indent=1) + "\n")
        except OSError as problem:
            log.warning("%s: %s", file, problem)
