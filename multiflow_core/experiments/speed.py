"""How fast models are, side by side: warmed up, turn about, medians with their spread, on a machine that is named.

What is timed is the model alone, on inputs that are ready. Models take turns, so that whatever else the machine does meets all of
them alike: ratios hold where times do not.
"""

from __future__ import annotations

import copy
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.sparse import to_sparse_semi_structured

from ..calibration.passes import multiply_adds
from ..models.format import FORMATS
from ..models.vlm import VLM
from ..support.atomic import write_text
from ..support.threads import Progress
from ..support.version import VERSION
from ..weights.masks import Masks

BATCHES = (1, 2, 4, 8, 16, 32)  # pictures at a time
REPEATS = 7
WORDS = 12  # of a caption that is timed: as many for every model, whether it has ended or not
SMALL = torch.float16  # of a file


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: the median of some, and the quartiles around it.

    >>> Timing.of([3.0, 1.0, 2.0, 5.0, 4.0])
    Timing(seconds=3.0, low=2.0, high=4.0)
    """

    seconds: float
    low: float
    high: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Timing:
        if len(seconds) == 1:
            return cls(*(3 * [seconds[0]]))
        low, _, high = quantiles(seconds, n=4, method="inclusive")
        return cls(median(seconds), low, high)


@dataclass(frozen=True)
class Measured:
    """What was measured of one model.

    Attributes:
        name: what people call it. pattern: "dense", "weights", "2:4", "4:8" or "neurons". share: of the weights, or of the hidden
            units, that it keeps. widths: {place in the config: how many units a block has}, where that is another number.
        timings: {task: {pictures at a time: Timing}}. faster: the same as how many times as fast as the first model, the median of
            pairs that were timed one right after the other.
        file: bytes of its file in half precision. parameters: how many there are.
        memory: bytes of the weights and of what they compute, at most at once, while the most pictures are looked at, as PyTorch's
            allocator counts them; None where it does not.
        multiply_adds: of prunable weights for one picture: worked out, not measured.
        scores, intervals: {task: {figure: value}}, {task: {figure: between what}}, where that was measured.
    """

    name: str
    pattern: str
    share: float = 1.0
    widths: Mapping[str, int] = field(default_factory=dict)
    timings: Mapping[str, Mapping[int, Timing]] = field(default_factory=dict)
    faster: Mapping[str, Mapping[int, Timing]] = field(default_factory=dict)
    file: int = 0
    parameters: int = 0
    memory: int | None = None
    multiply_adds: int = 0
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    intervals: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Speeds:
    """Models that were measured beside one another, the dense one first, and where."""

    model: str
    machine: Mapping[str, Any]
    models: tuple[Measured, ...]
    head: Mapping[str, Any] = field(default_factory=dict)

    def save(self, path: str | os.PathLike) -> Path:
        """Write a file that `load` reads."""
        held = {
            **self.head,
            "model": self.model,
            "machine": dict(self.machine),
            "models": [asdict(m) for m in self.models],
        }
        return write_text(path, json.dumps(held, indent=1) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike) -> Speeds:
        """Read what `save` wrote. ValueError, in a sentence, for a file that is none; OSError where there is none."""
        try:
            held = json.loads(Path(path).read_text(encoding="utf-8"))
            models = tuple(_measured(entry) for entry in held.pop("models"))
            return cls(str(held.pop("model")), dict(held.pop("machine")), models, held)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"{os.fspath(path)} holds no speeds ({type(error).__name__}: {error})") from None


def _measured(entry: dict[str, Any]) -> Measured:
    timed = {
        part: {
            task: {int(n): Timing(**{k: float(v) for k, v in found.items()}) for n, found in sizes.items()}
            for task, sizes in entry.get(part, {}).items()
        }
        for part in ("timings", "faster")
    }
    return Measured(**{**entry, **timed})


@dataclass(frozen=True)
class Candidate:
    """A model that is to be measured; `masks`: what was pruned of it and is zero, where that is how it was made."""

    name: str
    vlm: VLM
    pattern: str = "dense"
    share: float = 1.0
    masks: Masks | None = None
    widths: Mapping[str, int] = field(default_factory=dict)


def machine(device: str | torch.device = "cpu") -> dict[str, Any]:
    """What things were measured on.

    >>> sorted(machine())
    ['device', 'processor', 'threads', 'torch', 'version']
    """
    kind = torch.device(device)
    named = torch.cuda.get_device_name(kind) if kind.type == "cuda" else kind.type
    return {
        "device": named,
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "version": VERSION,
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def speeds(
    candidates: Sequence[Candidate],
    batches: Sequence[int] = BATCHES,
    repeats: int = REPEATS,
    pictures: Sequence[Image.Image] | None = None,
    progress: Progress | None = None,
) -> list[Measured]:
    """Models measured beside the first of them.

    >>> from multiflow_core import load, slim
    >>> vlm = load("flatland-blip")
    >>> dense, small = speeds([Candidate("dense", vlm), Candidate("small", slim(vlm, 0.25, "localmp", fit=False))], [2], 1)
    >>> small.file < 0.7 * dense.file, small.multiply_adds < 0.6 * dense.multiply_adds, list(small.timings["retrieval"])
    (True, True, [2])

    Args:
        candidates: of one family; what all of them can do is timed. batches: numbers of pictures that are looked at at a time.
        repeats: how often everything is timed after it was done once.
        pictures: that are looked at; grey noise otherwise, which takes as long.
    """
    report = progress or (lambda fraction, message: None)
    first = candidates[0].vlm
    seen = list(pictures or [Image.effect_noise((first.side, first.side), 60).convert("RGB")])
    seen = [seen[i % len(seen)] for i in range(max(batches))]
    work = works(first)
    found: dict[tuple[int, str, int], list[float]] = {}
    ratios: dict[tuple[int, str, int], list[float]] = {}
    steps, done = len(work) * len(batches) * (repeats + 1), 0
    for task, call in work.items():
        for size in batches:
            inputs = [
                one.vlm.image_inputs(seen[:size]) if task == "retrieval" else _asked(one.vlm, seen[:size])
                for one in candidates
            ]
            for turn in range(repeats + 1):
                _turn(candidates, call, inputs, (task, size), turn > 0, found, ratios)
                done += 1
                report(done / steps, f"timing {task}, {size} pictures at a time")
    return [
        Measured(
            one.name,
            one.pattern,
            one.share,
            dict(one.widths),
            _by_task(found, i, work, batches),
            _by_task(ratios, i, work, batches),
            file_size(one),
            sum(p.numel() for p in one.vlm.model.parameters()),
            _peak(one.vlm, work, seen),
            _adds(one.vlm, work, seen[:1]),
        )
        for i, one in enumerate(candidates)
    ]


def _turn(candidates, call, inputs, key, counts, found, ratios) -> None:
    """Every model once; each but the first is set against the first right before it."""
    for i, one in enumerate(candidates):
        before = timed(lambda: call(candidates[0].vlm, inputs[0]), candidates[0].vlm)
        after = timed(lambda one=one, i=i: call(one.vlm, inputs[i]), one.vlm) if i else before
        if counts:
            found.setdefault((i, *key), []).append(after)
            ratios.setdefault((i, *key), []).append(before / after)


def _by_task(found, i, work, batches) -> dict[str, dict[int, Timing]]:
    return {task: {size: Timing.of(found[i, task, size]) for size in batches} for task in work}


def pace(
    first: VLM, other: VLM, task: str, pictures: Sequence[Image.Image], repeats: int = 5
) -> tuple[Timing, Timing, Timing]:
    """Seconds that each of two models needs for pictures, and how many times as fast the other one is.

    >>> from multiflow_core import load, slim
    >>> vlm = load("flatland-blip")
    >>> dense, small, faster = pace(vlm, slim(vlm, 0.25, "localmp", fit=False), "retrieval", [Image.new("RGB", (96, 96))] * 8)
    >>> small.seconds < dense.seconds, faster.seconds > 1
    (True, True)

    They take turns, after each was asked once.
    """
    call = works(first)[task]
    pair = [
        (one, one.image_inputs(pictures) if task == "retrieval" else _asked(one, pictures)) for one in (first, other)
    ]
    turns = [
        [timed(lambda one=one, given=given: call(one, given), one) for one, given in pair] for _ in range(repeats + 1)
    ]
    firsts, others = zip(*turns[1:], strict=True)
    return Timing.of(firsts), Timing.of(others), Timing.of([a / b for a, b in turns[1:]])


def lines(found: Speeds) -> list[str]:
    """What was measured, as a table for people.

    >>> one = Measured("dense", "dense", timings={"retrieval": {1: Timing(0.5, 0.4, 0.6)}}, file=2_000_000, multiply_adds=10**9)
    >>> print("\\n".join(lines(Speeds("blip", {"device": "cpu", "processor": "X", "threads": 2, "torch": "2"}, (one,)))))
    blip on cpu (X), 2 threads, PyTorch 2
    <BLANKLINE>
    retrieval: milliseconds (quartiles), times as fast as the first
    pictures at a time       1
    dense                    500.0 (400.0-600.0) 1.00x
    <BLANKLINE>
                             file in half precision   memory   billion multiply-adds a picture (arithmetic)
    dense                    2.0 MB                   -        1.00
    """
    where = found.machine
    told = [
        f"{found.model} on {where['device']} ({where['processor']}), {where['threads']} threads, PyTorch {where['torch']}"
    ]
    for task in found.models[0].timings:
        sizes = list(found.models[0].timings[task])
        told += ["", f"{task}: milliseconds (quartiles), times as fast as the first"]
        told.append(f"{'pictures at a time':<24} {''.join(f'{size:<28}' for size in sizes)}".rstrip())
        for one in found.models:
            cells = []
            for size in sizes:
                t, by = one.timings[task][size], one.faster.get(task, {}).get(size)
                ratio = 1.0 if by is None else by.seconds
                cells.append(f"{1e3 * t.seconds:.1f} ({1e3 * t.low:.1f}-{1e3 * t.high:.1f}) {ratio:.2f}x")
            told.append(f"{one.name:<24} {''.join(f'{cell:<28}' for cell in cells)}".rstrip())
    told += ["", f"{'':<24} {'file in half precision':<24} {'memory':<8} billion multiply-adds a picture (arithmetic)"]
    for one in found.models:
        memory = "-" if one.memory is None else f"{one.memory / 1e6:.0f} MB"
        told.append(f"{one.name:<24} {f'{one.file / 1e6:.1f} MB':<24} {memory:<8} {one.multiply_adds / 1e9:.2f}")
    return told


def works(vlm: VLM) -> dict[str, Callable[[VLM, Any], Any]]:
    """{task: what is timed}: looking at pictures for a search, and describing them in so many words.

    >>> from multiflow_core import load
    >>> list(works(load("flatland-blip"))), list(works(load("flatland-xvlm")))
    (['retrieval', 'captioning'], ['retrieval'])
    """
    found: dict[str, Callable[[VLM, Any], Any]] = {}
    if "retrieval" in vlm.tasks:
        found["retrieval"] = lambda vlm, inputs: vlm.family.embed_images(vlm.model, inputs)
    if "captioning" in vlm.tasks:
        found["captioning"] = lambda vlm, inputs: vlm.family.generate_caption(vlm.model, inputs, WORDS)
    if not found:
        raise ValueError(f"{vlm.name} neither searches nor describes pictures: there is nothing to be timed")
    return found


def _asked(vlm: VLM, pictures: Sequence[Image.Image]) -> dict[str, torch.Tensor]:
    given = vlm.family.asked(vlm.model, vlm.processor, pictures)
    device = next(vlm.model.parameters()).device
    return {name: value.to(device) for name, value in given.items()}


def timed(call: Callable[[], Any], vlm: VLM) -> float:
    """Seconds of a call, to its end on the device, too."""
    gpu = next(vlm.model.parameters()).device.type == "cuda"
    with torch.inference_mode():
        if gpu:
            torch.cuda.synchronize()
        began = time.perf_counter()
        call()
        if gpu:
            torch.cuda.synchronize()
    return time.perf_counter() - began


def file_size(one: Candidate) -> int:
    """Bytes of the weights in half precision, as the lab writes them: packed where they are masked, plain where they are not."""
    kind = FORMATS.get("packed" if one.masks else "plain")
    with tempfile.TemporaryDirectory() as folder:
        kind.write(one.vlm, one.masks or Masks({}), Path(folder) / "model", SMALL)
        return sum(file.stat().st_size for file in (Path(folder) / "model").glob("*.safetensors"))


def _peak(vlm: VLM, work: Mapping[str, Callable], pictures: Sequence[Image.Image]) -> int | None:
    """Weights, and what the first task computes at most at once."""
    task, call = next(iter(work.items()))
    inputs = vlm.image_inputs(pictures) if task == "retrieval" else _asked(vlm, pictures)
    weights = {p.untyped_storage().data_ptr(): p.untyped_storage().nbytes() for p in vlm.model.parameters()}
    worked = allocated(lambda: call(vlm, inputs), next(vlm.model.parameters()).device)
    return None if worked is None else sum(weights.values()) + worked


def allocated(call: Callable[[], Any], device: torch.device) -> int | None:
    """How many bytes PyTorch has given out at most at once during a call; None where it does not count them."""
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        with torch.inference_mode():
            call()
        return torch.cuda.max_memory_allocated(device) - before
    if device.type != "cpu":
        return None
    watched = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True)
    with torch.inference_mode(), watched as seen:
        call()
    events = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


def _adds(vlm: VLM, work: Mapping[str, Callable], picture: Sequence[Image.Image]) -> int:
    """Multiply-adds of prunable weights for the first task on one picture: arithmetic."""
    task, call = next(iter(work.items()))
    inputs = vlm.image_inputs(picture) if task == "retrieval" else _asked(vlm, picture)
    return multiply_adds(vlm.model, inputs, forward=lambda model, batch: call(vlm, batch), layers=vlm.layers)


def semi_structured(vlm: VLM) -> nn.Module:
    """A copy of a model with a 2:4 pattern whose matrices lie as NVIDIA's sparse tensor cores read them, in half precision.

    Raises:
        ValueError: there is no GPU of NVIDIA's, or one that has no sparse tensor cores.
    """
    if not torch.cuda.is_available() or torch.cuda.get_device_capability() < (8, 0):
        raise ValueError(
            "2:4 patterns are faster on GPUs with sparse tensor cores alone (NVIDIA, from Ampere on): there is none here"
        )
    model = copy.deepcopy(vlm.model).half().to("cuda")
    for layer in vlm.layers:
        weight = model.get_parameter(layer.name)
        if weight.ndim == 2 and weight.shape[0] % 32 == 0 and weight.shape[1] % 64 == 0:
            module, _, own = layer.name.rpartition(".")
            sparse = to_sparse_semi_structured(weight.detach())
            setattr(model.get_submodule(module), own, nn.Parameter(sparse, requires_grad=False))
    return model
