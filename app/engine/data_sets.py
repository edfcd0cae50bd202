"""Data sets by what they go by: Flatland, and those that visitors open.

In the address a data set is a path; what is computed goes by the path *and* a stamp of what lies there, since that can change.
Flatland goes by no name at all, as in the core's runs.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from multiflow_core.data import dataset
from multiflow_core.data.dataset import DataSet

from .store import STORE, Progress

_STAMP = "@"
BUILT_IN = ("paperland",)  # besides Flatland


def data_of(address: str) -> str:
    """What a data set of the address goes by: nothing for Flatland, else its path with a stamp.

    >>> data_of("flatland"), data_of("~nosuchuser")
    ('', '~nosuchuser')
    """
    if address in ("", dataset.DEFAULT):
        return ""
    if address in BUILT_IN:
        return address
    try:
        place = Path(address).expanduser().resolve()
        if not place.exists():
            return address
        listed = [place, *sorted(place.iterdir())] if place.is_dir() else [place]
        stamp = repr([(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in listed])
    except (OSError, RuntimeError, ValueError):
        return address
    return f"{place}{_STAMP}{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"


def source(data: str) -> str:
    """What the core is given: a path, nothing for Flatland.

    >>> source("/photos@0123456789ab"), source("")
    ('/photos', '')
    """
    return data.rpartition(_STAMP)[0] or data


def address_of(data: str) -> str:
    """What the address says for a data set.

    >>> address_of("/photos@0123456789ab"), address_of("")
    ('/photos', 'flatland')
    """
    return source(data) or dataset.DEFAULT


def title(data: str) -> str:
    """What a data set is called on a page.

    >>> title("/mine/photos@0123456789ab"), title(""), title("paperland")
    ('photos', 'Flatland', 'Paperland')
    """
    if not data or data in BUILT_IN:
        return dataset.open(address_of(data)).title
    return Path(source(data)).stem


@STORE.keep(8)
def data_set(data: str, report: Progress) -> DataSet:
    """A data set, one for all sessions. OSError, ValueError with a sentence where there is none."""
    report(0.2, f"reading {title(data)}")
    return dataset.open(address_of(data))
