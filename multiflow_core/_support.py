"""Small helpers shared by the core: atomic files, threads, errors that suggest a name."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

Progress = Callable[[float, str], None]
T = TypeVar("T")
R = TypeVar("R")


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


def write_safetensors(path: str | os.PathLike, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Path:
    """Write a safetensors file atomically: a reader sees the old file or the whole new one.

    >>> path = Path(tempfile.mkdtemp()) / "x.safetensors"
    >>> tensors, metadata = read_safetensors(write_safetensors(path, {"a": torch.ones(2)}, {"kind": "demo"}))
    >>> tensors["a"].tolist(), metadata["kind"]
    ([1.0, 1.0], 'demo')
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, dict(metadata))
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes private files; a saved mask is for sharing
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return path


def read_safetensors(path: str | os.PathLike) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file; ValueError when it is not one."""
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{os.fspath(path)} is not a readable safetensors file ({error})") from error


def parallel_map(
    function: Callable[[T], R],
    items: Sequence[T],
    *,
    threads: bool = True,
    progress: Progress | None = None,
    message: str = "",
) -> list[R]:
    """`[function(item) for item in items]` on as many threads as torch uses (NumPy's sorts release the GIL).

    >>> parallel_map(abs, [-1, 2])
    [1, 2]

    `progress` is called from the calling thread, so that whatever it raises (Streamlit's stop is a
    BaseException) ends the work at once.
    """
    results: list[R] = []

    def collect(stream: Iterable[R]) -> list[R]:
        for result in stream:
            results.append(result)
            if progress is not None:
                progress(len(results) / len(items), message)
        return results

    own = torch.get_num_threads()
    workers = min(own, len(items))
    if not threads or workers <= 1:
        return collect(map(function, items))
    # one thread each: those that torch would start in every worker only wait for one another
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        return collect(pool.map(function, items))
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(own)  # what threads that begin later start with
