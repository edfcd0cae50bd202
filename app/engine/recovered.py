"""Models that were fine-tuned after pruning, and are shipped as masks and differences: which there are, and each as a model.

    assets/recovered/flatland-blip/paperland/multiflow-75/{masks, captioning, retrieval, vqa}.safetensors
    assets/recovered/flatland-blip/paperland/dense/{captioning, retrieval, vqa}.safetensors

`python -m multiflow_core finetune ... --differences FOLDER` writes such a folder.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from multiflow_core.experiments.run import OWN, Run

from . import checkpoints, runs
from .store import STORE, Progress

if TYPE_CHECKING:
    from multiflow_core.models.vlm import VLM

FOLDER, DENSE = "recovered", "dense"


def place_of(key: Run) -> Path:
    """The folder of what a run has learnt."""
    name = f"{key.method}-{100 * key.sparsity:.0f}" if key.method and key.sparsity else DENSE
    return checkpoints.assets() / FOLDER / key.model / key.data / name


def data_of(model: str) -> str:
    """What a model's shipped ones have learnt; "" where there are none."""
    found = sorted((checkpoints.assets() / FOLDER / model).glob(f"*/{DENSE}")) if model in checkpoints.models() else []
    return found[0].parent.name if found else ""


def sparsities(model: str, method: str) -> tuple[float, ...]:
    """At which a method's are there, the dense one left out."""
    folders = (checkpoints.assets() / FOLDER / model / data_of(model)).glob(f"{method}-*")
    return tuple(sorted(int(folder.name.rpartition("-")[2]) / 100 for folder in folders))


def methods(model: str) -> tuple[str, ...]:
    """Whose are there."""
    folders = (checkpoints.assets() / FOLDER / model / data_of(model)).glob("*-*")
    return tuple(sorted({folder.name.rpartition("-")[0] for folder in folders}))


def there(key: Run) -> bool:
    """Whether a run can be shown: only what is fine-tuned may be missing."""
    return not key.tuned or (nearest(key) == key and place_of(key).is_dir())


def nearest(key: Run) -> Run | None:
    """The fine-tuned run that is nearest to one; None where there is none of its order."""
    known = sparsities(key.model, key.method) if data_of(key.model) else ()
    if not known or key.allocation != OWN or key.criterion != OWN or key.fixed or key.options or key.seed:
        return None
    at = min((0.0, *known), key=lambda sparsity: abs(sparsity - key.sparsity))
    return replace(key, sparsity=at, data=data_of(key.model), tuned=True)


def asked(key: Run, task: str) -> VLM:
    """The model that does a task: pruned, and where the run says so fine-tuned for it."""
    return learnt(key, task) if key.tuned else runs.pruned(key)


@STORE.keep(12)
def learnt(key: Run, task: str, report: Progress) -> VLM:
    """A fine-tuned model."""
    from multiflow_core.finetuning import differences

    dense = runs.vlm(key.model)
    report(0.3, "adding what was learnt")
    return differences.read(place_of(key), task, dense)


def stamp(key: Run) -> str:
    """What tells these files from others of their names; "" of a run that has none."""
    if not key.tuned:
        return ""
    return repr([_digits(file, file.stat().st_mtime_ns) for file in sorted(place_of(key).glob("*.safetensors"))])


@lru_cache(maxsize=64)
def _digits(file: Path, written: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
