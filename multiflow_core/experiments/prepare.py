"""What a method needs, made for a model: calibration pairs, statistics, gradients, and the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor

from ..calibration.evidence import EVIDENCE, Data, Evidence
from ..data import dataset
from ..data.dataset import DataSet
from ..models.units import NEURONS
from ..models.vlm import VLM
from ..pruning.allocations import ALLOCATIONS
from ..pruning.criteria import CRITERIA
from ..pruning.method import METHODS
from ..pruning.order import Order
from ..pruning.patterns import read_fixed
from ..pruning.rank import rank
from ..pruning.slim import SCORE, slim
from ..support.threads import Progress
from ..weights.layers import PrunableLayer
from .run import OWN, Run

CALIBRATION_PAIRS = 512
CALIBRATION_BATCH = 64  # pairs that go through a model at once


GRADIENT_BATCH = 32  # pairs behind one gradient: 16 gradients from the calibration pairs


@dataclass(frozen=True)
class Sample:
    """How many calibration pairs a model sees, and how many of them at once: plainly, and where gradients are kept.

    `exact`: so many and no others, whatever lies beside the checkpoint.
    """

    pairs: int
    batch: int
    gradient_batch: int
    exact: bool = False


def sample_of(pairs: int) -> Sample:
    """So many pairs that somebody asked for.

    >>> sample_of(16)
    Sample(pairs=16, batch=64, gradient_batch=32, exact=True)
    """
    return Sample(pairs, CALIBRATION_BATCH, GRADIENT_BATCH, exact=True)


def pairs_of(vlm: VLM, data: str, most: int) -> int:
    """How many pairs a data set has to calibrate a model with, at most so many; none where all of it is measured on.

    >>> from multiflow_core import load
    >>> pairs_of(load("flatland-blip"), "assets/pictures", 512) < 512
    True
    """
    try:
        return len(dataset.open(data or dataset.DEFAULT).pairs(most, 0, vlm.side))
    except ValueError:
        return 0


def evidence_of(
    name: str, vlm: VLM, seed: int = 0, progress: Progress | None = None, sample: Sample | None = None, data: str = ""
) -> Any:
    """Evidence about a model by name: what lies beside its checkpoint, else collected from a data set's training pairs.

    >>> from multiflow_core import load
    >>> evidence_of("statistics", load("flatland-blip")).samples
    512
    """
    kind = EVIDENCE.get(name)
    exact = sample is not None and sample.exact
    shipped = vlm.folder / kind.file if vlm.folder and kind.file and not exact else None
    if seed == 0 and data in ("", dataset.DEFAULT) and shipped and shipped.is_file():
        found = kind.load(shipped)
        if _fits(found.layers, vlm):
            return found
    return collect(name, vlm, seed, progress, sample, data)


def collect(
    name: str, vlm: VLM, seed: int = 0, progress: Progress | None = None, sample: Sample | None = None, data: str = ""
) -> Any:
    """The same, collected anew whatever lies beside the checkpoint."""
    kind = EVIDENCE.get(name)
    batches = _batches(kind, vlm, seed, progress, sample, data)
    questions = _questions(vlm, seed, sample, data) if kind.asks else None
    return kind.collect(vlm.model, None, Data(batches, seed=seed, progress=progress, questions=questions))


def source_of(data: DataSet) -> str:
    """How a file of evidence says what it was collected on; nothing for what is known by name.

    >>> source_of(dataset.open("assets/pictures"))[:10], source_of(dataset.open())
    ('pictures [', '')
    """
    return f"{data.title} [{data.fingerprint}]" if data.fingerprint else ""


def read(name: str, vlm: VLM, file: Path, data: str | None = None) -> Any:
    """The same, from a file that was collected earlier; ValueError where it is about another model, or on other than `data`."""
    found = EVIDENCE.get(name).load(file)
    if data and found.source and found.source != (asked := source_of(dataset.open(data)) or data):
        raise ValueError(f"{file} was collected on {found.source}, not on {asked}: leave one of the two out.")
    if not _fits(found.layers, vlm):
        raise ValueError(f"{file} holds {EVIDENCE.get(name).title} of another model: calibrate {vlm.name} itself.")
    return found


def _fits(layers: Sequence[PrunableLayer], vlm: VLM) -> bool:
    """Whether a layout is the model's; where data has said which layers run, and on what, it is a part of it."""
    if not vlm.family.general:
        return tuple(layers) == vlm.layers
    there = {(layer.name, layer.shape) for layer in vlm.layers}
    return bool(layers) and {(layer.name, layer.shape) for layer in layers} <= there


def order_of(
    vlm: VLM,
    run: Run,
    progress: Progress | None = None,
    sample: Sample | None = None,
    known: Mapping[str, Any] = MappingProxyType({}),
) -> Order:
    """The order of a run, made from all that its method needs, with the method's quick options; its sparsity is not used.

    >>> from multiflow_core import load
    >>> order_of(load("flatland-blip"), Run("flatland-blip", "multiflow")).masks(0.5).sparsity
    0.5

    Args:
        vlm: the model.
        run: the method, or criterion x allocation; the seed also chooses the calibration pairs, from the training pairs of its
            data set.
        progress: called as progress(fraction, message) while evidence is collected and weights are ranked; every stage
            starts from 0. What it raises ends the work. Methods that solve each sparsity anew do most of theirs in
            `order.masks(sparsity, progress=...)`.
        sample: how many pairs; by default as many as the shipped results were made with.
        known: {name: evidence} that is there already, in place of what would be collected.
    """
    method = METHODS.get(run.method)
    # with either replaced, any criterion goes with any allocation
    blend = (
        {}
        if run.criterion == run.allocation == OWN
        else {
            "criterion": method.criterion if run.criterion == OWN else run.criterion,
            "allocation": method.allocation if run.allocation == OWN else run.allocation,
        }
    )
    needs = method.needs
    if blend:
        needs = CRITERIA.get(blend["criterion"]).needs | ALLOCATIONS.get(blend["allocation"]).needs
    if vlm.family.general:  # only data says which of its parts run, and what they read
        needs |= {"statistics"}
    kinds = [EVIDENCE.get(need) for need in sorted(needs)]
    given = [
        known[kind.name] if kind.name in known else evidence_of(kind.name, vlm, run.seed, progress, sample, run.data)
        for kind in kinds
        if not kind.backward
    ]
    # passes with gradients are the method's own
    batches = next((_batches(kind, vlm, run.seed, progress, sample, run.data) for kind in kinds if kind.backward), None)
    options = dict(run.options) if blend else {**method.quick, **dict(run.options)}
    return rank(
        vlm.model,
        run.method,
        **blend,
        evidence=given,
        batches=batches,
        fixed=read_fixed(run.fixed),
        seed=run.seed,
        progress=progress,
        **options,
    )


SLIM_SAMPLE = sample_of(256)  # and up to three questions about each picture


def slim_of(
    vlm: VLM,
    run: Run,
    share: float,
    *,
    fit: bool = True,
    choose: str = SCORE,
    kinds: Sequence[str] = (NEURONS,),
    drop: Mapping[str, int] = MappingProxyType({}),
    sample: Sample = SLIM_SAMPLE,
    progress: Progress | None = None,
) -> VLM:
    """A smaller model that keeps a share of the hidden units, ranked by the run's method, on pairs and on questions.

    >>> from multiflow_core import load
    >>> small = slim_of(load("flatland-blip"), Run("", "multiflow"), 0.5, fit=False)
    >>> small.model.config.vision_config.intermediate_size < 400
    True

    Args:
        share, fit, choose, kinds, drop: as in `mf.slim`. sample: of how many pairs what stays is solved anew on.
    """
    order = order_of(vlm, run, progress)
    samples = evidence_of("samples", vlm, run.seed, progress, sample, run.data) if fit or drop else None
    how = {"fit": fit, "choose": choose, "kinds": kinds, "drop": drop}
    return slim(vlm, share, order=order, samples=samples, progress=progress, **how)


def _batches(
    kind: Evidence, vlm: VLM, seed: int, progress: Progress | None, sample: Sample | None, data: str
) -> list[dict[str, Tensor]]:
    """The calibration pairs, so many at once as a pass of this kind has room for."""
    sample = sample or Sample(CALIBRATION_PAIRS, CALIBRATION_BATCH, GRADIENT_BATCH)
    size = sample.gradient_batch if kind.backward else sample.batch
    report = progress or (lambda fraction, message: None)
    report(0.0, "drawing the calibration pairs")
    drawn = dataset.open(data or dataset.DEFAULT).pairs(sample.pairs, seed, vlm.side)
    batches: list[dict[str, Tensor]] = []
    for batch in vlm.batches(drawn, size):
        batches.append(batch)
        report(min(1.0, len(batches) * size / sample.pairs), "preparing the calibration pairs")
    return batches


def _questions(vlm: VLM, seed: int, sample: Sample | None, data: str) -> list[dict[str, Tensor]]:
    """Questions with their answers about as many pictures as there are pairs, where the model answers any."""
    if "vqa" not in vlm.tasks:
        return []
    sample = sample or Sample(CALIBRATION_PAIRS, CALIBRATION_BATCH, GRADIENT_BATCH)
    pictures, asked = dataset.open(data or dataset.DEFAULT).asked(sample.pairs, seed, vlm.side)
    return list(vlm.question_batches(pictures, asked, sample.batch)) if asked else []
