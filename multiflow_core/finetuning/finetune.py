"""Fine-tuning: from a dense or pruned model to one that knows a task."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..data import dataset
from ..data.dataset import DataSet
from ..models.vlm import VLM
from ..support.lanes import faster_precision
from ..support.threads import Progress, own_random_state
from ..tasks.task import TASKS, Task
from ..weights.masks import Masks, rebuilt, tensors_of
from ..weights.wrappers import unwrapped
from .hands import Alone, Together, hands
from .kept import Folder, Kept, key_of
from .lessons import School
from .lock import Lock, zeros_kept
from .recipe import Recipe

NOTED = 10  # steps behind one loss in the log


@dataclass(frozen=True)
class Check:
    """What the split "val" said after so many steps."""

    step: int
    figure: float


@dataclass(frozen=True)
class Tuned:
    """What fine-tuning made.

    Attributes:
        vlm: the model as it was at its best check; zeros where the mask has them.
        curve: the checks in order, the first before the first step.
        seconds: of training and checks, those of earlier calls with the same folder among them.
        steps: taken. losses: (step, mean loss of the steps before it). precision: of the products.
        locked: how many weights were held at zero.
    """

    vlm: VLM
    curve: tuple[Check, ...]
    seconds: float
    steps: int
    losses: tuple[tuple[int, float], ...] = ()
    precision: str = "float32"
    locked: int = 0

    @property
    def best(self) -> Check:
        """The check that the model is of."""
        return max(self.curve, key=lambda check: check.figure)


def finetune(
    vlm: VLM,
    task: str,
    data: str | DataSet = dataset.DEFAULT,
    *,
    masks: Masks | None = None,
    seed: int = 0,
    recipe: Recipe = Recipe(),  # noqa: B008
    folder: str | Path | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """A new VLM that has learnt a task, with its zeros where they were; the one given is untouched.

    >>> from multiflow_core import load, rank
    >>> vlm = load("flatland-blip")
    >>> masks = rank(vlm.model, "omp").masks(0.75)
    >>> short = Recipe(steps=1, batch=2, checked=2, pictures=4, precision="float32")
    >>> tuned = finetune(vlm, "captioning", masks=masks, recipe=short)
    >>> tuned.steps, tuned.locked == masks.pruned, round(tuned.vlm.zero_share(), 2)
    (1, True, 0.75)

    Args:
        vlm: dense or pruned; new weights that a method gave the survivors are where it starts.
        task: "retrieval", "captioning" or "vqa".
        data: a data set, or what `mf.data.open` knows; its splits "train" and "val" are seen, "test" never.
        masks: what stays zero; without it, whatever is zero in a model that was pruned before.
        folder: where a checkpoint is kept, from which the same call goes on to the same bits.
        progress: called as progress(fraction, message); what it raises ends the work, which goes on from the last checkpoint.

    Raises:
        ValueError: the model cannot be trained for the task, the data has nothing to learn it from, or the folder is another's.
    """
    asked = _teachable(vlm, task)
    masks = zeros_kept(vlm) if masks is None else masks
    start = vlm.prune(masks) if masks is not None else vlm
    with _repeatable(start.model):
        training = Training(
            start, asked, dataset.open(data), masks or {}, seed, recipe, Folder(folder and Path(folder))
        )
        return training.run(progress or (lambda fraction, message: None))


def _teachable(vlm: VLM, task: str) -> Task:
    learns = vlm.family.learns(vlm.model)
    if vlm.unreadable:
        raise ValueError(vlm.unreadable)
    if task not in learns:
        known = f"it learns {' and '.join(learns)}" if learns else "no loss is known for it"
        raise ValueError(f"{vlm.name} ({vlm.family.name}) cannot be trained for {task}: {known}.")
    return TASKS.get(task)


class Training:
    """A model, its moments and its progress."""

    def __init__(self, vlm: VLM, task: Task, data: DataSet, masks: Any, seed: int, recipe: Recipe, folder: Folder):
        self.task, self.recipe, self.seed, self.folder = task, recipe, seed, folder
        self.hands: Alone | Together = hands()
        self.device = self.hands.device(next(vlm.model.parameters()).device)
        model, started = vlm.family.headed(unwrapped(vlm.model), vlm.processor, task.name)
        self.vlm = replace(vlm, model=_own(model, self.device), folder=None)
        self.model = self.vlm.model
        self.lock = Lock(self.model, inherited(masks, started))
        self.school = School(self.vlm, task.name, data, recipe, seed)
        self.optimizer = _optimizer(self.model, recipe)
        said = task.name, data.name, data.fingerprint, seed, asdict(recipe), self.hands.count
        key = key_of(self.model, masks, *said)
        held = folder.read(key, self.device)
        if held:
            self.kept = Kept(**held["kept"])
            self.best = held["best"]
            if not self.kept.ended:
                self.model.load_state_dict(held["model"])
                self.optimizer.load_state_dict(held["optimizer"])
        else:
            precision = faster_precision(self.device) if recipe.precision == "measured" else recipe.precision
            self.kept = Kept(key, self.hands.agree(precision))
            self.best: dict[str, Tensor] = {}

    def run(self, progress: Progress) -> Tuned:
        """To the end, or to where checks bring nothing more."""
        self._began = time.monotonic() - self.kept.seconds
        if not self.kept.checks:
            progress(0.0, "asking the model as it is")
            self._check()
        while not self.kept.ended:
            self._stretch(progress)
        self.model.load_state_dict(self.best)
        self.lock.close()
        self.model.eval()
        kept = self.kept
        curve = tuple(Check(int(step), figure) for step, figure in kept.checks)
        losses = tuple((int(step), loss) for step, loss in kept.losses)
        return Tuned(self.vlm, curve, kept.seconds, kept.step, losses, kept.precision, self.lock.locked)

    def _stretch(self, progress: Progress) -> None:
        """The steps up to the next line of the log, and the check at its end where one is due."""
        kept, steps, since = self.kept, self.recipe.steps, []
        best = max(figure for _, figure in kept.checks)
        while not since or not self._pauses():
            since.append(self._step(kept.step))
            kept.step += 1
            said = f"step {kept.step:,} of {steps:,}, loss {since[-1]:.3f}, best {self.task.name} {best:.3f}"
            progress(kept.step / steps, said)
        kept.losses.append([kept.step, round(sum(since) / len(since), 5)])
        if self._is_checked():
            self._check()

    def _pauses(self) -> bool:
        return self.kept.step % NOTED == 0 or self._is_checked()

    def _is_checked(self) -> bool:
        return self.kept.step % self.recipe.check_every == 0 or self.kept.step >= self.recipe.steps

    def _step(self, step: int) -> float:
        """One step of AdamW on all that is not locked."""
        parts, total = self.recipe.accumulation, 0.0
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        for part in range(parts):
            share, shares = part * self.hands.count + self.hands.number, parts * self.hands.count
            batch = {k: v.to(self.device) for k, v in self.school.batch(step, share, shares).items()}
            with self._chance(step, share), torch.autocast(self.device.type, torch.bfloat16, enabled=self._low):
                loss = self.vlm.family.loss(self.model, self.task.name, batch)
            (loss / parts).backward()
            total += loss.item() / parts
        self.hands.average(self._trained())
        self.lock.still()
        nn.utils.clip_grad_norm_(self._trained(), self.recipe.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(step)
        self.optimizer.step()
        self.lock.close()
        return total

    @property
    def _low(self) -> bool:
        return self.kept.precision == "bfloat16"

    def _trained(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    @contextmanager
    def _chance(self, step: int, share: int) -> Iterator[None]:
        """Random numbers that the step decides alone."""
        with own_random_state([self.device.index or 0] if self.device.type == "cuda" else []):
            torch.manual_seed(hash((self.seed, step, share)) % 2**63)
            yield

    def _check(self) -> None:
        """Ask the model about the split "val", keep it where it is the best so far, and write all down."""
        kept = self.kept
        self.model.eval()
        scores = self.task.measure(self.vlm, self.school.exam)
        figure = self.hands.agree(float(scores[self.task.headline(scores)]))
        kept.checks.append([kept.step, figure])
        if kept.best == len(kept.checks) - 1:
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        kept.ended = kept.step >= self.recipe.steps or kept.stalls(self.recipe.patience)
        kept.seconds = round(time.monotonic() - self._began, 3)
        if self.hands.main:
            going_on = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
            self.folder.write(kept, {"best": self.best, **({} if kept.ended else going_on)})


def _own(model: nn.Module, device: torch.device) -> nn.Module:
    """A copy in float32 with tensors of its own, all of whose weights can learn; what was tied stays tied."""
    fresh: dict[int, Tensor] = {}
    for tensor in tensors_of(model):
        kind = torch.float32 if tensor.is_floating_point() else tensor.dtype
        copied = tensor.detach().to(device, kind, copy=True)
        fresh[id(tensor)] = nn.Parameter(copied) if isinstance(tensor, nn.Parameter) else copied
    return rebuilt(model, fresh)


def inherited(masks: Any, started: dict[str, str]) -> dict[str, Tensor]:
    """The masks, and those of parameters that were started from masked ones."""
    return {**masks, **{new: masks[old] for new, old in started.items() if old in masks}}


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; biases, norms and temperatures do not decay."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True)


@contextmanager
def _repeatable(model: nn.Module) -> Iterator[None]:
    """One thread, since sums depend on how many there are; on a GPU products that sum in the same order every time."""
    threads, exact = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    if next(model.parameters()).device.type != "cpu":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it, before its first product
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(exact)
