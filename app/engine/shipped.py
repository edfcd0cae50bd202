"""Models that come with the lab as they are after more than pruning of weights: which there are, and each as a model.

    assets/tuned/flatland-blip/paperland/multiflow-75/{masks, captioning, retrieval, vqa}.safetensors
    assets/tuned/flatland-blip/paperland/dense/{captioning, retrieval, vqa}.safetensors
    assets/smaller/flatland-blip/multiflow-50/    an ordinary folder of transformers

`python -m multiflow_core finetune ... --differences FOLDER` and `python -m multiflow_core slim ... --out FOLDER` write them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import multiflow_core as mf
from multiflow_core.experiments.run import OWN, SMALLER, TUNED, UNTAUGHT, Run

from . import checkpoints, runs
from .store import STORE, Progress

if TYPE_CHECKING:
    from multiflow_core.models.vlm import VLM

DENSE = "dense"


def taught(model: str) -> str:
    """The data set that a model's tuned ones have learnt; "" where there are none."""
    found = sorted(_all(model, TUNED).glob(f"*/{DENSE}"))
    return found[0].parent.name if found else ""


def learnt(model: str) -> tuple[str, ...]:
    """The tasks for which a model's tuned ones are there."""
    return tuple(sorted(file.stem for file in _all(model, TUNED).glob(f"*/{DENSE}/*.safetensors")))


def can(key: Run, task: str) -> bool:
    """Whether the model of a run does a task: by itself, or because it was taught it."""
    return task in (learnt(key.model) if key.form == TUNED else runs.vlm(key.model).tasks)


def before(key: Run, task: str) -> Run | None:
    """A tuned run as it was before it was tuned; None of any other, and where it did not do the task then."""
    then = replace(key, form=UNTAUGHT)
    return then if key.form == TUNED and can(then, task) else None


def forms(model: str) -> tuple[str, ...]:
    """In which forms a model is there, besides the pruned one."""
    return tuple(form for form in (TUNED, SMALLER) if methods(model, form))


def methods(model: str, form: str) -> tuple[str, ...]:
    """Whose are there."""
    return tuple(sorted({place.name.rpartition("-")[0] for place in _places(model, form, "*")}))


def sparsities(model: str, method: str, form: str) -> tuple[float, ...]:
    """At which a method's are there, the dense one left out."""
    return tuple(sorted(int(place.name.rpartition("-")[2]) / 100 for place in _places(model, form, method)))


def _places(model: str, form: str, method: str) -> list[Path]:
    place = _all(model, form) / taught(model) if form == TUNED else _all(model, form)
    return [found for found in place.glob(f"{method}-*") if found.name.rpartition("-")[2].isdigit()]


def _all(model: str, form: str) -> Path:
    """Of own models there are none, whatever they are called."""
    return checkpoints.assets() / form / (model if model in checkpoints.models() else "none")


def place_of(key: Run) -> Path:
    """The folder of a run."""
    name = f"{key.method}-{100 * key.sparsity:.0f}" if key.method and key.sparsity else DENSE
    if key.form == SMALLER:
        return _all(key.model, SMALLER) / name
    return _all(key.model, TUNED) / key.data / name


def nearest(key: Run, form: str) -> Run | None:
    """The run in this form that is nearest to one; None where there is none of its order."""
    known = sparsities(key.model, key.method, form)
    if not known or key.allocation != OWN or key.criterion != OWN or key.fixed or key.options or key.seed:
        return None
    if form == TUNED:
        known = (0.0, *known)
        key = replace(key, data=taught(key.model))
    at = min(known, key=lambda sparsity: abs(sparsity - key.sparsity))
    return replace(key, sparsity=at, form=form)


def there(key: Run) -> bool:
    """Whether a run can be shown: only what comes with the lab may be missing."""
    return key.form not in (TUNED, SMALLER) or (nearest(key, key.form) == key and place_of(key).is_dir())


def asked(key: Run, task: str) -> VLM:
    """The model that does a task: pruned, or as the run says."""
    if key.form == TUNED:
        return tuned(key, task)
    if key.form == SMALLER:
        return smaller(key)
    return untaught(key) if key.form == UNTAUGHT else runs.pruned(key)


@STORE.keep(12)
def tuned(key: Run, task: str, report: Progress) -> VLM:
    """A model that was fine-tuned for a task after pruning."""
    from multiflow_core.finetuning import differences

    dense = runs.vlm(key.model)
    report(0.3, "adding what was learnt")
    return differences.read(place_of(key), task, dense)


@STORE.keep(4)
def untaught(key: Run, report: Progress) -> VLM:
    """The same before it was fine-tuned."""
    from multiflow_core.finetuning import differences

    masks = place_of(key) / differences.MASKS
    return runs.vlm(key.model).prune(mf.Masks.load(masks)) if masks.is_file() else runs.vlm(key.model)


@STORE.keep(4)
def smaller(key: Run, report: Progress) -> VLM:
    """A model that has lost whole hidden units."""
    dense = runs.vlm(key.model)
    report(0.3, "loading a smaller model")
    small = mf.load(place_of(key), device=os.environ.get("MULTIFLOW_DEVICE", "cpu"))
    return replace(small, folder=dense.folder)  # where it says what the model was trained on


def stamp(key: Run) -> str:
    """What tells a run's files from others of their names; "" of one that has none."""
    if key.form not in (TUNED, UNTAUGHT, SMALLER):
        return ""
    return repr([_digits(file, file.stat().st_mtime_ns) for file in sorted(place_of(key).glob("*.safetensors"))])


@lru_cache(maxsize=64)
def _digits(file: Path, written: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
