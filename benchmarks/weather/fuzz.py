"""Damaged files of every kind, and addresses: each is refused in one sentence, or is what it was before.

Counted are tracebacks (an error that is no sentence for the reader), files that open with another content although they
carry a checksum, what takes longer than ten seconds, and the peak of memory beyond the start.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image

import multiflow_core as mf
from app import state
from app.engine import checkpoints
from app.facts import measured, uploads
from benchmarks.models import pictures, save
from multiflow_core.calibration.activations import Statistics
from multiflow_core.experiments.results import Results
from multiflow_core.experiments.run import Run
from multiflow_core.models.formats.packed import save_packed
from multiflow_core.support.memory import forget_peak, process_memory
from multiflow_core.weights import packed_file
from multiflow_core.weights.masks import Masks

from .mutate import address_value, damaged, text_of, twisted

SLOW = 10.0  # seconds
SENTENCES = (ValueError, OSError)  # what the command line and the pages turn into one sentence


@dataclass
class Tally:
    """What came of the inputs of one kind."""

    inputs: int = 0
    refused: int = 0
    tracebacks: Counter = field(default_factory=Counter)
    different: int = 0
    slow: int = 0


Case = Callable[[random.Random], bool]  # tries one input; False: it opened, but is not what it was


def fuzz(inputs: int, seed: int = 0) -> Iterator[str]:
    """Lines of a table: one a kind of input, each with its share of the inputs.

    >>> list(fuzz(16, seed=1))[-1].startswith("peak")
    True
    """
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = _kinds(Path(place))
        forget_peak()
        before = process_memory("VmRSS") or 0
        yield f"{'kind':<22} {'inputs':>7} {'refused':>8} {'tracebacks':>11} {'different':>10} {'slow':>5}"
        for name, case in kinds.items():
            tally = _tally(case, -(-inputs // len(kinds)), f"{seed} {name}")
            errors = "; ".join(f"{said} x{n}" for said, n in tally.tracebacks.most_common(3))
            yield (
                f"{name:<22} {tally.inputs:>7} {tally.refused:>8} {tally.tracebacks.total():>11} {tally.different:>10} "
                f"{tally.slow:>5}  {errors}"
            ).rstrip()
        peak = process_memory("VmHWM")
        yield f"peak {((peak or 0) - before) / 1e6:.0f} MB beyond the start"


def _tally(case: Case, inputs: int, seed: str) -> Tally:
    found = Tally()
    for n in range(inputs):
        rng = random.Random(f"{seed} {n}")
        began = time.monotonic()
        found.inputs += 1
        try:
            found.different += not case(rng)
        except SENTENCES as error:
            found.refused += 1
            if "\n" in str(error) or not str(error):
                found.tracebacks[f"{type(error).__name__} without a sentence: {str(error)[:60]!r}"] += 1
        except Exception as error:
            found.tracebacks[f"{type(error).__name__}: {str(error)[:60]}"] += 1
        found.slow += time.monotonic() - began > SLOW
    return found


def _kinds(place: Path) -> dict[str, Case]:
    """{kind of input: what tries one}"""
    folder = save("clip-b32", place / "clip", small=True)
    vlm = mf.load(folder)
    statistics = mf.calibrate(vlm.model, _batches(vlm))
    masks = mf.rank(vlm.model, "multiflow", statistics=statistics).masks(0.5)
    packed = save_packed(vlm.prune(masks), masks, place / "packed", torch.float16)
    files = {
        "masks": masks.save(place / "masks.safetensors"),
        "statistics": statistics.save(place / "statistics.safetensors"),
    }
    result = Path(checkpoints.assets()) / "results" / "flatland-xvlm.json"
    kinds: dict[str, Case] = {
        "masks": lambda rng: Masks.load(_spoilt(files["masks"], rng)) == masks,
        "statistics": lambda rng: _same(Statistics.load(_spoilt(files["statistics"], rng)), statistics),
        "packed weights": lambda rng: _opens(packed, packed_file.FILE, rng, _tensors(packed)),
        "plain weights": lambda rng: _opens(folder, "model.safetensors", rng),
        "index": lambda rng: _index(folder, rng),
        "results": lambda rng: _results(result, rng),
        "runs": lambda rng: _run(rng),
        "addresses": lambda rng: _address(rng),
        "names of models": lambda rng: _model_name(rng),
        "pictures": lambda rng: _picture(rng),
    }
    for name in ("config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json"):
        kinds[name] = lambda rng, name=name: _opens(folder, name, rng)
    return kinds


def _batches(vlm: Any) -> list:
    return list(vlm.batches(pictures(4), 4))


def _spoilt(file: Path, rng: random.Random) -> Path:
    spoilt = file.with_suffix(".spoilt")
    spoilt.write_bytes(damaged(file.read_bytes(), rng))
    return spoilt


def _same(found: Statistics, right: Statistics) -> bool:
    return (
        (found.samples, found.layers) == (right.samples, right.layers)
        and found.square_sums.keys() == right.square_sums.keys()
        and all(torch.equal(sums, right.square_sums[name]) for name, sums in found.square_sums.items())
    )


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    return packed_file.read(folder / packed_file.FILE)[0]


def _opens(folder: Path, name: str, rng: random.Random, right: dict[str, torch.Tensor] | None = None) -> bool:
    """Load a model with one of its files damaged. What has a checksum must be what it was; anything else must compute numbers."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(folder, Path(place) / folder.name))
        data = (copy / name).read_bytes()
        whole = damaged(data, rng)
        if name.endswith(".json") and rng.random() < 0.7:
            whole = text_of(twisted(json.loads(data), rng))
        (copy / name).write_bytes(whole)
        vlm = mf.load(copy)
        if right is None:
            return bool(torch.isfinite(vlm.embed_texts(["a red boat"])).all())
        held = vlm.model.state_dict()
        return all(torch.equal(tensor.float(), held[key].float()) for key, tensor in right.items())


def _index(folder: Path, rng: random.Random) -> bool:
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(folder, Path(place) / folder.name))
        (copy / "model.safetensors").rename(copy / "model-00001-of-00001.safetensors")
        held = {"metadata": {"total_size": 1}, "weight_map": {"a.weight": "model-00001-of-00001.safetensors"}}
        (copy / "model.safetensors.index.json").write_bytes(text_of(twisted(held, rng)))
        mf.load(copy)
        return True


def _results(file: Path, rng: random.Random) -> bool:
    """One that opens has figures from 0 to 1, whatever they are now; the pages say nothing where none opens."""
    data = file.read_bytes()
    spoilt = text_of(twisted(json.loads(data), rng)) if rng.random() < 0.8 else damaged(data, rng)
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / file.name
        copy.write_bytes(spoilt)
        found = Results.load(copy)
        found.save(copy)
        return Results.load(copy) == found


def _run(rng: random.Random) -> bool:
    text = address_value(str(Run("flatland-blip", "omp", 0.63, "global", seed=3)), rng)
    return Run.read(str(Run.read(text))) == Run.read(text)


def _address(rng: random.Random) -> bool:
    """Every key of the address, one of them with a strange value: complaints are sentences."""
    key = rng.choice([key for key in vars(state).values() if isinstance(key, state.Key)])
    said = state.complaints({key.name: address_value(str(key.default), rng)}, {}).values()
    return all(isinstance(sentence, str) and sentence and "\n" not in sentence for sentence in said)


def _model_name(rng: random.Random) -> bool:
    name = address_value(rng.choice(("flatland-blip", "owner/model", "/tmp/model")), rng)
    checkpoints.title(checkpoints.model_of(name))
    measured.load(checkpoints.model_of(name))
    if checkpoints.model_of(name) not in checkpoints.models():
        mf.load(checkpoints.source(checkpoints.model_of(name)))
    return True


def _picture(rng: random.Random) -> bool:
    file = io.BytesIO()
    kind = rng.choice(("PNG", "JPEG", "WEBP"))
    Image.effect_noise((rng.randrange(8, 90), rng.randrange(8, 90)), 50).convert("RGB").save(file, kind)
    return max(uploads.read(damaged(file.getvalue(), rng)).size) <= 1024
