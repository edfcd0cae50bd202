"""What a thing that was taken away is: of which model, by which method, on what data; and the lines that make it again."""

from __future__ import annotations

import hashlib
import json
import platform
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import transformers

from ..data import dataset
from ..data.dataset import DEFAULT
from ..models.vlm import VLM
from ..pruning.method import METHODS
from ..support.atomic import write_text
from ..support.version import VERSION
from ..weights.masks import Masks
from .run import OWN, Run

MANIFEST = "manifest.json"  # in the folder of a checkpoint
_CHUNK = 1 << 20
_WEIGHTS = (".safetensors", ".bin", ".pth", ".th", ".pt")


@dataclass(frozen=True)
class Manifest:
    """Of a run, with what came of it.

    >>> import multiflow_core as mf
    >>> vlm = mf.load("flatland-blip")
    >>> found = Manifest.of(vlm, Run("flatland-blip", "omp", 0.5), mf.rank(vlm.model, "omp").masks(0.5))
    >>> found.held["sparsity"], found.held["pruned"], len(found.held["model_hash"])
    (0.5, 3686400, 64)

    Attributes:
        run: what was asked for; its model as `load` takes it. pairs: so many were calibrated with, where somebody said so.
        held: everything there is to say, as a JSON file has it.
    """

    run: Run
    held: dict[str, Any]
    pairs: int | None = None

    @classmethod
    def of(cls, vlm: VLM, run: Run, masks: Masks, pairs: int | None = None) -> Manifest:
        method = METHODS.get(run.method)
        data = dataset.open(run.data or DEFAULT)
        held = {
            "model": run.model,
            "model_class": type(vlm.model).__name__,
            "model_hash": hash_of(vlm.folder) if vlm.folder else "",
            "method": run.method,
            "criterion": None if run.criterion == OWN else run.criterion,
            "allocation": None if run.allocation == OWN else run.allocation,
            "options": {**method.quick, **dict(run.options)},
            "fixed": run.fixed,
            "data": data.name,
            "data_fingerprint": data.fingerprint,
            "pairs": pairs,
            "seed": run.seed,
            "sparsity": run.sparsity,
            "achieved": masks.sparsity,
            "pruned": masks.pruned,
            "prunable": masks.total,
            "versions": {
                "multiflow_core": VERSION,
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "python": platform.python_version(),
            },
        }
        found = cls(run, held, pairs)
        held["command"], held["python"] = found.command(), found.python()
        return found

    def command(self, what: str = "prune", *more: str) -> str:
        """The line of the command line that makes it again.

        >>> Manifest(Run("flatland-blip", "omp", 0.5), {}).command("prune", "--masks", "masks.safetensors")
        'python -m multiflow_core prune flatland-blip --method omp --sparsity 0.5 --masks masks.safetensors'
        """
        return command(self.run, what, *(more or ("--masks", "masks.safetensors")), pairs=self.pairs)

    def python(self) -> str:
        """The lines of Python that do."""
        return python(self.run, self.pairs)

    def text(self) -> str:
        return json.dumps(self.held, indent=1, ensure_ascii=False) + "\n"

    def save(self, path: Path) -> Path:
        """Write it as a file of its own."""
        return write_text(path, self.text())


def beside(file: Path) -> Path:
    """Where the manifest of a file lies.

    >>> beside(Path("masks.safetensors")).name
    'masks.manifest.json'
    """
    return file.with_suffix(".manifest.json")


def command(run: Run, what: str, *more: str, pairs: int | None = None) -> str:
    """A line of the command line about a run."""
    said = [what, run.model, "--method", run.method, "--sparsity", f"{run.sparsity:g}"]
    if run.criterion != OWN:
        said += ["--criterion", run.criterion]
    if run.allocation != OWN:
        said += ["--allocation", run.allocation]
    if run.options:
        said += ["--options", *(f"{name}={value}" for name, value in run.options)]
    if run.seed:
        said += ["--seed", str(run.seed)]
    if run.data:
        said += ["--calibrate-on", run.data]
    if pairs:
        said += ["--pairs", str(pairs)]
    if run.fixed:
        said += ["--fixed", *run.fixed.split(",")]
    return shlex.join(["python", "-m", "multiflow_core", *said, *more])


def python(run: Run, pairs: int | None = None) -> str:
    """Lines of Python that prune as a run says.

    >>> print(python(Run("flatland-blip", "omp", 0.5)))
    import multiflow_core as mf
    from multiflow_core.experiments.prepare import order_of
    from multiflow_core.experiments.run import Run
    <BLANKLINE>
    vlm = mf.load('flatland-blip')
    order = order_of(vlm, Run.read('flatland-blip,omp,own,0.5'))
    masks = order.masks(0.5)
    pruned = vlm.prune(masks, order.weights(0.5))
    """
    names = "order_of, sample_of" if pairs else "order_of"
    sample = f", sample=sample_of({pairs})" if pairs else ""
    return (
        "import multiflow_core as mf\n"
        f"from multiflow_core.experiments.prepare import {names}\n"
        "from multiflow_core.experiments.run import Run\n\n"
        f"vlm = mf.load({run.model!r})\n"
        f"order = order_of(vlm, Run.read({str(run)!r}){sample})\n"
        f"masks = order.masks({run.sparsity:g})\n"
        f"pruned = vlm.prune(masks, order.weights({run.sparsity:g}))"
    )


def hash_of(folder: Path) -> str:
    """The SHA-256 of the weights in a folder, file after file by name; of a file of weights its own."""
    files = [folder] if folder.is_file() else sorted(file for file in folder.iterdir() if file.suffix in _WEIGHTS)
    files = [file for file in files if not file.name.startswith("statistics")]
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as held:
            while part := held.read(_CHUNK):
                digest.update(part)
    return digest.hexdigest()


def named(run: Run, model: str, data: str = "") -> Run:
    """A run as the command line names it: a model that `load` takes, and data that `open` takes."""
    return replace(run, model=model, data="" if data == DEFAULT else data)
