"""One model's figures, as ratios within one run: times on different machines cannot be compared, ratios nearly can."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

import torch

import multiflow_core as mf
from benchmarks.models import build, pictures
from multiflow_core.families import family_of
from multiflow_core.models.formats.packed import save_packed
from multiflow_core.models.vlm import BUILT_IN, VLM
from multiflow_core.weights import packed_file
from multiflow_core.weights.capture import quiet

SPARSITIES = (0.63, 0.75, 0.90)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Figures:
    """What was measured; the bars of the design stand in `BARS`.

    Attributes:
        weights: prunable ones. layers: matrices they are in. threads: used by torch.
        read: seconds to read every weight once.
        plain: seconds for the calibration's forward passes with nothing attached.
        calibration: calibrate / plain. order: (score + order + three masks) / read. mask: one mask / read.
        calibration_memory, order_memory: extra peak memory, in bytes and in multiples of the weights' bytes.
        curve: milliseconds for the table behind the slider, once. slider: for one step of it.
        score: milliseconds for the scores of the largest layer. critical_first, critical: for its critical sparsities,
            the first time and again.
        bits: bits per weight of a mask on disk. checkpoint: a 75 % sparse float16 checkpoint, of its dense file.
    """

    model: str
    weights: int
    layers: int
    threads: int
    read: float
    plain: float
    calibration: float
    calibration_memory: float
    order: float
    order_memory: float
    mask: float
    curve: float
    slider: float
    score: float
    critical_first: float
    critical: float
    bits: float
    checkpoint: float


BARS = {"calibration": 1.10, "order": 100.0, "order_memory": 2.0, "bits": 1.05, "checkpoint": 0.33}


def measure(name: str, batches: int = 3, pairs: int = 8, rounds: int = 5, small: bool = False) -> Figures:
    """All figures of one model, with random weights unless it is a built-in one.

    >>> figures = measure("clip-b32", batches=1, pairs=2, rounds=1, small=True)
    >>> figures.layers, figures.weights
    (24, 32768)
    """
    vlm = mf.load(name) if name in BUILT_IN else _random(name, small)
    data = list(vlm.batches(pictures(batches * pairs), size=pairs))
    weights = [dict(vlm.model.named_parameters())[layer.name].detach() for layer in vlm.layers]
    size = sum(layer.size for layer in vlm.layers)
    read = min(seconds(lambda: [weight.sum() for weight in weights]) for _ in range(rounds + 2))
    plain, ratio = _calibration(vlm, data, rounds)
    statistics, calibration_memory = peak_memory(lambda: mf.calibrate(vlm.model, data))
    (order, masks), order_memory = peak_memory(lambda: _order_and_masks(vlm, statistics))
    ordered = min(seconds(lambda: _order_and_masks(vlm, statistics)) for _ in range(min(rounds, 3)))
    largest = max(vlm.layers, key=lambda layer: layer.size).name
    return Figures(
        model=name,
        weights=size,
        layers=len(vlm.layers),
        threads=torch.get_num_threads(),
        read=read,
        plain=plain,
        calibration=ratio,
        calibration_memory=calibration_memory,
        order=ordered / read,
        order_memory=order_memory / (4 * size),
        mask=seconds(lambda: order.masks(0.63)) / read,
        curve=1e3 * seconds(order.curve),
        slider=1e3 * median(seconds(lambda s=s: order.layer_counts(s)) for s in (0.3, 0.5, 0.63, 0.7, 0.9)),
        score=1e3 * seconds(lambda: order.score(largest)),
        critical_first=1e3 * seconds(lambda: order.critical_sparsity(largest)),
        critical=1e3 * seconds(lambda: order.critical_sparsity(largest)),
        bits=_bits(masks[0]),
        checkpoint=_checkpoint(vlm, masks[SPARSITIES.index(0.75)]),
    )


def _random(name: str, small: bool) -> VLM:
    model, processor = build(name, small)
    return VLM(name, model, processor, family_of(model))


def _calibration(vlm: VLM, data: list, rounds: int) -> tuple[float, float]:
    """Seconds of the plain passes, and calibration as a multiple: turn about, so that both see the same machine."""
    forward = vlm.family.calibration_forward

    def plain() -> None:
        with quiet(vlm.model):
            for batch in data:
                forward(vlm.model, batch)

    plain()
    turns = [(seconds(plain), seconds(lambda: mf.calibrate(vlm.model, data))) for _ in range(rounds)]
    return min(turn[0] for turn in turns), min(turn[1] for turn in turns) / min(turn[0] for turn in turns)


def _order_and_masks(vlm: VLM, statistics: mf.Statistics) -> tuple[mf.PruningOrder, list[mf.Masks]]:
    order = mf.rank(vlm.model, "multiflow", statistics=statistics)
    return order, order.masks_at(SPARSITIES)


def _bits(masks: mf.Masks) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return 8 * masks.save(Path(folder) / "masks.safetensors").stat().st_size / masks.total


def _checkpoint(vlm: VLM, masks: mf.Masks) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = save_packed(vlm, masks, Path(folder), torch.float16) / packed_file.FILE
        return file.stat().st_size / packed_file.bytes_loaded(file)


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def peak_memory(call: Callable[[], Result]) -> tuple[Result, int]:
    """What a call returns, and by how many bytes this process grew at most meanwhile (looked at every 2 ms)."""
    before, highest, done = resident(), 0, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.002):
            highest = max(highest, resident())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        result = call()
    finally:
        done.set()
        watcher.join()
    return result, max(highest, resident()) - before


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
