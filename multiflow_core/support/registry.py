"""Registries: entries by name, found in the files of a package; and the error for a name that nobody has."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import threading
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """What can be registered: something with a name, and perhaps further names in `aliases`."""

    @property
    def name(self) -> str: ...


E = TypeVar("E", bound=Named)


class Registry(Generic[E]):
    """Entries by name; a later one of the same name replaces an earlier one.

    >>> from types import SimpleNamespace as Fruit
    >>> fruits = Registry("fruit")
    >>> apple = fruits.register(Fruit(name="apple", aliases=("pome",)))
    >>> fruits.get("pome") is fruits.get(apple) is apple, fruits.all() == (apple,), "pear" in fruits
    (True, True, False)

    Args:
        kind: what an entry is called in errors.
        package: whose files register the entries. They are imported when the registry is first asked, so that a new file
            there is all it takes.
    """

    def __init__(self, kind: str, package: str | None = None):
        self._kind, self._package = kind, package
        self._entries: dict[str, E] = {}
        self._lock, self._finding, self._found = threading.RLock(), False, package is None

    def register(self, entry: E) -> E:
        """Make an entry available by its name and aliases."""
        for name in (entry.name, *getattr(entry, "aliases", ())):
            self._entries[name] = entry
        return entry

    def get(self, name: str | E) -> E:
        """The entry of a name or alias (ValueError with the names there are if nobody has it); an entry is returned as it is."""
        if not isinstance(name, str):
            return name
        self._discover()
        if name not in self._entries:
            raise unknown_name(self._kind, name, sorted(self._entries))
        return self._entries[name]

    def all(self) -> tuple[E, ...]:
        """All entries, each once, by name."""
        self._discover()
        return tuple(self._entries[name] for name in sorted(self._entries) if self._entries[name].name == name)

    def __contains__(self, name: str) -> bool:
        self._discover()
        return name in self._entries

    def _discover(self) -> None:
        """Import the files of the package, once. Other threads wait: half a registry would be a wrong answer."""
        if self._found:
            return
        with self._lock:
            if self._found or self._finding:  # files may ask while they are being imported
                return
            self._finding = True
            try:
                for module in pkgutil.iter_modules(importlib.import_module(self._package).__path__):
                    importlib.import_module(f"{self._package}.{module.name}")
                self._found = True
            finally:
                self._finding = False


def unknown_name(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """The error for a name that is not in a registry: says what exists, and what was probably meant.

    >>> print(unknown_name("method", "multiflo", ["multiflow", "omp"]))
    no method is called 'multiflo', did you mean 'multiflow'? known: multiflow, omp
    """
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=1)
    hint = f", did you mean {close[0]!r}?" if close else ";"
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return ValueError(f"no {kind} is called {name!r}{hint} known: {shown}")
