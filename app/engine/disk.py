"""What models said, kept on disk by content: the same model, pruned in the same way, gives the same answer to the same question.

One SQLite file of rows that are looked up by a hash of all that decides them: the weights, the code, the run, what was asked. It
is bounded, the least recently used rows go first; a file that is broken is begun anew, and where none can be written all goes on
without.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from multiflow_core.experiments.run import Run

from . import runs, shipped
from .checkpoints import ROOT
from .store import STORE, Progress

T = TypeVar("T")
LIMIT = 256 << 20  # bytes of all rows
SLACK = 0.9  # of the limit that is left when it was reached
FILE = "answers.sqlite"
log = logging.getLogger(__name__)


class Form(Generic[T]):
    """How values of one kind become bytes and come back."""

    def __init__(self, write: Callable[[T], bytes], read: Callable[[bytes], T]):
        self.write, self.read = write, read


def as_json(made: Callable[[Any], T]) -> Form[T]:
    """Of values that `made` makes of what JSON gives back.

    >>> as_json(list).read(as_json(list).write([1.5, 2.0]))
    [1.5, 2.0]
    """
    return Form(lambda value: json.dumps(value, default=asdict).encode(), lambda data: made(json.loads(data)))


class Disk:
    """A bounded table of bytes by key, in one file.

    >>> import tempfile
    >>> disk = Disk(Path(tempfile.mkdtemp()) / "some.sqlite")
    >>> disk.put("a", b"12"), disk.get("a"), disk.get("b"), disk.size
    (None, b'12', None, 2)
    """

    def __init__(self, file: Path, limit: int = LIMIT):
        self.file, self.limit = file, limit
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None
        self._off = False

    def get(self, key: str) -> bytes | None:
        """What is kept there, None where there is nothing."""
        found = self._do("UPDATE kept SET used = ? WHERE key = ? RETURNING value", time.time(), key)
        return found[0][0] if found else None

    def put(self, key: str, value: bytes) -> None:
        """Keep it, in place of what has not been used for longest."""
        self._do("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", key, value, len(value), time.time())
        if self.size > self.limit:
            self._do(
                "DELETE FROM kept WHERE key IN (SELECT key FROM (SELECT key, SUM(bytes) OVER (ORDER BY used DESC) AS upto "
                "FROM kept) WHERE upto > ?)",
                int(SLACK * self.limit),
            )

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        found = self._do("SELECT COALESCE(SUM(bytes), 0) FROM kept")
        return found[0][0] if found else 0

    def clear(self) -> None:
        """Forget everything, and give the room back."""
        self._do("DELETE FROM kept")
        self._do("VACUUM")

    def _do(self, what: str, *values: Any) -> list[tuple]:
        """A statement, on its own. What cannot be kept is not: an answer is worth more than its copy."""
        with self._lock:
            try:
                return [] if self._off else self._connected().execute(what, values).fetchall()
            except sqlite3.OperationalError as problem:  # no room, no right to write, another server is at it
                log.warning("%s: %s", self.file, problem)
                self._off = "locked" not in str(problem)
            except sqlite3.DatabaseError as problem:
                log.warning("%s is broken (%s): it is begun anew", self.file, problem)
                self._begin_anew()
            return []

    def _connected(self) -> sqlite3.Connection:
        if self._open is None:
            with suppress(OSError):
                self.file.parent.mkdir(parents=True, exist_ok=True)
            self._open = sqlite3.connect(self.file, timeout=1, isolation_level=None, check_same_thread=False)
            self._open.execute("PRAGMA journal_mode = WAL")
            self._open.execute("PRAGMA synchronous = OFF")  # what is lost with the machine is made again
            self._open.execute(
                "CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB, bytes INTEGER, used REAL)"
            )
        return self._open

    def _begin_anew(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None
        try:
            for end in ("", "-wal", "-shm"):  # what SQLite keeps beside it is of no use to another one
                self.file.with_name(self.file.name + end).unlink(missing_ok=True)
        except OSError:
            self._off = True


def here() -> Disk | None:
    """That of this server; the environment variable MULTIFLOW_CACHE names another folder, or none at all by an empty text."""
    place = os.environ.get("MULTIFLOW_CACHE", str(ROOT / ".cache"))
    return _disk(Path(place)) if place else None


@cache
def _disk(place: Path) -> Disk:
    return Disk(place / FILE)


def kept(key: Run, asked: Hashable, form: Form[T], make: Callable[[], T], report: Progress) -> T:
    """What a run's model says of what was `asked`, which names its content: from disk, or made and put there."""
    store = here()
    if store is None:
        return make()
    address = _address(key, asked, report)
    if (data := store.get(address)) is not None:
        try:
            return form.read(data)
        except Exception:  # of another shape than it was: made again
            log.warning("something kept in %s could not be read", store.file)
    value = make()
    store.put(address, form.write(value))
    return value


def holds(key: Run, asked: Hashable, progress: Progress | None = None) -> bool:
    """Whether that is on disk."""
    store = here()
    return store is not None and store.get(_address(key, asked, progress)) is not None


def _address(key: Run, asked: Hashable, report: Progress | None) -> str:
    content = (_code(), weights(key.model, report), shipped.stamp(key), str(replace(key, model="")), asked)
    return hashlib.sha256(repr(content).encode()).hexdigest()


@STORE.keep(16)
def weights(model: str, report: Progress) -> str:
    """All that decides what a dense model says, and how it is calibrated, as a hash: its weights and the files beside them."""
    from multiflow_core.calibration.evidence import EVIDENCE
    from multiflow_core.support.digits import digits

    report(0.5, "reading the weights")
    known = runs.vlm(model)
    beside = sorted(known.folder.glob("*")) if known.folder else ()
    wanted = EVIDENCE.get("statistics").file
    files = (file for file in beside if file.suffix in (".json", ".txt", ".model") or file.name == wanted)
    return digits([known.model.state_dict(), *(part for file in files for part in (file.name, file.read_bytes()))])


@cache
def _code() -> str:
    """The code that prunes, asks and answers: with another one all answers may be others."""
    found = hashlib.sha256()
    for package in ("multiflow_core", "app"):
        for file in sorted((ROOT / package).rglob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()
