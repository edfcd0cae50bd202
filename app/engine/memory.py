"""How much memory a result takes. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

Buffers = dict[int, int]  # {address of a buffer: its bytes}
_OWN = ("multiflow_core", "app")  # packages into whose objects `buffers` looks
_PLAIN = frozenset((str, int, float, bool, type(None)))


def buffers(value: Any) -> Buffers:
    """The numbers that a value holds on to: tensors, arrays and bytes, wherever in it they are.

    >>> import numpy as np
    >>> total(buffers({"a": [np.zeros(3), b"12345"]}))
    29

    Looks into containers, modules and this project's own objects. What two values share has one address, so that
    several of these together count it once.
    """
    found: Buffers = {}
    seen: set[int] = set()
    left = [value]
    while left:
        item = left.pop()
        if id(item) not in seen:
            seen.add(id(item))
            own = _buffer(item)
            found.update(own)
            left += () if own else filter(_may_hold, _parts(item))
    return found


def total(*several: Mapping[int, int]) -> int:
    """Bytes of several values together, what they share counted once.

    >>> total({1: 100, 2: 10}, {2: 10})
    110
    """
    together: Buffers = {}
    for one in several:
        together.update(one)
    return sum(together.values())


def _buffer(item: Any) -> Buffers:
    if isinstance(item, bytes):
        return {id(item): len(item)}
    if hasattr(item, "untyped_storage"):  # a tensor
        storage = item.untyped_storage()
        return {storage.data_ptr(): storage.nbytes()}
    if isinstance(item, np.ndarray):
        while isinstance(item.base, np.ndarray):  # a view: its owner has the memory
            item = item.base
        return {item.ctypes.data: item.nbytes}
    return {}


def _may_hold(part: Any) -> bool:
    """Whether there may be numbers in it: most of what a model consists of are empty lists of hooks."""
    kind = type(part)
    return kind not in _PLAIN and not (issubclass(kind, (dict, list, tuple, set, frozenset)) and not part)


def _parts(item: Any) -> Iterator[Any]:
    if isinstance(item, (list, tuple, set, frozenset)):
        yield from list(item)
    elif _ours(item):  # what it holds, not what it says that it holds: masks kept as bits are unpacked when asked for
        yield from list(vars(item).values())
    elif isinstance(item, Mapping):
        yield from list(item.values())  # a copy: another thread may be filling it
    elif getattr(item, "__closure__", None):  # a function that holds on to what it works with
        yield from (cell.cell_contents for cell in item.__closure__)


def _ours(item: Any) -> bool:
    own = type(item).__module__.split(".")[0] in _OWN
    return hasattr(item, "__dict__") and (own or hasattr(item, "named_parameters"))
