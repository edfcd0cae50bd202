"""What is set side by side when speed is measured: the dense model, and the same one pruned by every pattern."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..models.units import NEURONS, Part, units_of
from ..models.vlm import VLM
from ..pruning.slim import ERROR, SCORE
from ..support.threads import Progress
from .prepare import SLIM_SAMPLE, Sample, order_of, sample_of, slim_of
from .run import Run
from .speed import Candidate

SPARSITY = 0.5  # of single weights: as many as the patterns prune
PATTERNS = ((2, 4), (4, 8))
FEW = sample_of(16)  # pairs, where only blocks are chosen by them


@dataclass(frozen=True)
class Small:
    """A smaller model: the share of hidden units that stay, how many whole blocks of vision go, and by what units are chosen.

    >>> Small(0.5).name, Small(0.5, 2).name, Small(0.18, choose=ERROR).name, Small.read("0.5-2") == Small(0.5, 2)
    ('neurons, 50 %', 'neurons, 50 %, 2 blocks less', 'neurons, 18 %, by error', True)
    """

    keep: float
    blocks: int = 0
    choose: str = SCORE

    @classmethod
    def read(cls, text: str) -> Small:
        """As it is written on the command line: 0.5, or 0.5-2 without two blocks; ValueError for what is neither."""
        share, _, blocks = text.partition("-")
        try:
            found = cls(float(share), int(blocks or 0))
        except ValueError:
            found = cls(0)
        if not 0 < found.keep <= 1 or found.blocks < 0:
            raise ValueError(
                f"{text!r} is no smaller model: write a share of the hidden units, as in 0.5, or 0.5-2 without 2 blocks"
            )
        return found

    @property
    def name(self) -> str:
        """What people call it."""
        gone = f", {self.blocks} {'block' if self.blocks == 1 else 'blocks'} less" if self.blocks else ""
        return f"neurons, {100 * self.keep:.3g} %{', by error' if self.choose == ERROR else ''}{gone}"

    @property
    def drop(self) -> dict[str, int]:
        """What `mf.slim` is told of blocks."""
        return {"vision": self.blocks} if self.blocks else {}


SMALLS = (Small(0.5), Small(0.18, choose=ERROR), Small(0.25, 1, ERROR))


def candidates(
    vlm: VLM,
    run: Run,
    smalls: Sequence[Small] = SMALLS,
    sparsity: float = SPARSITY,
    *,
    fit: bool = False,
    sample: Sample | None = None,
    progress: Progress | None = None,
) -> Iterator[Candidate]:
    """The dense model first; then single weights, N:M patterns and hidden units, all ranked by one method.

    >>> from multiflow_core import load
    >>> [one.name for one in candidates(load("flatland-blip"), Run("", "omp"), [Small(0.5)])]
    ['dense', 'weights, 50 %', '2:4', '4:8', 'neurons, 50 %']

    Smaller models that the config of this one cannot say are left out. `fit`: whether what stays of one is solved anew, on a
    sample; its speed is the same without.
    """
    yield Candidate("dense", vlm)
    order = order_of(vlm, run, progress)
    masks = order.masks(sparsity)
    yield Candidate(f"weights, {100 * (1 - sparsity):.3g} %", vlm.prune(masks), "weights", 1 - sparsity, masks)
    for n, m in PATTERNS:
        if all(layer.inputs // layer.experts % m == 0 for layer in order.layers):
            masks = order.masks_nm(n, m)
            yield Candidate(f"{n}:{m}", vlm.prune(masks), f"{n}:{m}", n / m, masks)
    for one in smalls:
        with suppress(ValueError):
            yield small_of(vlm, run, one, fit=fit, sample=sample, progress=progress)


def small_of(
    vlm: VLM,
    run: Run,
    one: Small,
    *,
    fit: bool = True,
    sample: Sample | None = None,
    progress: Progress | None = None,
) -> Candidate:
    """A smaller model; ValueError where the config of this one cannot say it. Where nothing is solved, units go by their scores."""
    seen, choose = sample or (SLIM_SAMPLE if fit else FEW), one.choose if fit else SCORE
    small = slim_of(vlm, run, one.keep, drop=one.drop, fit=fit, choose=choose, sample=seen, progress=progress)
    return Candidate(one.name, small, NEURONS, one.keep, None, widths_of(small))


def widths_of(vlm: VLM) -> dict[str, int]:
    """{place in the config: how many units a block of that tower has}

    >>> from multiflow_core import load
    >>> widths_of(load("flatland-blip"))
    {'vision_config.intermediate_size': 768, 'text_config.intermediate_size': 768}
    """
    parts: tuple[Part, ...] = units_of(vlm.model, vlm.layers)
    return {part.tower: part.units for part in parts}
