"""What visitors may do here: one file, `lab.toml`, says it. On this machine's own address everything is allowed.

    hosts = ["lab.example.org"]          # names by which the server may be called, besides its addresses
    folders = ["/models"]                # below these, visitors may open any checkpoint and any data
    hub = ["openai/*", "Salesforce/*"]   # hub names, as patterns
    metrics = false                      # whether /_stcore/metrics is there
    pictures = 24                        # own pictures of one session
    megabytes = 25                       # of each
    archive = 100                        # megabytes of a zip of own pictures
    measure = false                      # whether visitors may measure methods, which takes minutes of two cores

Without the file, a server that others can reach opens the built-in models and nothing else.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from .checkpoints import ROOT

FILE = "lab.toml"
REFUSAL = "That model cannot be opened here: choose one from the list, or ask whoever runs this server."
REFUSAL_OF_DATA = "That data cannot be opened here: upload yours as a zip, or ask whoever runs this server."
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)
_LOOPBACK = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Permits:
    """What is allowed. `address` is the one that the server listens at.

    >>> Permits().may_open("/anywhere"), Permits(address="0.0.0.0").may_open("/anywhere")
    (True, False)
    >>> there = Permits(address="0.0.0.0", folders=("/models",), hub=("openai/*",))
    >>> there.may_open("/models/clip"), there.may_open("/models/../etc"), there.may_open("openai/clip")
    (True, False, True)
    """

    address: str = ""
    hosts: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    hub: tuple[str, ...] = ()
    metrics: bool = False
    pictures: int = 24
    megabytes: int = 25
    archive: int = 100
    measure: bool = False

    @property
    def local(self) -> bool:
        """Whether nobody but this machine can reach the server."""
        return self.address in _LOOPBACK

    @property
    def may_measure(self) -> bool:
        """Whether a visitor may start a measurement."""
        return self.local or self.measure

    def may_open(self, model: str) -> bool:
        """Whether a visitor may ask for a folder or a hub name; what a built-in name is, others know."""
        if self.local:
            return True
        try:
            place = Path(model).expanduser().resolve()
            named = bool(_HUB_NAME.fullmatch(model)) and not place.exists()  # a folder would be opened in its stead
        except (OSError, RuntimeError, ValueError):
            return False
        below = any(place.is_relative_to(Path(folder).resolve()) for folder in self.folders)
        return below or (named and any(fnmatchcase(model, pattern) for pattern in self.hub))


def read(file: Path, address: str = "") -> Permits:
    """The permits in a file, the default ones where there is none. ValueError, in a sentence, for a file that says nonsense."""
    try:
        held = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        held = {}
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read ({error}).") from None
    known = {field.name for field in fields(Permits)} - {"address"}
    for name, value in held.items():
        if name not in known:
            raise ValueError(f"{file} says {name}, but it may say {', '.join(sorted(known))}.")
        if not _fits(name, value):
            raise ValueError(f"{name} in {file} is {_KINDS.get(name, 'a list of texts')}.")
    return Permits(address, **{name: tuple(v) if isinstance(v, list) else v for name, v in held.items()})


_SWITCHES, _NUMBERS = ("metrics", "measure"), ("pictures", "megabytes", "archive")
_KINDS = dict.fromkeys(_SWITCHES, "true or false") | dict.fromkeys(_NUMBERS, "a whole number from 1 on")


def _fits(name: str, value: Any) -> bool:
    if name in _SWITCHES:
        return isinstance(value, bool)
    if name in _KINDS:
        return type(value) is int and value > 0
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


@cache
def here() -> Permits:
    """Those of this server; `main` says in the environment where it listens, and where another file is."""
    return read(Path(os.environ.get("MULTIFLOW_CONFIG", ROOT / FILE)), os.environ.get("MULTIFLOW_ADDRESS", ""))
